"""Definitions of average precision on faces: our own and those of other evaluation tools.

Published numbers of dark faces use one of these definitions and seldom say which. All of them pool
the detections of all images, match every detection to at most one face and every face to at most
one detection, and leave out detections of ignored regions. They differ in how the area under the
curve is sampled; COCO's definition also differs in how it treats a second detection of a face and
detections of faces that do not count.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from benchmark.core.errors import InputError
from benchmark.data.labels.boxes import Boxes
from benchmark.faces import average_precision, matching
from benchmark.faces.average_precision import Pool
from benchmark.faces.matching import Matched

RECALLS = (0.15, 0.2, 0.25)
"""Recalls at which precision is reported, as in Fig. 11: the end of the paper's "high recall
range"."""
_THRESHOLDS = 1000
_COCO_LARGEST_IOU = 1 - 1e-10


def all_point(pooled: Pool) -> float:
    """Compute the area under the envelope through all points, our headline AP."""
    return average_precision.average_precision(*average_precision.curve_of(pooled))


def df1000(pooled: Pool) -> float:
    """Compute the AP of DARK FACE's evaluation tool, a derivative of WIDER FACE's.

    Scores are rescaled to [0, 1] over the whole submission, the curve has one point for each of the
    thresholds 0.999, 0.998, ... 0, and the AP is the area under its envelope. The tool reads boxes
    as x, y, width, height, although the set's labels are corners; here both are corners. Detections
    of ignored regions are used only for rescaling, as in WIDER FACE's tool.
    """
    if not len(pooled.scores):
        return 0.0
    every = np.concatenate([pooled.scores, pooled.ignored])
    low, high = every.min(), every.max()
    span = high - low
    normal = (pooled.scores - low) / span if span > 0 else np.ones_like(pooled.scores)
    thresholds = 1.0 - np.arange(1, _THRESHOLDS + 1) / _THRESHOLDS
    proposals = np.searchsorted(-normal, -thresholds, side="right")  # scores at or above each
    true = np.concatenate([[0], np.cumsum(pooled.hits)])[proposals]
    precision = true / np.maximum(proposals, 1)
    return average_precision.average_precision(true / pooled.faces.sum(), precision)


def voc11(pooled: Pool) -> float:
    """Compute the mean of the envelope at the recalls 0, 0.1, ... 1 (PASCAL VOC 2007 to 2009)."""
    return _sampled(pooled, np.arange(11) / 10)


def coco101(truth: Mapping[str, Boxes], detections: Mapping[str, Boxes], iou: float) -> float:
    """Compute COCO's AP at one overlap: 101 sampled recalls, and COCO's matching.

    In COCO's matching a detection takes the free face that it overlaps most, so that the second
    detection of a face may move on to a neighbour; among equal overlaps the last face wins (Lin et
    al., ECCV 2014, and its tool). All given detections count, whereas the tool keeps 100 per image
    by default.

    Raises:
        InputError: As in `average_precision.pool`.
        ValueError: `iou` is out of range.
    """
    pooled = average_precision.pool(truth, detections, iou, coco_match)
    return _sampled(pooled, np.linspace(0, 1, 101))


def coco_match(truth: Boxes, detections: Boxes, iou: float) -> Matched:
    """Match the detections of one image as COCO's tool does; see `matching.match`.

    A detection without a face may take an ignored region: a crowd any number of times, a face that
    does not count only once.
    """
    hits, ignored = (np.zeros(len(detections), dtype=np.bool_) for _ in range(2))
    order = np.argsort(-detections.scores, kind="stable")
    boxes, regions = detections.boxes[order], truth.ignored
    faces = matching.overlaps(boxes, truth.boxes)
    others = np.where(
        regions.crowd,
        matching.shares(boxes, regions.boxes),
        matching.overlaps(boxes, regions.boxes),
    )
    least = min(iou, _COCO_LARGEST_IOU)
    free, left = np.ones(len(truth), np.bool_), np.ones(len(regions), np.bool_)
    near = np.concatenate([faces, others], axis=1).max(axis=1, initial=0.0) >= least
    for place in np.flatnonzero(near):
        if (face := _taken(faces[place], free, least)) is not None:
            free[face] = False
            hits[order[place]] = True
        elif (region := _taken(others[place], left, least)) is not None:
            left[region] = regions.crowd[region]
            ignored[order[place]] = True
    return Matched(hits, ignored)


def _taken(row: NDArray[np.float64], free: NDArray[np.bool_], least: float) -> int | None:
    """Return the last of the free boxes with the largest overlap of at least `least`, or None."""
    if not free.any():
        return None
    overlap = np.where(free, row, -1.0)
    best = len(row) - 1 - int(overlap[::-1].argmax())
    return best if overlap[best] >= least else None


def _sampled(pooled: Pool, recalls: NDArray[np.float64]) -> float:
    return float(np.mean(precision_at(pooled, recalls.tolist())))


def precision_at(pooled: Pool, recalls: Sequence[float]) -> NDArray[np.float64]:
    """Return the enveloped precision at recalls: the best precision at each recall or beyond.

    Args:
        pooled: Matched detections.
        recalls: Recalls in [0, 1].

    Returns:
        (recalls,), [0, 1]; 0 beyond the end of the curve.
    """
    recall, precision = average_precision.curve_of(pooled)
    envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return np.asarray(envelope[np.searchsorted(recall, np.asarray(recalls), side="left")])


_Score = Callable[[Mapping[str, Boxes], Mapping[str, Boxes], float], float]


def _of_pool(statistic: Callable[[Pool], float]) -> _Score:
    return lambda truth, detections, iou: statistic(average_precision.pool(truth, detections, iou))


PROTOCOLS: Mapping[str, _Score] = MappingProxyType(
    {
        "all_point": _of_pool(all_point),
        "df1000": _of_pool(df1000),
        "coco101": coco101,
        "voc11": _of_pool(voc11),
    }
)
"""Name -> function that returns the AP of labels and detections at an IoU; the first is the
headline."""


def named(protocol: str) -> _Score:
    """Return the protocol with this name.

    Raises:
        InputError: There is no such protocol.
    """
    if protocol not in PROTOCOLS:
        raise InputError(f"Protocol must be one of {', '.join(PROTOCOLS)}, but got {protocol!r}.")
    return PROTOCOLS[protocol]


def score(
    protocol: str, truth: Mapping[str, Boxes], detections: Mapping[str, Boxes], iou: float
) -> float:
    """Compute the AP of a set under a protocol.

    Raises:
        InputError: There is no such protocol; or as in `average_precision.pool`.
        ValueError: `iou` is out of range.
    """
    return named(protocol)(truth, detections, iou)
