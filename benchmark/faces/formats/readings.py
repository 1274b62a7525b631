"""Check how the numbers of boxes must be read.

The public labels of DARK FACE are corners (x0 y0 x1 y1), its evaluation tool reads x y width
height, some tools write the score first, others use fractions of the image. A file that is read
wrongly scores near 0 without any error, so the reading is checked against the labels.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.core.console import shown
from benchmark.core.errors import InputError
from benchmark.data.labels.boxes import Boxes
from benchmark.faces import average_precision, matching

Layout: TypeAlias = Literal["xyxy", "xywh"]
"""Layout of a box in pixels: corners x0 y0 x1 y1, or x y width height."""
Raw: TypeAlias = Mapping[str, NDArray[np.float64]]
"""Image -> (n, 5): the numbers of each box as in the file, with the score last."""

_LOOKED_AT = 20_000
"""Number of best boxes that are used to check the reading."""
_FACTOR = 2.0
"""Factor by which another reading must fit the labels better for a file to be refused."""


class Reading(NamedTuple):
    """One way to read the five numbers of a box.

    Attributes:
        title: Description for messages.
        layout: Layout of the box.
        score: Index of the score.
    """

    title: str
    layout: Layout
    score: int = 4

    def boxes(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return corners (n, 4); if the reading is wrong, x1 < x0 or y1 < y0 may occur."""
        corners = np.delete(numbers, self.score, axis=1)
        if self.layout == "xywh":
            corners[:, 2:] += corners[:, :2]
        return corners


LAYOUTS: Mapping[Layout, Reading] = {
    "xyxy": Reading("x0 y0 x1 y1 score", "xyxy"),
    "xywh": Reading("x y width height score", "xywh"),
}
_SCORE_FIRST = (
    Reading("score x0 y0 x1 y1", "xyxy", 0),
    Reading("score x y width height", "xywh", 0),
)


def read(path: Path, raw: Raw, layout: Layout, truth: Mapping[str, Boxes]) -> dict[str, Boxes]:
    """Convert numbers to boxes, unless another reading of the numbers fits the labels better.

    Args:
        path: The file, for messages.
        raw: Image of the labels -> numbers.
        layout: The layout with which to read them.
        truth: Image name -> labelled faces.

    Raises:
        InputError: Another reading has more than twice as many boxes on labelled faces (IoU 0.5),
            or a box has x1 < x0 or y1 < y0.
    """
    chosen = LAYOUTS[layout]
    hits = _met(raw, chosen, truth)
    for reading in (*LAYOUTS.values(), *_SCORE_FIRST):
        other_hits = _met(raw, reading, truth)
        if other_hits > _FACTOR * hits:
            raise InputError(
                f"{shown(path)} read as {chosen.title} meets {hits} labelled faces, read as "
                f"{reading.title} it meets {other_hits}: {_remedy(reading)}."
            )
    return {name: _faces(path, numbers, chosen) for name, numbers in raw.items()}


def _remedy(meant: Reading) -> str:
    if meant.score == 0:
        return "put the score last in every line"
    return f"if the file holds {meant.title}, say so with `--boxes {meant.layout}`, else correct it"


def _faces(path: Path, numbers: NDArray[np.float64], reading: Reading) -> Boxes:
    corners = reading.boxes(numbers)
    turned = np.flatnonzero((corners[:, 2:] < corners[:, :2]).any(axis=1))
    if len(turned):
        alternative = next(candidate for candidate in LAYOUTS.values() if candidate is not reading)
        raise InputError(
            f"{shown(path)} holds the box {numbers[turned[0], :4].tolist()}, which has no extent "
            f"as {reading.title}: {_remedy(alternative)}."
        )
    return Boxes(corners, np.ascontiguousarray(numbers[:, 4]))


def _met(raw: Raw, reading: Reading, truth: Mapping[str, Boxes]) -> int:
    """Count the boxes that overlap a labelled face by half or more, on some of the images."""
    met = looked_at = 0
    for name, faces in truth.items():
        numbers = raw.get(name, np.empty((0, 5)))
        boxes = reading.boxes(numbers[np.argsort(-numbers[:, reading.score], kind="stable")])
        whole = boxes[(boxes[:, 2:] >= boxes[:, :2]).all(axis=1)]
        if len(whole) and len(faces):
            met += int((matching.overlaps(faces.boxes, whole).max(axis=1) >= 0.5).sum())
        looked_at += len(boxes)
        if looked_at > _LOOKED_AT:
            break
    return met


def unmet(truth: Mapping[str, Boxes], detections: Mapping[str, Boxes], iou: float) -> str | None:
    """Return a warning if no box overlaps any face, which usually means a wrong file.

    This is not an error: an average precision of 0 is correct for a detector that finds nothing.

    Args:
        truth: Image name -> labelled faces.
        detections: The same image names -> detections.
        iou: Smallest intersection over union of a hit.
    """
    pooled = average_precision.pool(truth, detections, iou)
    if not len(pooled.scores) or pooled.hits.any():
        return None
    boxes, faces = (
        np.concatenate([boxes.boxes for boxes in by_name.values()])
        for by_name in (detections, truth)
    )
    return (
        f"none of {len(boxes)} boxes overlaps a labelled face by {iou:g} or more, so average "
        f"precision is 0: boxes reach from {_extent(boxes)}, faces from {_extent(faces)}; if the "
        "boxes are not in pixels of the labelled images, convert them."
    )


def _extent(boxes: NDArray[np.float64]) -> str:
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return " to ".join(f"({x:g}, {y:g})" for x, y in (low.tolist(), high.tolist()))
