"""Registration of misaligned pairs: the normal-light image is moved into the dark image's frame.

LSRW and RELLISUR training pairs are misaligned, and some are paired wrongly. The paper registers
them with SURF (arXiv:2403.07622, Sec. IV-B) and discards those that fail; it states no detector
settings, no transform and no criterion, so the ones here are ours, a reason each. The dark image is
never resampled, so that its noise stays what the sensor made. Register before any JPEG compression.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from skimage.registration import phase_cross_correlation

from benchmark import surf
from benchmark.images import Image
from benchmark.surf import Fit, Matches, Plane
from benchmark.warping import (
    Matrix,
    Points,
    corners,
    displacement_px,
    largest_rectangle,
    transform,
    valid_mask,
    warp,
)

Model: TypeAlias = Literal["identity", "translation", "similarity", "homography"]


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
    min_inliers: int = 20
    """Unrelated photographs reached 4 at most in 200 mispairs of LOL."""
    min_inlier_ratio: float = 0.25
    """Unrelated photographs reached 0.10 at most, in the same mispairs."""
    max_rmse_px: float = 1.5
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
    min_gradient_gain: float = 0.0
    """The edges of the warped image may not fit worse than those of the image as it came."""
    max_residual_px: float = 1.0
    """Shift that phase correlation still finds after warping."""


@dataclass(frozen=True)
class Evidence:
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


@dataclass(frozen=True)
class Registration:
    """The geometry of a pair, and whether it may be used."""

    accepted: bool
    reason: str
    """Why it was refused: the number and what was expected; empty where accepted."""
    model: Model
    matrix: Matrix
    """float64 (3, 3): normal-light pixel (x, y, 1) to the dark frame, last element 1. x is the
    column, y the row, and the centre of the first pixel is (0, 0). Of a refused pair, the attempt;
    the identity where there was none."""
    matches: int
    inliers: int
    rmse_px: float
    """Symmetric transfer error of the inliers; NaN where no transform was found."""
    overlap: float
    """Share of the dark frame that the warped image fills, 0 to 1; NaN likewise."""
    max_displacement_px: float
    """Largest displacement in the image; NaN likewise. For "identity", whose matrix moves nothing,
    this and `rmse_px` are those of the estimate that was too small to act upon."""


class Registered(NamedTuple):
    """A pair of equal size that shows the same scene pixel by pixel."""

    dark: Image
    normal: Image


def refusal(evidence: Evidence, settings: RegistrationSettings) -> str:
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
    )
    for name, value, low, high in bounds:
        if value is not None and not low <= value <= high:
            wanted = f"at most {high:g}" if value > high else f"at least {low:g}"
            return f"{name}: {value:.4g}, expected {wanted}"
    return ""


def register(dark: Image, normal: Image, settings: RegistrationSettings, seed: int) -> Registration:
    """Estimate how a normal-light image lies over its dark image.

    Args:
        dark: float32 (H, W, 3) in [0, 1], uncompressed.
        normal: The same scene; its size may differ by what the criteria bear.
        settings: Thresholds of estimation and acceptance.
        seed: Of RANSAC; the same seed gives the same registration.

    Returns:
        The registration; refused, with the reason, where the pair cannot be trusted.
    """
    planes = [
        surf.normalise(image, settings.denoise_px, settings.median) for image in (dark, normal)
    ]
    pairs = surf.matches(planes[0], planes[1], settings.max_keypoints, settings.ratio)
    evidence = Evidence(len(pairs.dark), _cells(pairs.dark, dark.shape))
    if reason := refusal(evidence, settings):
        return _refused(reason, evidence.matches)
    flat_dark, flat_normal = (surf.flatten(plane) for plane in planes)
    fit = _simplest(_fits(flat_dark, flat_normal, pairs, settings, seed), pairs, settings)
    evidence = _geometry(evidence, fit.matrix, pairs, dark.shape, normal.shape, settings)
    moved_px = displacement_px(fit.matrix, normal.shape)
    if moved_px < settings.identity_px:
        fit = Fit("identity", np.eye(3), fit.correlation)
    if not (reason := refusal(evidence, settings)):
        evidence = _after_warping(evidence, flat_dark, flat_normal, fit.matrix)
        reason = refusal(evidence, settings)
    return Registration(
        accepted=not reason,
        reason=reason,
        model=cast(Model, fit.model),
        matrix=fit.matrix,
        matches=evidence.matches,
        inliers=evidence.inliers or 0,
        rmse_px=float(evidence.rmse_px or 0.0),
        overlap=float(evidence.overlap or 0.0),
        max_displacement_px=moved_px,
    )


def _refused(reason: str, found: int) -> Registration:
    """Return the record of a pair for which no transform was looked for."""
    return Registration(
        False, reason, "identity", np.eye(3), found, 0, math.nan, math.nan, math.nan
    )


def _cells(points: Points, shape: tuple[int, ...]) -> int:
    """Count the cells of a 3x3 grid that hold points (x, y)."""
    cells = np.floor(points * 3.0 / (shape[1], shape[0])).astype(int)
    return len(np.unique(cells, axis=0))


def _fits(
    dark: Plane, normal: Plane, pairs: Matches, settings: RegistrationSettings, seed: int
) -> tuple[Fit, Fit, Fit]:
    """Estimate each family, simplest first, from the RANSAC similarity."""
    start = surf.consensus(
        pairs, settings.inlier_px, settings.max_trials, settings.confidence, seed
    )
    prepared = surf.template(normal)
    similarity = surf.refine(dark, prepared, start, "similarity")
    centre = corners(normal.shape).mean(axis=0)
    shift = np.eye(3)
    shift[:2, 2] = transform(similarity.matrix, centre[None])[0] - centre
    return (
        surf.refine(dark, prepared, shift, "translation"),
        similarity,
        surf.refine(dark, prepared, similarity.matrix, "homography"),
    )


def _simplest(fits: tuple[Fit, ...], pairs: Matches, settings: RegistrationSettings) -> Fit:
    """Return the first transform that is nearly as good as the best, else the best aligned."""
    inliers = [
        int((surf.transfer_error(fit.matrix, pairs) < settings.inlier_px).sum()) for fit in fits
    ]
    left = [1.0 - fit.correlation**2 if fit.correlation > 0.0 else 1.0 for fit in fits]
    for fit, count, rest in zip(fits, inliers, left, strict=True):
        agrees = count >= settings.inlier_share * max(inliers)
        if agrees and rest <= settings.unexplained * min(left):
            return fit
    return fits[int(np.argmin(left))]


def _geometry(
    evidence: Evidence,
    matrix: Matrix,
    pairs: Matches,
    frame: tuple[int, ...],
    source: tuple[int, ...],
    settings: RegistrationSettings,
) -> Evidence:
    """Add what the transform itself says."""
    error = surf.transfer_error(matrix, pairs)
    inliers = error < settings.inlier_px
    return replace(
        evidence,
        inliers=int(inliers.sum()),
        inlier_ratio=float(inliers.mean()),
        rmse_px=float(np.sqrt((error[inliers] ** 2).mean())) if inliers.any() else math.nan,
        perspective=float(np.abs(matrix[2, :2]).max() * max(source[:2])),
        determinant=float(np.linalg.det(matrix[:2, :2])),
        displacement=displacement_px(matrix, source) / math.hypot(*frame[:2]),
        overlap=float(valid_mask(matrix, frame, source).mean()),
    )


def _after_warping(evidence: Evidence, dark: Plane, normal: Plane, matrix: Matrix) -> Evidence:
    """Add what the overlaid images say, over the part of the frame that they fill either way."""
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


def apply(dark: Image, normal: Image, registration: Registration) -> Registered:
    """Warp the normal-light image into the dark frame and crop both to what they share.

    Args:
        dark: float32 (H, W, 3) in [0, 1]; its pixel values stay as they are.
        normal: The image that was registered to it.
        registration: Accepted result of `register`.

    Returns:
        Both images over the largest rectangle that the warped one fills; the inputs themselves
        where the model is "identity".

    Raises:
        ValueError: The registration was refused.
    """
    if not registration.accepted:
        raise ValueError(f"A refused registration cannot be applied ({registration.reason}).")
    if registration.model != "identity":
        crop = largest_rectangle(valid_mask(registration.matrix, dark.shape, normal.shape))
        warped = warp(normal, registration.matrix, dark.shape)[crop]
        return Registered(dark[crop].copy(), np.clip(warped, 0.0, 1.0))
    if dark.shape == normal.shape:
        return Registered(dark, normal)
    height, width = (min(sides) for sides in zip(dark.shape[:2], normal.shape[:2], strict=True))
    return Registered(dark[:height, :width].copy(), normal[:height, :width].copy())
