"""Score boxes against labelled faces: precision-recall curve, average precision, its interval.

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
from numpy.typing import ArrayLike, NDArray

from benchmark.core.errors import InputError
from benchmark.data.labels.boxes import Boxes
from benchmark.faces.matching import Matched, match

MIN_DRAWS = 100
"""Resamples that an interval needs at least."""
_AT_ONCE = 2_000_000
"""Detections times resamples that are worked on together: 8 MB of counts."""


class Pool(NamedTuple):
    """The matched detections of all images, by falling score, without those that do not count.

    Ties keep the order of the images in the truth, then that of the boxes in an image.
    """

    scores: NDArray[np.float64]
    """(n,) falling."""
    hits: NDArray[np.bool_]
    """(n,) whether the detection is a true positive."""
    images: NDArray[np.int32]
    """(n,) position of the detection's image in the truth."""
    faces: NDArray[np.int64]
    """(images,) labelled faces in each image, ignored regions left out."""
    ignored: NDArray[np.float64]
    """(m,) scores of the detections that do not count, in the order of the images."""


class PrecisionRecall(NamedTuple):
    """The raw curve: one point a detection, not enveloped."""

    recall: NDArray[np.float64]
    """(n,) rising, [0, 1]."""
    precision: NDArray[np.float64]
    """(n,) [0, 1]."""


class Curve(NamedTuple):
    """A precision-recall curve with what it was computed from."""

    recall: NDArray[np.float64]
    """(n,) rising, [0, 1]."""
    precision: NDArray[np.float64]
    """(n,) [0, 1], raw: not enveloped."""
    scores: NDArray[np.float64]
    """(n,) falling: the threshold of each point."""
    ap: float
    """All-point average precision, [0, 1]."""
    faces: int
    """Labelled faces in all images."""
    images: int
    """Images, those without a face or a detection included."""


class Interval(NamedTuple):
    """A bootstrap percentile interval."""

    low: float
    high: float


def pool(
    truth: Mapping[str, Boxes],
    detections: Mapping[str, Boxes],
    iou: float,
    matching: Callable[[Boxes, Boxes, float], Matched] = match,
) -> Pool:
    """Match image by image and sort the detections of all images by score.

    Args:
        truth: Image name to labelled faces (none is a value, too); its order breaks ties.
        detections: The same names to detections, an empty `Boxes` where there are none.
        iou: Least intersection over union, (0, 1].
        matching: Tells what the detections of one image are; see `matching.match`.

    Raises:
        InputError: The two name different images, or no image has a face.
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
    """Compute the raw curve of detections sorted by falling score.

    Args:
        hits: (n,) whether each detection is a true positive.
        faces: Labelled faces, at least 1.

    Raises:
        ValueError: `faces` is not positive.
    """
    if faces < 1:
        raise ValueError(f"Argument `faces` must be positive, but got {faces}.")
    true = np.cumsum(hits, dtype=np.int64)
    return PrecisionRecall(true / faces, true / np.arange(1, len(hits) + 1))


def average_precision(recall: NDArray[np.float64], precision: NDArray[np.float64]) -> float:
    """Integrate the monotone envelope of the curve over recall, through all points.

    The precision at a recall is the best one at that recall or beyond it; beyond the last point it
    is 0 (the VOC 2010+ definition, not 11 or 101 sampled recalls).

    Args:
        recall: (n,) rising, [0, 1].
        precision: (n,) [0, 1].

    Returns:
        [0, 1]; 0 without points.
    """
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope))


def evaluate(truth: Mapping[str, Boxes], detections: Mapping[str, Boxes], iou: float) -> Curve:
    """Score the detections of a whole set at one overlap; see `pool` for arguments and errors."""
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
    level: float = 0.95,
) -> Interval:
    """Bootstrap the average precision over images (percentile interval, Efron 1979).

    Images and not boxes are drawn, because the boxes of an image share its light and its noise.
    One seed draws the same images for every method that is scored on the same truth. A draw in
    which no image has a face has no AP and is left out.

    Args:
        truth: Image name to labelled faces.
        detections: The same names to detections.
        iou: Least intersection over union, (0, 1].
        seed: Seed of the draws.
        draws: Resamples, at least 100.
        level: Probability that the interval should cover, (0, 1).

    Raises:
        InputError: As `pool`.
        ValueError: `iou`, `draws` or `level` is out of range.
    """
    if draws < MIN_DRAWS:
        raise ValueError(f"Argument `draws` must be at least {MIN_DRAWS}, but got {draws}.")
    if not 0.0 < level < 1.0:
        raise ValueError(f"Argument `level` must be in (0, 1), but got {level}.")
    weighted = Weighted(pool(truth, detections, iou))
    return interval(weighted.aps(draw_images(weighted.faces, seed, draws)), level)


def interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """Return the middle `level` of resampled values."""
    given = np.asarray(values, dtype=np.float64)
    low, high = np.quantile(given, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def draw_images(faces: NDArray[np.int64], seed: int, draws: int) -> Iterator[NDArray[np.int32]]:
    """Yield how often each image is drawn, resample by resample; resamples without a face are not.

    Args:
        faces: (images,) labelled faces in each.
        seed: Of the draws; equal for every method on the same images.
        draws: Resamples.
    """
    random = np.random.default_rng(seed)
    images = len(faces)
    for _ in range(draws):
        times = np.bincount(random.integers(images, size=images), minlength=images)
        if times @ faces > 0:
            yield times.astype(np.int32)


class Weighted:
    """Pooled detections whose images count several times or not at all.

    Args:
        pooled: The detections.

    Attributes:
        faces: (images,) labelled faces in each image.
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
        """Return the all-point AP of the set in which image i occurs times[i] times."""
        return float(self.aps([times])[0])

    def aps(self, draws: Iterable[NDArray[np.int32]]) -> NDArray[np.float64]:
        """Return the AP of many such sets, one an element of `draws`."""
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
