"""Precision-recall curve, average precision (AP) and its bootstrap interval for face boxes.

The protocol is that of PASCAL VOC 2010 and later with one class: the detections of all images are
pooled, sorted by score, and each may claim the one face that it overlaps most (`matching`); the
area is taken under the monotone envelope of the curve through every point (Everingham et al. 2015,
Sec. 4.2).
The paper's "mAP" is this AP, because the one class is "face".
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmark.core import statistics
from benchmark.core.errors import InputError
from benchmark.data.labels.boxes import Boxes
from benchmark.faces.matching import Matched, match

MIN_DRAWS = 100
"""Smallest number of resamples for an interval."""
_AT_ONCE = 2_000_000
"""Largest number of detections times resamples per block: 8 MB of counts."""


class Pool(NamedTuple):
    """The matched detections of all images, best first, without those that do not count.

    Detections of equal score keep the order of the images in the truth, then that of the boxes in
    an image.
    """

    scores: NDArray[np.float64]
    """(n,) in decreasing order."""
    hits: NDArray[np.bool_]
    """(n,) whether the detection is a true positive."""
    images: NDArray[np.int32]
    """(n,) position of the detection's image in the truth."""
    faces: NDArray[np.int64]
    """(images,) number of labelled faces per image, without ignored regions."""
    ignored: NDArray[np.float64]
    """(m,) scores of the detections that do not count, in the order of the images."""


class PrecisionRecall(NamedTuple):
    """The raw precision-recall curve with one point per detection, without envelope."""

    recall: NDArray[np.float64]
    """(n,) rising, [0, 1]."""
    precision: NDArray[np.float64]
    """(n,) [0, 1]."""


class Curve(NamedTuple):
    """A precision-recall curve with its scores, AP and numbers of faces and images."""

    recall: NDArray[np.float64]
    """(n,) rising, [0, 1]."""
    precision: NDArray[np.float64]
    """(n,) [0, 1], without envelope."""
    scores: NDArray[np.float64]
    """(n,) in decreasing order: the score threshold of each point."""
    ap: float
    """All-point average precision, [0, 1]."""
    faces: int
    """Number of labelled faces in all images."""
    images: int
    """Number of images, including those without a face or a detection."""


def pool(
    truth: Mapping[str, Boxes],
    detections: Mapping[str, Boxes],
    iou: float,
    matching: Callable[[Boxes, Boxes, float], Matched] = match,
) -> Pool:
    """Match image by image and sort the detections of all images by score.

    Args:
        truth: Image name -> labelled faces, possibly none; its order breaks ties.
        detections: The same image names -> detections, an empty `Boxes` for none.
        iou: Smallest intersection over union of a hit, (0, 1].
        matching: Function that matches the detections of one image; see `matching.match`.

    Raises:
        InputError: The image names differ, or no image has a face.
        ValueError: `iou` is out of range.
    """
    _same_images(truth, detections)
    faces = np.array([len(labels) for labels in truth.values()], dtype=np.int64)
    if faces.sum() == 0:
        raise InputError(
            f"The labels of {len(truth)} images hold no face, expected one at least:"
            " recall is undefined, give images with faces."
        )
    found = [detections[image] for image in truth]
    matched = [matching(truth[image], detections[image], iou) for image in truth]
    hits = np.concatenate([one.hits for one in matched])
    ignored = np.concatenate([one.ignored for one in matched])
    scores = np.concatenate([one.scores for one in found])
    images = np.repeat(np.arange(len(found), dtype=np.int32), [len(one) for one in found])
    order = np.argsort(-scores, kind="stable")
    order = order[~ignored[order]]
    return Pool(scores[order], hits[order], images[order], faces, scores[ignored])


def _same_images(truth: Mapping[str, Boxes], detections: Mapping[str, Boxes]) -> None:
    unlabelled = [image for image in detections if image not in truth]
    if unlabelled:
        raise InputError(
            f"{len(unlabelled)} of {len(detections)} images with detections have no labels"
            f" (the first is {unlabelled[0]}): add the labels or leave the images out."
        )
    unseen = [image for image in truth if image not in detections]
    if unseen:
        raise InputError(
            f"{len(unseen)} of {len(truth)} labelled images have no detections entry"
            f" (the first is {unseen[0]}): run the detector on every image;"
            " one in which it finds nothing counts as an empty entry."
        )


def curve_of(pooled: Pool) -> PrecisionRecall:
    """Compute the raw curve of pooled detections."""
    return precision_recall(pooled.hits, int(pooled.faces.sum()))


def precision_recall(hits: NDArray[np.bool_], faces: int) -> PrecisionRecall:
    """Compute the raw curve of detections that are sorted by decreasing score.

    Args:
        hits: (n,) whether each detection is a true positive.
        faces: Number of labelled faces, at least 1.

    Raises:
        ValueError: `faces` is not positive.
    """
    if faces < 1:
        raise ValueError(f"Argument `faces` must be positive, but got {faces}.")
    true = np.cumsum(hits, dtype=np.int64)
    return PrecisionRecall(true / faces, true / np.arange(1, len(hits) + 1))


def average_precision(recall: NDArray[np.float64], precision: NDArray[np.float64]) -> float:
    """Integrate the monotone envelope of the curve over recall, through all points.

    The envelope at a recall is the best precision at that recall or beyond it, and 0 beyond the
    last point (the definition of VOC 2010+, instead of 11 or 101 sampled recalls).

    Args:
        recall: (n,) in increasing order, [0, 1].
        precision: (n,) [0, 1].

    Returns:
        [0, 1]; 0 without points.
    """
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope))


def evaluate(truth: Mapping[str, Boxes], detections: Mapping[str, Boxes], iou: float) -> Curve:
    """Compute the curve and AP of a whole set at one IoU; see `pool` for arguments and errors."""
    pooled = pool(truth, detections, iou)
    recall, precision = curve_of(pooled)
    ap = average_precision(recall, precision)
    faces = int(pooled.faces.sum())
    return Curve(recall, precision, pooled.scores, ap, faces, len(pooled.faces))


def ap_interval(
    truth: Mapping[str, Boxes],
    detections: Mapping[str, Boxes],
    iou: float,
    seed: int,
    draws: int = 1000,
    level: float = statistics.LEVEL,
) -> statistics.Interval:
    """Bootstrap the average precision over images.

    Images rather than boxes are drawn, because the boxes of an image share its light and its noise.
    Resamples without any face have no AP and are left out.

    Args:
        truth: Image name -> labelled faces.
        detections: The same image names -> detections.
        iou: Smallest intersection over union of a hit, (0, 1].
        seed: Seed of the draws.
        draws: Number of resamples, at least 100.
        level: Coverage probability of the interval, (0, 1).

    Raises:
        InputError: As in `pool`.
        ValueError: `iou`, `draws` or `level` is out of range.
    """
    if draws < MIN_DRAWS:
        raise ValueError(f"Argument `draws` must be at least {MIN_DRAWS}, but got {draws}.")
    if not 0.0 < level < 1.0:
        raise ValueError(f"Argument `level` must be in (0, 1), but got {level}.")
    weighted = Weighted(pool(truth, detections, iou))
    aps = weighted.aps(draw_images(weighted.faces, seed, draws))
    return statistics.percentile_interval(aps, level)


def draw_images(faces: NDArray[np.int64], seed: int, draws: int) -> Iterator[NDArray[np.int32]]:
    """Yield per resample how often each image is drawn; resamples without a face are left out.

    Args:
        faces: (images,) number of labelled faces per image.
        seed: Seed of the draws, which should be the same for all methods on the same images.
        draws: Number of resamples.
    """
    for drawn in statistics.resamples(len(faces), seed, draws):
        times = np.bincount(drawn, minlength=len(faces))
        if times @ faces > 0:
            yield times.astype(np.int32)


class Weighted:
    """Pooled detections for computing the AP with weighted images.

    Args:
        pooled: The detections.

    Attributes:
        faces: (images,) number of labelled faces per image.
    """

    def __init__(self, pooled: Pool) -> None:
        self.faces = pooled.faces
        self._images = pooled.images
        # The area follows from the points at true positives: the others lie below, at equal
        # recall. A segment ends with a true positive; what follows the last one does not matter.
        hits = np.flatnonzero(pooled.hits)
        self._of_hits = pooled.images[hits]
        self._starts = np.concatenate([[0], hits[:-1] + 1]) if len(hits) else hits
        self._end = int(hits[-1]) + 1 if len(hits) else 0

    def ap(self, times: NDArray[np.int32]) -> float:
        """Compute the all-point AP of a set in which image i occurs times[i] times."""
        return float(self.aps([times])[0])

    def aps(self, draws: Iterable[NDArray[np.int32]]) -> NDArray[np.float64]:
        """Compute the AP of many such sets, one per element of `draws`."""
        size = max(1, _AT_ONCE // max(self._end, 1))
        waiting = iter(draws)
        made = []
        while batch := list(itertools.islice(waiting, size)):
            made.append(self._batch(np.stack(batch)))
        return np.concatenate(made) if made else np.empty(0)

    def _batch(self, times: NDArray[np.int32]) -> NDArray[np.float64]:
        if not self._end:
            return np.zeros(len(times))
        true = np.cumsum(times[:, self._of_hits], axis=1, dtype=np.int64)  # (draws, hits)
        parts = np.add.reduceat(times[:, self._images[: self._end]], self._starts, axis=1)
        seen = np.maximum(np.cumsum(parts, axis=1, dtype=np.int64), 1)  # 0 before any drawn image
        recall = true / (times @ self.faces)[:, None]
        envelope = np.maximum.accumulate((true / seen)[:, ::-1], axis=1)[:, ::-1]
        area: NDArray[np.float64] = np.sum(np.diff(recall, prepend=0.0, axis=1) * envelope, axis=1)
        return area
