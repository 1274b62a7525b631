"""Whether two images show one scene, whatever their exposure: the structure of small thumbnails.

A dark image and its normal-light image order their pixels alike. Of both, the ranks of a thumbnail
of `SIDE` x `SIDE` are taken, and the correlation of the ranks' gradients, which what all
photographs share (bright above, dark below) does not raise.
"""

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from scipy.stats import rankdata

SIDE = 32
"""Pixels a side of a thumbnail."""


def ranks(grey: PIL.Image.Image) -> NDArray[np.uint8]:
    """Return the ranks of a grey image's thumbnail, uint8 (SIDE, SIDE), 0 darkest."""
    coarse = np.asarray(grey.resize((SIDE, SIDE), PIL.Image.Resampling.BOX))
    levels = (rankdata(coarse) - 1.0) * (255.0 / (SIDE**2 - 1))
    return np.asarray(np.rint(levels), np.uint8).reshape(SIDE, SIDE)


def slopes(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the gradients of rank thumbnails (n, SIDE, SIDE) as (n, 2 SIDE^2) of norm 1.

    Where a thumbnail is flat they are 0. The product of two rows is their correlation.
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
