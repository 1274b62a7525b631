"""Recall by size of face: what a detector cannot find however well an image is enhanced."""

import itertools
import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmark.data.labels.boxes import Boxes
from benchmark.faces import matching

HEIGHTS_PX = (0.0, 8.0, 16.0, 32.0, math.inf)
"""Ends of the classes of face heights in pixels. Half of DARK FACE's faces are below 10."""


class Found(NamedTuple):
    """Faces of one class of heights.

    Attributes:
        low: Least height in pixels.
        high: Height from which the next class begins; infinite for the last.
        faces: Number of labelled faces.
        found: How many of them some detection overlaps by enough.
    """

    low: float
    high: float
    faces: int
    found: int

    @property
    def recall(self) -> float:
        """Share of the faces that were found; NaN where there are none."""
        return self.found / self.faces if self.faces else math.nan

    @property
    def name(self) -> str:
        """The class in words, such as `8 to 16 px`."""
        if not self.low:
            return f"below {self.high:g} px"
        if math.isinf(self.high):
            return f"from {self.low:g} px"
        return f"{self.low:g} to {self.high:g} px"


def by_height(
    truth: Mapping[str, Boxes], detections: Mapping[str, Boxes], iou: float
) -> list[Found]:
    """Count the faces that any detection overlaps, whatever its score, by their height.

    Args:
        truth: Image -> labelled faces.
        detections: The same images -> detections.
        iou: Least intersection over union, (0, 1].

    Example:
        >>> face = Boxes.labelled(np.array([[0.0, 0.0, 8.0, 10.0]]))
        >>> [found.recall for found in by_height({"a": face}, {"a": face}, 0.5)][1]
        1.0
    """
    heights: list[NDArray[np.float64]] = [np.empty(0)]
    hits: list[NDArray[np.bool_]] = [np.empty(0, dtype=np.bool_)]
    for image, labels in truth.items():
        table = matching.overlaps(labels.boxes, detections[image].boxes)  # (faces, detections)
        hits.append(np.asarray((table >= iou).any(axis=1)))
        heights.append(labels.boxes[:, 3] - labels.boxes[:, 1])
    tall, hit = np.concatenate(heights), np.concatenate(hits)
    classes = []
    for low, high in itertools.pairwise(HEIGHTS_PX):
        inside = (tall >= low) & (tall < high)
        classes.append(Found(low, high, int(inside.sum()), int((inside & hit).sum())))
    return classes
