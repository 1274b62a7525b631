"""Registration of misaligned pairs: move the normal-light image into the dark image's frame.

LSRW and RELLISUR training pairs are misaligned, and some are paired wrongly. The paper registers
them with SURF (arXiv:2403.07622, Sec. IV-B) and discards those that fail; it states no detector
settings, no transform and no criterion, so these are our own, each with its reason. The dark image
is never resampled, which preserves the noise of its sensor. Pairs must be registered before any
JPEG compression.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, cast

import numpy as np

from benchmark.core.images import Image
from benchmark.registration import criteria, dense, features
from benchmark.registration.criteria import Measurements, RegistrationSettings
from benchmark.registration.dense import Fit
from benchmark.registration.features import Matches
from benchmark.registration.geometry import (
    Matrix,
    Plane,
    corners,
    displacement_px,
    largest_rectangle,
    transform,
    valid_mask,
    warp,
)

Model: TypeAlias = Literal["identity", "translation", "similarity", "homography"]


@dataclass(frozen=True)
class Registration:
    """The geometry of a pair, and whether it may be used."""

    accepted: bool
    reason: str
    """Reason of a refusal: the number and what was expected; empty if accepted."""
    model: Model
    matrix: Matrix
    """float64 (3, 3) from normal-light pixels (x, y, 1) to the dark frame, last element 1. x is the
    column, y the row, and the centre of the first pixel is (0, 0). For a refused pair this is the
    attempted transform, or the identity if there was none."""
    matches: int
    inliers: int
    rmse_px: float
    """Symmetric transfer error of the inliers in pixels; NaN if no transform was found."""
    overlap: float
    """Share of the dark frame that the warped image fills, 0 to 1; NaN if no transform was
    found."""
    max_displacement_px: float
    """Largest displacement in the image in pixels; NaN if no transform was found. For "identity"
    this and `rmse_px` belong to the estimated transform, which was too small to be applied."""
    evidence: Measurements
    """All measurements, including those above."""

    @property
    def inlier_ratio(self) -> float:
        """Share of the matches that are inliers; NaN if there are no matches."""
        return self.inliers / self.matches if self.matches else math.nan


class Registered(NamedTuple):
    """A pair of equal size that shows the same scene pixel by pixel.

    Attributes:
        dark: What is left of the dark image, (H, W, 3).
        normal: The normal-light image in the frame of the dark one, the same shape.
        left: Column of the whole dark image at which both begin, in pixels.
        top: Likewise the row.
    """

    dark: Image
    normal: Image
    left: int = 0
    top: int = 0


def register(dark: Image, normal: Image, settings: RegistrationSettings, seed: int) -> Registration:
    """Estimate the transform of a normal-light image into the frame of its dark image.

    Args:
        dark: float32 (H, W, 3) in [0, 1], uncompressed.
        normal: The same scene; its size may differ as far as the criteria allow.
        settings: Thresholds of estimation and acceptance.
        seed: Seed of RANSAC; the same seed gives the same registration.

    Returns:
        The registration, which is refused with a reason if the pair cannot be trusted.
    """
    planes = normalised(dark, normal, settings)
    pairs = features.matches(*planes, settings.max_keypoints, settings.ratio)

    def estimate(flat_dark: Plane, flat_normal: Plane) -> Fit:
        start = features.consensus(
            pairs, settings.inlier_px, settings.max_trials, settings.confidence, seed
        )
        return align(flat_dark, flat_normal, pairs, start, settings)

    return judge(*planes, pairs, estimate, settings)


def normalised(dark: Image, normal: Image, settings: RegistrationSettings) -> tuple[Plane, Plane]:
    """Return brightness-normalised grey copies of dark and normal, used only for measuring."""
    first, second = (
        features.normalise(image, settings.denoise_px, settings.median) for image in (dark, normal)
    )
    return first, second


def judge(
    dark: Plane,
    normal: Plane,
    pairs: Matches,
    estimate: Callable[[Plane, Plane], Fit],
    settings: RegistrationSettings,
) -> Registration:
    """Apply all criteria to matches and to the transform that an estimator derives from them.

    Args:
        dark: Brightness-normalised dark image, (H, W).
        normal: Brightness-normalised normal-light image.
        pairs: Matched keypoints from any detector.
        estimate: Function from the flattened dark and normal-light images to a transform; it is
            called only if there are enough matches.
        settings: The thresholds.
    """
    evidence = Measurements(len(pairs.dark), criteria.cells(pairs.dark, dark.shape))
    if reason := criteria.refusal(evidence, settings):
        return _refused(reason, evidence)
    flat_dark, flat_normal = dense.flatten(dark), dense.flatten(normal)
    fit = estimate(flat_dark, flat_normal)
    evidence = criteria.geometry(evidence, fit.matrix, pairs, dark.shape, normal.shape, settings)
    moved_px = displacement_px(fit.matrix, normal.shape)
    if moved_px < settings.identity_px:
        fit = Fit("identity", np.eye(3), fit.correlation)
    if not (reason := criteria.refusal(evidence, settings)):
        evidence = criteria.after_warping(evidence, flat_dark, flat_normal, fit.matrix)
        evidence = criteria.scene(evidence, dark, normal, fit.matrix)
        reason = criteria.refusal(evidence, settings)
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
        evidence=evidence,
    )


def _refused(reason: str, evidence: Measurements) -> Registration:
    """Return the record of a pair for which no transform was estimated."""
    unknown = (math.nan, math.nan, math.nan)
    return Registration(
        False, reason, "identity", np.eye(3), evidence.matches, 0, *unknown, evidence
    )


def align(
    dark: Plane, normal: Plane, pairs: Matches, start: Matrix, settings: RegistrationSettings
) -> Fit:
    """Refine a start within each family and return the simplest transform that suffices.

    Args:
        dark: Flattened dark image, (H, W).
        normal: The same of the normal-light image.
        pairs: Matches that the transforms are compared on.
        start: Normal-light to dark, a few pixels off at most.
        settings: What suffices. A homography of more perspective than a pair may have follows
            noise (a dark, flat picture leaves its corners free), so a simpler one stands for it.
    """
    fits = _fits(dark, normal, start)
    plausible = tuple(
        fit
        for fit in fits
        if criteria.perspective(fit.matrix, normal.shape) <= settings.max_perspective
    )
    return _simplest(plausible, pairs, settings)


def _fits(dark: Plane, normal: Plane, start: Matrix) -> tuple[Fit, Fit, Fit]:
    """Align densely within each family of transforms, simplest first."""
    prepared = dense.template(normal)
    similarity = dense.refine(dark, prepared, start, "similarity")
    centre = corners(normal.shape).mean(axis=0)
    shift = np.eye(3)
    shift[:2, 2] = transform(similarity.matrix, centre[None])[0] - centre
    return (
        dense.refine(dark, prepared, shift, "translation"),
        similarity,
        dense.refine(dark, prepared, similarity.matrix, "homography"),
    )


def _simplest(fits: tuple[Fit, ...], pairs: Matches, settings: RegistrationSettings) -> Fit:
    """Return the simplest transform that is nearly as good as the best, else the best aligned."""
    inliers = [
        int((features.transfer_error(fit.matrix, pairs) < settings.inlier_px).sum()) for fit in fits
    ]
    left = [1.0 - fit.correlation**2 if fit.correlation > 0.0 else 1.0 for fit in fits]
    for fit, count, rest in zip(fits, inliers, left, strict=True):
        agrees = count >= settings.inlier_share * max(inliers)
        if agrees and rest <= settings.unexplained * min(left):
            return fit
    return fits[int(np.argmin(left))]


def apply(dark: Image, normal: Image, registration: Registration) -> Registered:
    """Warp the normal-light image into the dark frame and crop both to their common area.

    Args:
        dark: float32 (H, W, 3) in [0, 1]; its pixel values are not changed.
        normal: The image that was registered to it.
        registration: Accepted result of `register`.

    Returns:
        Both images over the largest rectangle that the warped image fills; for "identity" the
        inputs, cropped to a common size if they differ.

    Raises:
        ValueError: The registration was refused.
    """
    if not registration.accepted:
        raise ValueError(f"A refused registration cannot be applied ({registration.reason}).")
    if registration.model != "identity":
        crop = largest_rectangle(valid_mask(registration.matrix, dark.shape, normal.shape))
        warped = warp(normal, registration.matrix, dark.shape)[crop]
        corner = {"left": crop[1].start, "top": crop[0].start}
        return Registered(dark[crop].copy(), np.clip(warped, 0.0, 1.0), **corner)
    if dark.shape == normal.shape:
        return Registered(dark, normal)
    height, width = (min(sides) for sides in zip(dark.shape[:2], normal.shape[:2], strict=True))
    return Registered(dark[:height, :width].copy(), normal[:height, :width].copy())
