"""When a registered pair may be used: what is measured of it, and what is expected.

The paper says of registration that pairs which fail are discarded (arXiv:2403.07622, Sec. IV-B),
and not when a pair fails, so every number here is ours, a reason each.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from skimage.registration import phase_cross_correlation

from benchmark.data import rank_thumbnails
from benchmark.registration import features
from benchmark.registration.features import Matches, Plane
from benchmark.registration.geometry import (
    Matrix,
    Points,
    displacement_px,
    largest_rectangle,
    valid_mask,
    warp,
)


@dataclass(frozen=True)
class RegistrationSettings:
    """How pairs are registered and which are refused. Not in the paper: all of it."""

    denoise_px: float = 1.25
    """Gaussian before detection, against noise; 1 and 1.5 lose more of the darkest LOL pairs."""
    median: float = 0.4
    """Common median brightness before detection: SURF's threshold depends on contrast."""
    max_keypoints: int = 2000
    """Strongest keypoints an image: bounds the table of descriptor distances to 32 MB."""
    ratio: float = 0.8
    """Lowe's ratio: more matches than at 0.7, while unrelated photographs still do not agree."""
    inlier_px: float = 2.5
    """Largest transfer error of an inlier: SURF keypoints of dark images scatter by over 1 px."""
    max_trials: int = 1000
    """RANSAC samples: enough for 10 % inliers with a probability of 0.9999."""
    confidence: float = 0.999
    """RANSAC stops once it has drawn a sample free of outliers with this probability."""
    inlier_share: float = 0.9
    """A simpler transform suffices where it keeps this share of the most inliers of any ..."""
    unexplained: float = 1.01
    """... and leaves at most this multiple of the least uncorrelated energy of any: keypoints
    alone take a rotation of 1 degree for a shift, wrong by 4 to 8 px in the corners."""
    identity_px: float = 0.3
    """Below this displacement everywhere nothing is warped: resampling would only blur."""
    min_matches: int = 30
    """Fewer matches say little about a pair."""
    min_cells: int = 4
    """Cells of a 3x3 grid that hold matches: one textured object cannot fix the corners."""
    min_inliers: int = 15
    """Unrelated photographs reached 9 at most in 200 mispairs of LOL. Photographs of one backdrop
    with other objects on it reach 92: no criterion here tells these (perf/registration.md)."""
    min_inlier_ratio: float = 0.15
    """The darkest true pairs have 0.18; unrelated photographs reach it in few, bad matches only,
    which the number of inliers refuses."""
    max_rmse_px: float = 1.6
    """Inliers spread evenly over the tolerance, as chance puts them, have 1.77."""
    max_perspective: float = 0.01
    """|h31|, |h32| times the longer side: pairs from one tripod have next to none."""
    min_determinant: float = 0.95
    """Area scale: both images come from one lens; focus breathing stays within 2 % a side."""
    max_determinant: float = 1.05
    """The same, the other way."""
    max_displacement: float = 0.05
    """Share of the diagonal: a larger jump is another photograph, not a nudged tripod."""
    min_overlap: float = 0.9
    """Share of the dark frame that the warped image must fill: the crop would lose the scene."""
    min_gradient_gain: float = -0.001
    """The edges of the warped image may not fit worse than those of the image as it came, but for
    what resampling blurs: a true pair of LOL moved by 0.4 px lost 0.00001."""
    max_residual_px: float = 1.0
    """Shift that phase correlation still finds after warping."""
    min_structure: float = 0.8
    """Correlation of the overlaid images' structure (`benchmark.data.rank_thumbnails`): the right
    pairs of LOL reach 0.89 at least, and another arrangement before one backdrop, whose geometry
    fits, 0.69."""


@dataclass(frozen=True)
class Measurements:
    """What was measured of a pair, in the order of measuring; None where it stopped before."""

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
        evidence: What was measured; numbers that are None are not judged, NaN never passes.
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
            wanted = f"at most {high:g}" if value > high else f"at least {low:g}"
            return f"{name}: {value:.4g}, expected {wanted}"
    return ""


def cells(points: Points, shape: tuple[int, ...]) -> int:
    """Count the cells of a 3x3 grid that hold points (x, y)."""
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
    """Add what the transform itself says."""
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
    """Add whether the overlaid images, brightness-normalised, show one scene."""
    crop = largest_rectangle(valid_mask(matrix, dark.shape, normal.shape))
    warped = warp(normal, matrix, dark.shape)[crop]
    return replace(evidence, structure=rank_thumbnails.correlation(dark[crop], warped))


def after_warping(
    evidence: Measurements, dark: Plane, normal: Plane, matrix: Matrix
) -> Measurements:
    """Add what the overlaid images say, over the part of the frame that they fill either way.

    Args:
        evidence: What was measured so far.
        dark: Flattened dark image, (H, W).
        normal: The same of the normal-light image.
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
