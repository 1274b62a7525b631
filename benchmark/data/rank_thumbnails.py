"""Rank thumbnails: compare the scene of two images independently of their exposure.

The pixels of a dark image and its normal-light image are in nearly the same order of brightness.
Both images are reduced to a thumbnail of `SIDE` x `SIDE` ranks, and the gradients of the ranks are
correlated. Gradients are used because the structure that all photographs share (bright above, dark
below) does not raise their correlation.
"""

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from scipy.stats import rankdata

SIDE = 32
"""Side of a thumbnail in pixels."""


def ranks(grey: PIL.Image.Image) -> NDArray[np.uint8]:
    """Return the ranks of a grey image's thumbnail, uint8 (SIDE, SIDE); 0 is darkest."""
    coarse = np.asarray(grey.resize((SIDE, SIDE), PIL.Image.Resampling.BOX))
    levels = (rankdata(coarse) - 1.0) * (255.0 / (SIDE**2 - 1))
    return np.asarray(np.rint(levels), np.uint8).reshape(SIDE, SIDE)


def slopes(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the gradients of rank thumbnails (n, SIDE, SIDE) as rows (n, 2 SIDE^2) of norm 1.

    Rows of constant thumbnails are 0. The scalar product of two rows is their correlation.
    """
    down, right = np.gradient(thumbnails.astype(np.float32), axis=(1, 2))
    flat = np.stack([down, right], axis=1).reshape(len(thumbnails), 2 * SIDE**2)
    flat = flat - flat.mean(axis=1, keepdims=True)
    scale = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(scale, 1.0), np.float32)


def correlation(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return the correlation, -1 to 1, of two grey images (H, W) of any range."""
    planes = [PIL.Image.fromarray(plane.astype(np.float32)) for plane in (first, second)]
    a, b = slopes(np.stack([ranks(plane) for plane in planes]))
    return float(a @ b)
