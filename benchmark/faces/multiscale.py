"""Detectors at the image's own scale or at several scales with box voting; PyramidBox as both.

The choice changes AP more than most enhancers do, so tables state it. Published evaluations of
PyramidBox on WIDER FACE test at several scales; Table VII does not say what it used.
"""

from collections.abc import Callable, Sequence

import numpy as np
import PIL.Image
import torch

from benchmark.core.images import Image, to_float, to_uint8
from benchmark.data.labels.boxes import Boxes, Detector
from benchmark.faces import anchors, matching
from benchmark.faces.pyramidbox import LEVELS, PyramidBox

OVERLAP = 0.3
"""IoU threshold of suppression and of voting, as in the public tests."""
SCALES = (0.5, 1.0, 2.0)
"""Scales of the multi-scale test; at scale 1 the mirrored image is tested as well."""
ENLARGED = (1.0, 2.0)
"""Scales at which other detectors look for small faces: half of DARK FACE's are below 10 pixels."""
ENLARGED_PIXELS = 8_000_000
MOST_PIXELS = 1_700_000
"""Largest enlarged image in pixels, as in the port's test; larger scales are left out."""


def single(network: PyramidBox, floor: float = 0.01) -> Detector:
    """Build the single-scale detector, which runs once at the image's own scale."""
    network.eval()

    def detect(image: Image) -> Boxes:
        height, width, _ = image.shape
        kept = anchors.suppressed(look(network, image, floor), OVERLAP)
        return anchors.tidy(kept.boxes, kept.scores, height, width)

    return detect


def multiple(network: PyramidBox, floor: float = 0.01) -> Detector:
    """Build the multi-scale detector, which merges scales and a mirrored image by voting."""
    network.eval()
    return voting(lambda image: look(network, image, floor))


def voting(
    looks: Callable[[Image], Boxes],
    scales: Sequence[float] = SCALES,
    most_pixels: int = MOST_PIXELS,
) -> Detector:
    """Build a detector that merges candidates at several scales and of the mirrored image.

    Args:
        looks: Function that returns the candidates in an image of any size.
        scales: Scale factors.
        most_pixels: Scales that enlarge the image beyond it are left out.
    """

    def detect(image: Image) -> Boxes:
        height, width, _ = image.shape
        mirrored = looks(np.ascontiguousarray(image[:, ::-1]))
        parts = [_flipped(mirrored, width)]
        for scale in scales:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            if scale > 1 and size[0] * size[1] > most_pixels:
                continue
            candidates = looks(image if scale == 1 else _resized(image, size))
            back = np.array([width / size[0], height / size[1]] * 2)
            parts.append(Boxes(candidates.boxes * back, candidates.scores))
        merged = vote(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )
        return anchors.tidy(merged.boxes, merged.scores, height, width)

    return detect


def vote(boxes: np.ndarray, scores: np.ndarray, iou: float = OVERLAP) -> Boxes:
    """Apply box voting: replace each group of overlapping boxes by their score-weighted mean.

    The best remaining box forms a group with all boxes that overlap it by `iou` or more (Gidaris
    and Komodakis, ICCV 2015, Sec. 4.2) and gives the group its score. A single box is kept: the
    port drops it, which loses every face that only one scale found.

    Args:
        boxes: (n, 4) x0, y0, x1, y1.
        scores: (n,).
        iou: Smallest overlap with the best box of a group.

    Returns:
        The merged boxes, best first.
    """
    order = np.argsort(-scores, kind="stable")
    left, sure = boxes[order].astype(np.float64), scores[order].astype(np.float64)
    merged, kept = [], []
    while len(left):
        near = matching.overlaps(left[:1], left)[0] >= iou
        near[0] = True  # also a box without area
        weights = np.maximum(sure[near], np.finfo(np.float64).tiny)
        merged.append(np.average(left[near], axis=0, weights=weights))
        kept.append(sure[0])
        left, sure = left[~near], sure[~near]
    return Boxes(np.array(merged, np.float64).reshape(-1, 4), np.array(kept, np.float64))


def look(network: PyramidBox, image: Image, floor: float) -> Boxes:
    """Return the network's candidates in an image, best first, before any suppression."""
    with torch.inference_mode():
        offsets, scores, sizes = network(anchors.as_input(image))
        boxes = anchors.decode(anchors.squares(LEVELS, sizes), offsets)
        return anchors.candidates(boxes, scores, floor)


def _flipped(detections: Boxes, width: int) -> Boxes:
    x0, y0, x1, y1 = detections.boxes.T
    return Boxes(np.stack([width - x1, y0, width - x0, y1], axis=1), detections.scores)


def _resized(image: Image, size: tuple[int, int]) -> Image:
    picture = PIL.Image.fromarray(to_uint8(image))
    return to_float(np.asarray(picture.resize(size, PIL.Image.Resampling.BILINEAR), np.uint8))
