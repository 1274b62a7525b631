"""PyramidBox as a detector: at the image's own scale, or at several with box voting.

Which of the two was used moves AP more than most enhancers do, so tables state it. Published
evaluations of PyramidBox on WIDER FACE test at several scales; Table VII does not say.
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
"""Of the suppression and of the voting, as in the public tests."""
SCALES = (0.5, 1.0, 2.0)
"""Of the multi-scale test; the image is mirrored at scale 1 as well."""
MOST_PIXELS = 1_700_000
"""Of an enlarged image, as in the port's test: larger scales are left out."""


def single(network: PyramidBox, floor: float = 0.01) -> Detector:
    """Build the detector that looks once, at the image's own scale."""
    network.eval()

    def detect(image: Image) -> Boxes:
        height, width, _ = image.shape
        found = anchors.suppressed(look(network, image, floor), OVERLAP)
        return anchors.tidy(found.boxes, found.scores, height, width)

    return detect


def multiple(network: PyramidBox, floor: float = 0.01) -> Detector:
    """Build the detector that looks at several scales and mirrored, and lets boxes vote."""
    network.eval()
    return voting(lambda image: look(network, image, floor))


def voting(looks: Callable[[Image], Boxes], scales: Sequence[float] = SCALES) -> Detector:
    """Build a detector that gathers what one look finds at several scales, and mirrored.

    Args:
        looks: Finds candidates in an image of any size.
        scales: Factors; those that enlarge the image beyond `MOST_PIXELS` are left out.
    """

    def detect(image: Image) -> Boxes:
        height, width, _ = image.shape
        mirrored = looks(np.ascontiguousarray(image[:, ::-1]))
        parts = [_flipped(mirrored, width)]
        for scale in scales:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            if scale > 1 and size[0] * size[1] > MOST_PIXELS:
                continue
            seen = looks(image if scale == 1 else _resized(image, size))
            back = np.array([width / size[0], height / size[1]] * 2)
            parts.append(Boxes(seen.boxes * back, seen.scores))
        merged = vote(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )
        return anchors.tidy(merged.boxes, merged.scores, height, width)

    return detect


def vote(boxes: np.ndarray, scores: np.ndarray, iou: float = OVERLAP) -> Boxes:
    """Replace each group of overlapping boxes by their mean, weighted by score.

    The best box left gathers all that overlap it by `iou` or more (Gidaris and Komodakis, ICCV
    2015, Sec. 4.2) and gives the group its score. A box that stands alone stays: the port drops
    it, which loses every face that one scale alone found.

    Args:
        boxes: (n, 4) x0, y0, x1, y1.
        scores: (n,).
        iou: Least overlap within a group.

    Returns:
        By falling score.
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
    """Return the network's candidates in an image, by falling score, before any suppression."""
    with torch.inference_mode():
        offsets, scores, sizes = network(anchors.as_input(image))
        boxes = anchors.decode(anchors.squares(LEVELS, sizes), offsets)
        return anchors.candidates(boxes, scores, floor)


def _flipped(found: Boxes, width: int) -> Boxes:
    x0, y0, x1, y1 = found.boxes.T
    return Boxes(np.stack([width - x1, y0, width - x0, y1], axis=1), found.scores)


def _resized(image: Image, size: tuple[int, int]) -> Image:
    picture = PIL.Image.fromarray(to_uint8(image))
    return to_float(np.asarray(picture.resize(size, PIL.Image.Resampling.BILINEAR), np.uint8))
