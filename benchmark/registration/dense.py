"""Align two photographs of one scene densely, from a first estimate a few pixels away.

The alignment of brightness-normalised images reaches subpixel accuracy, which keypoints of a dark,
noisy image cannot: on real dark images the keypoints of true matches scatter by 1.2 px, and the
dense step reduces the error at the corners from about 1 px to about 0.2 px.

Points are (x, y) and matrices act on (x, y, 1), as in `benchmark.registration.geometry`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmark.registration.geometry import Matrix, Plane, Points, corners, inverse, transform

PARAMETERS = {"translation": 2, "similarity": 4, "homography": 8}
_LOCAL_PX = 8.0  # window of the local contrast: larger than noise, smaller than lighting
_LOCAL_FLOOR = 0.03  # contrast below which a place counts as flat and its noise stays small
_SAMPLES = 100_000  # pixels that a dense step looks at, at most
_STEPS = 30  # dense steps at most; 3 to 8 are usual
_STILL_PX = 0.005  # corner motion at which the dense alignment has converged
_LOST = 0.5  # share of the image that must stay inside, or the alignment has run away


class Fit(NamedTuple):
    """A transform of one family from the normal-light into the dark frame."""

    model: str
    matrix: Matrix
    correlation: float  # of the locally normalised images under it, -1 to 1


class Template(NamedTuple):
    """Quantities of the normal-light image that every step of dense alignment needs."""

    points: NDArray[np.float64]  # (3, N) sampled pixels, homogeneous
    values: NDArray[np.float64]  # (N,)
    descent: NDArray[np.float64]  # (N, 8) change of the value per unit of each parameter
    units: Matrix  # pixels to the centred unit square that the parameters live in
    corners: Points


def flatten(plane: Plane) -> Plane:
    """Divide out slow changes of brightness and contrast: local mean 0, deviation at most 1."""
    centred = plane - ndimage.gaussian_filter(plane, _LOCAL_PX)
    variance = ndimage.gaussian_filter(centred**2, _LOCAL_PX)
    return np.asarray(centred / (np.sqrt(np.maximum(variance, 0.0)) + _LOCAL_FLOOR))


def _basis() -> NDArray[np.float64]:
    """Return the eight directions of a homography at the identity, simplest family first."""
    basis = np.zeros((8, 3, 3))
    basis[0, 0, 2] = basis[1, 1, 2] = 1.0  # shift along x, y
    basis[2, 0, 0] = basis[2, 1, 1] = 1.0  # scale
    basis[3, 0, 1], basis[3, 1, 0] = -1.0, 1.0  # rotation
    basis[4, 0, 0], basis[4, 1, 1] = 1.0, -1.0  # stretch
    basis[5, 0, 1] = basis[5, 1, 0] = 1.0  # shear
    basis[6, 2, 0] = basis[7, 2, 1] = -1.0  # perspective along x, y
    return basis


_BASIS = _basis()


def template(normal: Plane) -> Template:
    """Prepare the flattened normal-light image for `refine`."""
    height, width = normal.shape
    stride = max(1, int(np.ceil(np.sqrt(height * width / _SAMPLES))))
    rows, columns = (axis.ravel() for axis in np.mgrid[0:height:stride, 0:width:stride])
    points = np.stack([columns, rows, np.ones(rows.size)]).astype(np.float64)  # (3, N)
    half = max(height, width) / 2.0
    units = np.array(
        [[1 / half, 0, (1 - width) / 2 / half], [0, 1 / half, (1 - height) / 2 / half], [0, 0, 1]]
    )
    local = units @ points
    slope_y, slope_x = np.asarray(np.gradient(normal))[:, rows, columns] * half
    moved = np.matmul(_BASIS, local)  # (8, 3, N)
    flow = moved[:, :2] - local[:2] * moved[:, 2:]  # (8, 2, N) velocity of each pixel
    descent = (slope_x * flow[:, 0] + slope_y * flow[:, 1]).T
    return Template(points, normal[rows, columns], descent, units, corners(normal.shape))


def refine(dark: Plane, normal: Template, start: Matrix, model: str) -> Fit:
    """Align densely within one family of transforms, starting a few pixels away.

    The method is Gauss-Newton with inverse composition (Baker and Matthews 2004, Sec. 3.2). Each
    step also solves for the gain between the images, so that it minimises one minus their
    correlation (Evangelidis and Psarakis 2008).

    Args:
        dark: Flattened dark image, (H, W).
        normal: `template` of the flattened normal-light image.
        start: Initial matrix.
        model: A key of `PARAMETERS`.

    Returns:
        The aligned transform, with correlation -1 if the alignment left the image.
    """
    matrix, correlation = start, -1.0
    for _ in range(_STEPS):
        sampled, inside = _sample(dark, matrix @ normal.points)
        if inside.mean() < _LOST:
            return Fit(model, start, -1.0)
        target = normal.values[inside] - normal.values[inside].mean()
        sampled = sampled - sampled.mean()
        shared, energy = float(target @ sampled), float(target @ target)
        correlation = shared / max(np.sqrt(energy * float(sampled @ sampled)), 1e-12)
        if correlation <= 0.0:
            return Fit(model, start, -1.0)
        descent = normal.descent[inside, : PARAMETERS[model]]
        residual = sampled * (energy / shared) - target
        step = np.linalg.lstsq(descent.T @ descent, descent.T @ residual, rcond=None)[0]
        moved = _compose(matrix, step, normal.units)
        motion = transform(moved, normal.corners) - transform(matrix, normal.corners)
        if np.abs(motion).max() < _STILL_PX:
            break
        matrix = moved
    return Fit(model, matrix, correlation)


def _sample(plane: Plane, points: NDArray[np.float64]) -> tuple[Plane, NDArray[np.bool_]]:
    """Interpolate linearly at (3, N) points; return the values and a mask of points inside."""
    height, width = plane.shape
    with np.errstate(divide="ignore", invalid="ignore"):  # the horizon is not inside
        x, y = points[:2] / points[2]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return ndimage.map_coordinates(plane, (y[inside], x[inside]), order=1), inside


def _compose(matrix: Matrix, step: NDArray[np.float64], units: Matrix) -> Matrix:
    """Compose the transform with the inverse of a step on the template's side."""
    change = np.eye(3) + np.tensordot(step, _BASIS[: len(step)], axes=1)
    moved = matrix @ inverse(units) @ inverse(change) @ units
    return np.asarray(moved / moved[2, 2])
