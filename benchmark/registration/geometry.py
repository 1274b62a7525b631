"""Plane projective geometry, and warping without invented pixels at the border.

Points are (x, y) with the centre of the first pixel at (0, 0), so that a pixel's column and
row are its x and y. A matrix is 3x3, acts on (x, y, 1), and its last element is 1.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from skimage.transform import ProjectiveTransform
from skimage.transform import warp as resample

Mask: TypeAlias = NDArray[np.bool_]
"""bool (H, W)."""
Matrix: TypeAlias = NDArray[np.float64]
"""float64 (3, 3)."""
Plane: TypeAlias = NDArray[np.float64]
"""float64 (H, W)."""
Points: TypeAlias = NDArray[np.float64]
"""float64 (N, 2), x and y in pixels."""

_GRID = 17  # points a side at which a displacement is looked up


def transform(matrix: Matrix, points: Points) -> Points:
    """Map points by a matrix."""
    mapped = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(mapped[:, :2] / mapped[:, 2:])


def inverse(matrix: Matrix) -> Matrix:
    """Return the inverse transform."""
    return np.asarray(np.linalg.inv(matrix), np.float64)


def corners(shape: tuple[int, ...]) -> Points:
    """Return the centres of the corner pixels of an (H, W, ...) image, in reading order."""
    right, bottom = shape[1] - 1.0, shape[0] - 1.0
    return np.array([[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]])


def displacement_px(matrix: Matrix, shape: tuple[int, ...]) -> float:
    """Return the largest displacement in pixels that a matrix causes in an (H, W, ...) image."""
    x = np.linspace(0.0, shape[1] - 1.0, _GRID)
    y = np.linspace(0.0, shape[0] - 1.0, _GRID)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return float(np.linalg.norm(transform(matrix, points) - points, axis=1).max())


def valid_mask(matrix: Matrix, frame: tuple[int, ...], source: tuple[int, ...]) -> Mask:
    """Mark the pixels of a frame whose 4x4 bicubic neighbourhood lies inside the source image.

    Args:
        matrix: Transform from source to frame.
        frame: Shape (H, W, ...) of the frame.
        source: Shape (H, W, ...) of the source image.

    Returns:
        bool (H, W) of the frame.
    """
    rows, columns = np.mgrid[: frame[0], : frame[1]]
    points = np.stack([columns, rows], axis=-1).reshape(-1, 2).astype(np.float64)
    x, y = transform(inverse(matrix), points).T.reshape(2, frame[0], frame[1])
    inside_x = (x >= 1) & (x <= source[1] - 2)
    return np.asarray(inside_x & (y >= 1) & (y <= source[0] - 2))


def warp(
    image: NDArray[np.floating], matrix: Matrix, frame: tuple[int, ...]
) -> NDArray[np.floating]:
    """Resample an image bicubically (Keys 1981, a = -1/2) into a frame.

    Args:
        image: (H, W) or (H, W, C). Outside the image its border values are used; `valid_mask` tells
            where. The result may slightly exceed the image's range.
        matrix: Transform from image to frame.
        frame: Shape (H, W, ...) of the frame.

    Returns:
        The warped image, in the type of the image.
    """
    back = ProjectiveTransform(inverse(matrix))  # type: ignore[no-untyped-call]
    warped = resample(  # type: ignore[no-untyped-call]
        image, back, output_shape=frame[:2], order=3, mode="edge", clip=False, preserve_range=True
    )
    return np.asarray(warped, image.dtype)


def largest_rectangle(mask: Mask) -> tuple[slice, slice]:
    """Find the largest axis-aligned rectangle of True pixels, exactly, in one pass over the rows.

    For each pixel it tracks how far the True pixels extend upwards, and how far a bar of that
    height extends to both sides; the largest rectangle is one of these bars.

    Args:
        mask: bool (H, W).

    Returns:
        Rows and columns as slices. Among equal rectangles it is the one that ends first from the
        top, then the leftmost; the slices are empty if no pixel is True.
    """
    width = mask.shape[1]
    columns = np.arange(width)
    height, left, right = np.zeros(width, int), np.zeros(width, int), np.full(width, width)
    best, rectangle = 0, (slice(0, 0), slice(0, 0))
    for bottom, row in enumerate(mask):
        height = np.where(row, height + 1, 0)
        start = np.maximum.accumulate(np.where(row, 0, columns + 1))
        stop = np.minimum.accumulate(np.where(row, width, columns)[::-1])[::-1]
        left = np.where(row, np.maximum(left, start), 0)
        right = np.where(row, np.minimum(right, stop), width)
        area = height * (right - left)
        at = int(area.argmax())
        if area[at] > best:
            best = int(area[at])
            rows = slice(bottom + 1 - int(height[at]), bottom + 1)
            rectangle = rows, slice(int(left[at]), int(right[at]))
    return rectangle
