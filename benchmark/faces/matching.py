"""Overlap of boxes, and matching of the detections of one image to its faces."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmark.data.labels.boxes import Boxes


class Matched(NamedTuple):
    """Classification of the detections of one image; all others are false positives."""

    hits: NDArray[np.bool_]
    """(n,) true positives."""
    ignored: NDArray[np.bool_]
    """(n,) detections that do not count, because they meet an ignored region."""


def overlaps(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the intersection over union of every pair of boxes.

    Coordinates are continuous: a box is x1 - x0 wide, without the + 1 of inclusive pixels.

    Args:
        boxes: (n, 4) x0, y0, x1, y1.
        others: (m, 4), the same.

    Returns:
        (n, m), [0, 1]; 0 where both boxes have no area.
    """
    shared = _shared(boxes, others)
    return _ratio(shared, _areas(boxes)[:, None] + _areas(others)[None, :] - shared)


def shares(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the share of each box's own area that lies in each of the other boxes.

    Args:
        boxes: (n, 4) x0, y0, x1, y1.
        others: (m, 4), the same.

    Returns:
        (n, m), [0, 1]; 0 for boxes without area.
    """
    shared = _shared(boxes, others)
    return _ratio(shared, np.broadcast_to(_areas(boxes)[:, None], shared.shape))


def _shared(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])  # (n, m, 2)
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.asarray(np.clip(high - low, 0.0, None).prod(axis=2))


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio: NDArray[np.float64] = np.zeros_like(part)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))


def match(truth: Boxes, detections: Boxes, iou: float) -> Matched:
    """Find the true positives among the detections of one image, and those that do not count.

    In order of decreasing score (ties: order of boxes) each detection claims the face that it
    overlaps most (ties: first face). It is a true positive if they overlap by `iou` or more and the
    face has not been claimed in this way before; a second hit on a face is a false positive, even
    if another face is free.

    Faces that do not count take part in the matching, and their detections do not count either, as
    for VOC's difficult objects and WIDER FACE's invalid faces. Other detections of which a share of
    `iou` or more of their own area lies in a crowd do not count either, as in COCO.

    Args:
        truth: The labelled faces.
        detections: The detections, in any order.
        iou: Smallest intersection over union of a hit, (0, 1].

    Returns:
        The classification, in the order of `found`.

    Raises:
        ValueError: `iou` is out of range.
    """
    if not 0.0 < iou <= 1.0:
        raise ValueError(f"Argument `iou` must be in (0, 1], but got {iou}.")
    hits = np.zeros(len(detections), dtype=np.bool_)
    ignored = np.zeros(len(detections), dtype=np.bool_)
    regions, crowd = truth.ignored.boxes, truth.ignored.crowd
    counted = np.concatenate([truth.boxes, regions[~crowd]])
    if len(counted) and len(detections):
        order = np.argsort(-detections.scores, kind="stable")
        table = overlaps(detections.boxes[order], counted)
        claimed = table.argmax(axis=1)
        close = table.max(axis=1) >= iou
        on_face = np.flatnonzero(close & (claimed < len(truth)))
        _, first = np.unique(claimed[on_face], return_index=True)
        hits[order[on_face[first]]] = True
        ignored[order[close & (claimed >= len(truth))]] = True
    if crowd.any() and len(detections):
        inside = shares(detections.boxes, regions[crowd]).max(axis=1) >= iou
        ignored |= inside & ~hits
    return Matched(hits, ignored)
