"""Registration by OpenCV's SIFT and USAC_MAGSAC, to compare with; OpenCV is an optional extra."""

import numpy as np

from benchmark.core.images import Image
from benchmark.registration.criteria import RegistrationSettings
from benchmark.registration.dense import Fit
from benchmark.registration.features import Matches
from benchmark.registration.geometry import Matrix, Plane
from benchmark.registration.register import Registration, judge, normalised

try:
    import cv2
except ImportError:  # the comparison is left out, and the report says so
    cv2 = None


def version() -> str:
    """Return the version of OpenCV; empty where it is not installed."""
    return "" if cv2 is None else str(cv2.__version__)


def register(
    dark: Image,
    normal: Image,
    settings: RegistrationSettings,
    seed: int,
    contrast: float,
    ratio: float,
) -> Registration:
    """Register on the copies that SURF sees, under the same criteria.

    Args:
        dark: float32 (H, W, 3) in [0, 1].
        normal: The same.
        settings: Those of `benchmark.registration.register.register`.
        seed: Of USAC_MAGSAC.
        contrast: Least contrast of a keypoint.
        ratio: Largest distance of a match over that of the second best.
    """
    cv2.setNumThreads(1)
    cv2.setRNGSeed(seed)
    planes = normalised(dark, normal, settings)
    pairs = matches(*planes, settings.max_keypoints, contrast, ratio)

    def estimate(*_: Plane) -> Fit:
        matrix, _ = cv2.findHomography(
            pairs.normal,
            pairs.dark,
            cv2.USAC_MAGSAC,
            settings.inlier_px,
            maxIters=10 * settings.max_trials,
            confidence=settings.confidence,
        )
        usable = matrix is not None and np.linalg.matrix_rank(matrix) == 3
        start: Matrix = matrix / matrix[2, 2] if usable else np.eye(3)
        return Fit("homography", start, 0.0)

    return judge(*planes, pairs, estimate, settings)


def matches(
    dark: Plane, normal: Plane, max_keypoints: int, contrast: float, ratio: float
) -> Matches:
    """Match SIFT keypoints both ways with the ratio test, as many at most as SURF gets."""
    detector = cv2.SIFT_create(
        nfeatures=max_keypoints,
        contrastThreshold=contrast,
        enable_precise_upscale=True,
    )
    found = [
        detector.detectAndCompute(np.rint(p * 255.0).astype(np.uint8), None) for p in (normal, dark)
    ]
    if min(len(points) for points, _ in found) < 2:
        return Matches(np.empty((0, 2)), np.empty((0, 2)))
    (first, a), (second, b) = found
    matcher = cv2.BFMatcher(cv2.NORM_L2)
    back = {m.queryIdx: m.trainIdx for m in matcher.match(b, a)}
    kept = [
        best
        for best, runner_up in matcher.knnMatch(a, b, k=2)
        if best.distance < ratio * runner_up.distance and back[best.trainIdx] == best.queryIdx
    ]
    sides = ((first, [m.queryIdx for m in kept]), (second, [m.trainIdx for m in kept]))
    normal_at, dark_at = (
        np.array([points[i].pt for i in indices], np.float64).reshape(-1, 2)
        for points, indices in sides
    )
    return Matches(normal_at, dark_at)
