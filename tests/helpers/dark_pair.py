"""A photograph in the dark and in normal light, with the transform between them."""

from functools import cache

import numpy as np
import skimage.data
from scipy import ndimage

from benchmark.core import images
from benchmark.registration import features
from benchmark.registration.geometry import Matrix, Plane, corners, transform

TRUTH = np.array([[1.008, -0.013, 4.2], [0.013, 1.008, -3.3], [0, 0, 1]])


@cache
def planes() -> tuple[Plane, Plane]:
    """A dark, noisy photograph and its normal-light image, which TRUTH maps onto it."""
    whole = images.to_float(skimage.data.coffee())
    rows, columns = np.mgrid[:340, :540]
    x, y = transform(TRUTH, np.stack([columns.ravel(), rows.ravel()], axis=1) * 1.0).T + 30
    moved = [ndimage.map_coordinates(whole[..., c], (y, x), order=3) for c in range(3)]
    normal = np.clip(np.stack(moved, axis=-1), 0, 1).reshape(340, 540, 3).astype(np.float32)
    noise = np.random.default_rng(0).normal(0.0, 0.006, normal.shape)
    dark = images.to_float(images.to_uint8((whole[30:370, 30:570] * 0.08 + noise).astype("f4")))
    return features.normalise(dark, 1.25, 0.4), features.normalise(normal, 1.25, 0.4)


def corner_error_px(matrix: Matrix) -> float:
    at = corners((340, 540))
    return float(np.linalg.norm(transform(matrix, at) - transform(TRUTH, at), axis=1).max())
