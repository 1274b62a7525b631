"""Estimate the geometric transform between two photographs of one scene from SURF keypoints.

RANSAC over matched keypoints gives a first estimate, which `benchmark.registration.dense` sharpens.

Points are (x, y) and matrices act on (x, y, 1), as in `benchmark.registration.geometry`.
"""

import warnings
from typing import NamedTuple

import numpy as np
from mahotas.features import surf
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import ransac
from skimage.transform import SimilarityTransform

from benchmark.core.images import Image, luma
from benchmark.registration.geometry import Matrix, Plane, Points, inverse, transform

_SURF_THRESHOLD = 0.01  # on a 0..255 scale: practically all extrema, the strongest are kept


class Matches(NamedTuple):
    """Matched keypoints of both images; row i of one matches row i of the other."""

    normal: Points
    dark: Points


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
