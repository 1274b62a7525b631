"""Acceptance criteria of registered pairs: what is measured, and the thresholds.

The paper says that pairs for which registration fails are discarded (arXiv:2403.07622, Sec. IV-B),
but not when it fails, so all thresholds are our own, each with its reason.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from skimage.registration import phase_cross_correlation

from benchmark.data import rank_thumbnails
from benchmark.registration import features
from benchmark.registration.features import Matches
from benchmark.registration.geometry import (
    Matrix,
    Plane,
    Points,
    displacement_px,
    largest_rectangle,
    valid_mask,
    warp,
)


@dataclass(frozen=True)
class RegistrationSettings:
    """Settings of registration and acceptance. Not in the paper: all of them."""

    denoise_px: float = 1.25
    """Standard deviation of the Gaussian denoising before detection in pixels; 1 and 1.5 lose more
    of the darkest LOL pairs."""
    median: float = 0.4
    """Median brightness of both images before detection, because SURF's threshold depends on
    contrast."""
    max_keypoints: int = 2000
    """Number of strongest keypoints per image, which bounds the table of distances to 32 MB."""
    ratio: float = 0.8
    """Lowe's ratio; it gives more matches than 0.7, and unrelated photographs still do not
    agree."""
    inlier_px: float = 2.5
    """Largest transfer error of an inlier in pixels; SURF keypoints of dark images scatter by over
    1 px."""
    max_trials: int = 1000
    """Number of RANSAC samples, enough for 10 % inliers with a probability of 0.9999."""
    confidence: float = 0.999
    """Probability of having drawn a sample without outliers at which RANSAC stops."""
    inlier_share: float = 0.9
    """Share of the largest number of inliers of any transform that a simpler one must keep."""
    unexplained: float = 1.01
    """Largest multiple of the least uncorrelated energy of any transform that a simpler one may
    leave. With keypoints only, a rotation of 1 degree is taken for a shift, with errors of 4 to 8
    px in the corners."""
    identity_px: float = 0.3
    """Largest displacement in pixels below which nothing is warped, because resampling would only
    blur."""
    min_matches: int = 30
    """Smallest number of matches; fewer say little about a pair."""
    min_cells: int = 4
    """Smallest number of cells of a 3x3 grid with matches; a single textured object cannot
    determine the corners."""
    min_inliers: int = 15
    """Smallest number of inliers. Unrelated photographs reached at most 9 in 200 mispairs of LOL.
    Photographs of the same backdrop with other objects reach 92, which no criterion on inliers can
    detect (perf/registration.md)."""
    min_inlier_ratio: float = 0.15
    """Smallest share of inliers. The darkest true pairs have 0.18; unrelated photographs reach it
    only with few bad matches, which the number of inliers refuses."""
    max_rmse_px: float = 1.6
    """Largest root mean square error of the inliers in pixels; inliers that chance spreads evenly
    over the tolerance have 1.77."""
    max_perspective: float = 0.01
    """Largest |h31| or |h32| times the longer side; pairs from one tripod have almost none."""
    min_determinant: float = 0.95
    """Smallest area scale; both images come from the same lens, and focus breathing stays within 2
    % per side."""
    max_determinant: float = 1.05
    """Largest area scale, for the same reason."""
    max_displacement: float = 0.05
    """Largest displacement as a share of the diagonal; a larger one means another photograph rather
    than a nudged tripod."""
    min_overlap: float = 0.9
    """Smallest share of the dark frame that the warped image fills; otherwise the crop would lose
    the scene."""
    min_gradient_gain: float = -0.001
    """Smallest gain in the correlation of gradients by warping; a small loss is allowed because
    resampling blurs. A true pair of LOL moved by 0.4 px lost 0.00001."""
    max_residual_px: float = 1.0
    """Largest shift in pixels that phase correlation still finds after warping."""
    min_structure: float = 0.8
    """Smallest correlation of the overlaid images' structure (`benchmark.data.rank_thumbnails`).
    Correct pairs of LOL reach at least 0.89; another arrangement before the same backdrop, whose
    geometry fits, reaches 0.69."""


@dataclass(frozen=True)
class Measurements:
    """Measurements of a pair, in order; None if it was refused before."""

    matches: int
    cells: int
    inliers: int | None = None
    inlier_ratio: float | None = None
    rmse_px: float | None = None
    perspective: float | None = None
    determinant: float | None = None
    displacement: float | None = None
    overlap: float | None = None
    gradient_gain: float | None = None
    residual_px: float | None = None
    structure: float | None = None


def refusal(evidence: Measurements, settings: RegistrationSettings) -> str:
    """Return why a pair cannot be used, or an empty string.

    Args:
        evidence: The measurements; None is not judged, NaN never passes.
        settings: The thresholds.
    """
    e, s, no_limit = evidence, settings, math.inf
    bounds = (
        ("matched keypoints", e.matches, s.min_matches, no_limit),
        ("cells of the 3x3 grid with matches", e.cells, s.min_cells, no_limit),
        ("inliers", e.inliers, s.min_inliers, no_limit),
        ("inlier ratio", e.inlier_ratio, s.min_inlier_ratio, no_limit),
        ("RMSE of the inliers in px", e.rmse_px, 0.0, s.max_rmse_px),
        ("perspective", e.perspective, 0.0, s.max_perspective),
        ("area scale", e.determinant, s.min_determinant, s.max_determinant),
        ("displacement over diagonal", e.displacement, 0.0, s.max_displacement),
        ("overlap", e.overlap, s.min_overlap, 1.0),
        ("gain in gradient correlation", e.gradient_gain, s.min_gradient_gain, no_limit),
        ("shift left after warping in px", e.residual_px, 0.0, s.max_residual_px),
        ("correlation of structure", e.structure, s.min_structure, 1.0 + 1e-6),
    )
    for name, value, low, high in bounds:
        if value is not None and not low <= value <= high:
            expected = f"at most {high:g}" if value > high else f"at least {low:g}"
            return f"{name}: {value:.4g}, expected {expected}"
    return ""


def cells(points: Points, shape: tuple[int, ...]) -> int:
    """Count the cells of a 3x3 grid that contain points (x, y)."""
    cells = np.floor(points * 3.0 / (shape[1], shape[0])).astype(int)
    return len(np.unique(cells, axis=0))


def geometry(
    evidence: Measurements,
    matrix: Matrix,
    pairs: Matches,
    frame: tuple[int, ...],
    source: tuple[int, ...],
    settings: RegistrationSettings,
) -> Measurements:
    """Add the measurements that follow from the transform itself."""
    error = features.transfer_error(matrix, pairs)
    inliers = error < settings.inlier_px
    return replace(
        evidence,
        inliers=int(inliers.sum()),
        inlier_ratio=float(inliers.mean()),
        rmse_px=float(np.sqrt((error[inliers] ** 2).mean())) if inliers.any() else math.nan,
        perspective=perspective(matrix, source),
        determinant=float(np.linalg.det(matrix[:2, :2])),
        displacement=displacement_px(matrix, source) / math.hypot(*frame[:2]),
        overlap=float(valid_mask(matrix, frame, source).mean()),
    )


def perspective(matrix: Matrix, shape: tuple[int, ...]) -> float:
    """Return the larger of |h31| and |h32|, times the longer side of an image of shape (H, W)."""
    return float(np.abs(matrix[2, :2]).max() * max(shape[:2]))


def scene(evidence: Measurements, dark: Plane, normal: Plane, matrix: Matrix) -> Measurements:
    """Add the correlation of structure of the overlaid, brightness-normalised images."""
    crop = largest_rectangle(valid_mask(matrix, dark.shape, normal.shape))
    warped = warp(normal, matrix, dark.shape)[crop]
    return replace(evidence, structure=rank_thumbnails.correlation(dark[crop], warped))


def after_warping(
    evidence: Measurements, dark: Plane, normal: Plane, matrix: Matrix
) -> Measurements:
    """Add measurements of the overlaid images in the area that is valid with and without warping.

    Args:
        evidence: The measurements so far.
        dark: Flattened dark image, (H, W).
        normal: Flattened normal-light image.
        matrix: Normal-light to dark frame.
    """
    before, after = np.eye(3), matrix
    filled = [valid_mask(moved, dark.shape, normal.shape) for moved in (before, after)]
    crop = largest_rectangle(filled[0] & filled[1])
    came, warped = (warp(normal, moved, dark.shape)[crop] for moved in (before, after))
    fixed = dark[crop]
    shift = phase_cross_correlation(fixed, warped, upsample_factor=10)[0]  # type: ignore[no-untyped-call]
    gain = _gradient_correlation(fixed, warped) - _gradient_correlation(fixed, came)
    return replace(evidence, gradient_gain=gain, residual_px=math.hypot(*shift))


def _gradient_correlation(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return the correlation of two images' gradient vectors, -1 to 1."""
    a, b = (np.asarray(np.gradient(plane)) for plane in (first, second))  # (2, H, W)
    return float((a * b).sum() / max(np.sqrt((a**2).sum() * (b**2).sum()), 1e-12))
