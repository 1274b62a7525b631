"""Average precision and precision at high recall of a run, with intervals over images."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from benchmark.data.labels.boxes import Boxes
from benchmark.faces import average_precision
from benchmark.faces.average_precision import Pool
from benchmark.paper.claims.schema import Recall
from benchmark.paper.claims.sources import Difference, Place
from benchmark.tables.cells import DARK_FACE, BootstrapSettings, DetectionSet
from benchmark.tables.competitors import Competitors

DRAWS = 300
"""Largest number of resamples of the images, each of which integrates every curve again."""
POINTS = 50
"""Number of recalls at which precision is averaged."""


class FaceCurves:
    """Curves of one track.

    Args:
        truth: Image -> labelled faces.
        found: What the detector found.
        field: The chains whose rows count.
        resampling: Of the images.
    """

    def __init__(
        self,
        truth: Mapping[str, Boxes],
        detection_sets: Iterable[DetectionSet],
        field: Competitors,
        resampling: BootstrapSettings,
    ) -> None:
        self._truth = truth
        self._detections = {
            (entry.chain, entry.qf): entry.detections
            for entry in detection_sets
            if field.tracks.get(entry.chain) == entry.track
        }
        faces = np.array([len(labels) for labels in truth.values()])
        drawn = average_precision.draw_images(faces, resampling.seed, min(resampling.draws, DRAWS))
        self._times = [np.ones(len(truth), np.int32), *drawn]
        self._pools: dict[tuple[str, int, float], Pool] = {}
        self._aps: dict[tuple[str, int, float], NDArray[np.float64]] = {}

    def _pool(self, chain: str, qf: int, iou: float) -> Pool | None:
        if (chain, qf) not in self._detections:
            return None
        key = (chain, qf, iou)
        if key not in self._pools:
            self._pools[key] = average_precision.pool(self._truth, self._detections[chain, qf], iou)
        return self._pools[key]

    def ap(self, ours: str, theirs: str, at: Place, by: float) -> Difference | None:
        """Return the difference of two chains' average precision, minus `by`."""
        if at.dataset != DARK_FACE:
            return None
        iou = float(at.metric.partition("@")[2])
        first, second = (self._ap(chain, at.qf, iou) for chain in (ours, theirs))
        if first is None or second is None:
            return None
        return self._difference(first - second - by)

    def _ap(self, chain: str, qf: int, iou: float) -> NDArray[np.float64] | None:
        pooled = self._pool(chain, qf, iou)
        if pooled is None:
            return None
        key = (chain, qf, iou)
        if key not in self._aps:
            curves = (_curve(pooled, times) for times in self._times)
            self._aps[key] = np.array(
                [average_precision.average_precision(*curve) for curve in curves]
            )
        return self._aps[key]

    def recall(self, chains: tuple[str, str], predicate: Recall) -> Difference | None:
        """Return the difference of two chains' mean precision at high recall."""
        pools = [self._pool(chain, predicate.qf, predicate.iou) for chain in chains]
        if pools[0] is None or pools[1] is None:
            return None
        reach = max(
            self._reach(qf, predicate.iou) for _, qf in self._detections if qf == predicate.qf
        )
        recalls = np.linspace(predicate.share * reach, reach, POINTS)
        first, second = (
            np.array([_precision(_curve(pooled, times), recalls) for times in self._times])
            for pooled in (pools[0], pools[1])
        )
        return self._difference(first - second)

    def _reach(self, qf: int, iou: float) -> float:
        """Return the highest recall that any chain reaches."""
        pools = [self._pool(chain, qf, iou) for chain, known in self._detections if known == qf]
        return max(float(pool.hits.sum() / pool.faces.sum()) for pool in pools if pool is not None)

    def _difference(self, apart: NDArray[np.float64]) -> Difference:
        """Return the first value with the interval that the draws after it give."""
        value, draws = float(apart[0]), apart[1:]
        low, high = np.quantile(draws, [0.025, 0.975])
        tail = min(float(np.mean(draws <= 0)), float(np.mean(draws >= 0)))
        p = min(1.0, 2 * max(tail, 1 / len(draws)))
        return Difference(value, float(low), float(high), p, len(self._truth))


def _curve(pooled: Pool, times: NDArray[np.int32]) -> average_precision.PrecisionRecall:
    """Return the curve of the set in which image i occurs times[i] times."""
    hits = np.repeat(pooled.hits, times[pooled.images])
    return average_precision.precision_recall(hits, int(times @ pooled.faces))


def _precision(curve: average_precision.PrecisionRecall, recalls: NDArray[np.float64]) -> float:
    """Return the mean of the envelope at some recalls, 0 beyond the last point of the curve."""
    envelope = np.maximum.accumulate(curve.precision[::-1])[::-1]
    at = np.searchsorted(curve.recall, recalls)  # the first point that reaches each recall
    values: NDArray[np.float64] = np.append(envelope, 0.0)[at]
    mean: np.float64 = values.mean()
    return float(mean)
