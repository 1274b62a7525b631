"""Estimate the geometric transform between two photographs of one scene.

SURF keypoints and RANSAC give a first estimate. A dense alignment of the brightness-normalised
images then reaches subpixel accuracy, which keypoints of a dark, noisy image cannot: on real dark
images the keypoints of true matches scatter by 1.2 px, and the dense step reduces the error at the
corners from about 1 px to about 0.2 px.

Points are (x, y) and matrices act on (x, y, 1), as in `benchmark.registration.geometry`.
"""

import warnings
from typing import NamedTuple, TypeAlias

import numpy as np
from mahotas.features import surf
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import ransac
from skimage.transform import SimilarityTransform

from benchmark.core.images import Image, luma
from benchmark.registration.geometry import Matrix, Points, corners, inverse, transform

Plane: TypeAlias = NDArray[np.float64]
"""float64 (H, W)."""

PARAMETERS = {"translation": 2, "similarity": 4, "homography": 8}
_SURF_THRESHOLD = 0.01  # on a 0..255 scale: practically all extrema, the strongest are kept
_LOCAL_PX = 8.0  # window of the local contrast: larger than noise, smaller than lighting
_LOCAL_FLOOR = 0.03  # contrast below which a place counts as flat and its noise stays small
_SAMPLES = 100_000  # pixels that a dense step looks at, at most
_STEPS = 30  # dense steps at most; 3 to 8 are usual
_STILL_PX = 0.005  # corner motion at which the dense alignment has converged
_LOST = 0.5  # share of the image that must stay inside, or the alignment has run away


class Matches(NamedTuple):
    """Matched keypoints of both images; row i of one matches row i of the other."""

    normal: Points
    dark: Points


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


def normalise(image: Image, sigma_px: float, median: float) -> Plane:
    """Normalise the brightness of an image, only for measuring.

    The image is converted to grey, denoised by a Gaussian, stretched so that the percentiles 0.5 to
    99.5 span [0, 1], and gamma-corrected so that its median becomes `median`. Without this SURF's
    contrast threshold finds nothing in dark images.

    Args:
        image: float32 (H, W, 3) in [0, 1].
        sigma_px: Standard deviation of the denoising.
        median: Target median, between 0 and 1.

    Returns:
        float64 (H, W) in [0, 1]; zero if the image is constant.
    """
    grey = ndimage.gaussian_filter(luma(image), sigma_px)
    low, high = np.percentile(grey, (0.5, 99.5))
    stretched = np.clip((grey - low) / max(high - low, 1e-6), 0.0, 1.0)
    middle = float(np.clip(np.median(stretched), 1e-3, 1.0 - 1e-3))
    return np.asarray(stretched ** (np.log(median) / np.log(middle)))


def flatten(plane: Plane) -> Plane:
    """Divide out slow changes of brightness and contrast: local mean 0, deviation at most 1."""
    centred = plane - ndimage.gaussian_filter(plane, _LOCAL_PX)
    variance = ndimage.gaussian_filter(centred**2, _LOCAL_PX)
    return np.asarray(centred / (np.sqrt(np.maximum(variance, 0.0)) + _LOCAL_FLOOR))


def matches(dark: Plane, normal: Plane, max_keypoints: int, ratio: float) -> Matches:
    """Match SURF keypoints (Bay et al. 2008) both ways, with Lowe's ratio test.

    Args:
        dark: Brightness-normalised dark image, (H, W) in [0, 1].
        normal: Brightness-normalised normal-light image.
        max_keypoints: Number of strongest keypoints that are kept per image.
        ratio: A match is kept if its descriptor distance is below `ratio` times the second best.

    Returns:
        Mutually nearest pairs, in the order of the normal-light image's keypoints.
    """
    keypoints = [
        surf.surf(plane * 255.0, threshold=_SURF_THRESHOLD, max_points=max_keypoints)
        for plane in (normal, dark)
    ]  # (N, 70): y, x, scale, score, laplacian, angle, 64
    first, second = keypoints
    if min(len(first), len(second)) < 2:
        return Matches(np.empty((0, 2)), np.empty((0, 2)))
    a, b = first[:, 6:], second[:, 6:]
    distance = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2.0 * a @ b.T
    distance[first[:, 4:5] != second[:, 4]] = np.inf  # a bright blob is never a dark one
    nearest = distance.argmin(axis=1)
    best, runner_up = np.partition(distance, 1, axis=1)[:, :2].T
    mutual = distance.argmin(axis=0)[nearest] == np.arange(len(first))
    kept = mutual & np.isfinite(best) & (best < ratio**2 * runner_up)
    return Matches(first[kept, 1::-1].copy(), second[nearest[kept], 1::-1].copy())


def consensus(
    pairs: Matches, inlier_px: float, trials: int, confidence: float, seed: int
) -> Matrix:
    """Find the similarity transform with the most inliers by RANSAC.

    A similarity needs two matches per trial instead of the four of a homography, and because the
    perspective of a pair is small, it is as good as a first estimate.

    Args:
        pairs: At least two matches.
        inlier_px: Largest distance of an inlier in the dark frame in pixels.
        trials: Largest number of samples.
        confidence: Probability of having drawn a sample without outliers at which it stops.
        seed: Seed of the sampling.

    Returns:
        The matrix from normal-light to dark; the identity if no similarity was found.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no consensus is an answer here, not a mishap
        model, _ = ransac(  # type: ignore[no-untyped-call]
            (pairs.normal, pairs.dark),
            SimilarityTransform,
            2,
            inlier_px,
            is_model_valid=lambda model, *_: _keeps_area(model.params),
            max_trials=trials,
            stop_probability=confidence,
            rng=seed,
        )
    matrix = np.asarray(getattr(model, "params", np.zeros((3, 3))), np.float64)
    return matrix if _keeps_area(matrix) else np.eye(3)


def _keeps_area(matrix: Matrix) -> bool:
    """Return False for a similarity that collapses all points into one, or is NaN."""
    return bool(0.25 < np.linalg.det(matrix[:2, :2]) < 4.0)


def transfer_error(matrix: Matrix, pairs: Matches) -> NDArray[np.float64]:
    """Return the symmetric transfer error per match in px: root mean square of both directions."""
    forth = transform(matrix, pairs.normal) - pairs.dark
    back = transform(inverse(matrix), pairs.dark) - pairs.normal
    return np.asarray(np.sqrt(((forth**2).sum(1) + (back**2).sum(1)) / 2.0))


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
