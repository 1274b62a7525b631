"""Paired tests over images of whether a method helps a detector, adjusted for multiple testing.

All methods process the same images, and the boxes of one image share its light and its noise, so
the unit of the tests is the image.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmark.core import statistics
from benchmark.data.labels.boxes import Boxes
from benchmark.faces import average_precision
from benchmark.faces.average_precision import Pool, Weighted


class Difference(NamedTuple):
    """Difference of the AP of two sets of detections.

    Attributes:
        value: AP of the first minus AP of the second.
        low: Lower end of its 95 % interval (bootstrap over images, the same draws for both).
        high: Upper end of the interval.
        p: Two-sided p-value of the randomisation test: how often a difference at least as large
            occurs if the two are exchanged image by image at random.
    """

    value: float
    low: float
    high: float
    p: float


def compare(
    truth: Mapping[str, Boxes],
    ours: Mapping[str, Boxes],
    others: Mapping[str, Boxes],
    iou: float,
    seed: int,
    draws: int = 2000,
) -> Difference:
    """Compare the all-point AP of two sets of detections of the same images.

    Args:
        truth: Image name -> labelled faces.
        ours: The same image names -> first detections.
        others: The same image names -> second detections.
        iou: Smallest intersection over union of a hit.
        seed: Seed of bootstrap and randomisation.
        draws: Number of draws of each.

    Raises:
        InputError: As in `average_precision.pool`.
    """
    first, second = (
        average_precision.pool(truth, detections, iou) for detections in (ours, others)
    )
    weighted_first, weighted_second = Weighted(first), Weighted(second)
    every = np.ones(len(first.faces), dtype=np.int32)
    value = weighted_first.ap(every) - weighted_second.ap(every)
    drawn = list(average_precision.draw_images(first.faces, seed, draws))
    low, high = statistics.percentile_interval(
        weighted_first.aps(drawn) - weighted_second.aps(drawn)
    )
    return Difference(value, low, high, _randomised(first, second, value, seed, draws))


def _randomised(first: Pool, second: Pool, value: float, seed: int, draws: int) -> float:
    """Return the p-value of a difference under random exchange of the two, image by image.

    Edgington and Onghena, "Randomization Tests", 2007: the observed assignment counts as one draw,
    so that p is never 0.
    """
    both, images = _joined(first, second), len(first.faces)
    random = np.random.default_rng(seed)
    swapped = random.integers(2, size=(draws, images), dtype=np.int32)
    chosen = np.concatenate([1 - swapped, swapped], axis=1)  # first's images, then second's
    gaps = both.aps(chosen) - both.aps(1 - chosen)
    extreme = int((np.abs(gaps) >= abs(value) - 1e-12).sum())
    return (extreme + 1) / (draws + 1)


def _joined(first: Pool, second: Pool) -> Weighted:
    """Join two pools into one in which the images of the second are new images."""
    scores = np.concatenate([first.scores, second.scores])
    order = np.argsort(-scores, kind="stable")
    shifted = second.images + np.int32(len(first.faces))
    images: NDArray[np.int32] = np.concatenate([first.images, shifted])[order]
    hits = np.concatenate([first.hits, second.hits])[order]
    faces = np.concatenate([first.faces, second.faces])
    ignored = np.concatenate([first.ignored, second.ignored])
    return Weighted(Pool(scores[order], hits, images, faces, ignored))
