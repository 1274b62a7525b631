"""Whether the numbers of boxes are what they are taken for.

The public labels of DARK FACE are corners (x0 y0 x1 y1), its evaluation tool reads x y width
height, some tools write the score first, others fractions of the image. Such a file scores near 0
without any error, so the reading is checked against the labels.
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
"""Corners x0 y0 x1 y1, or x y width height; pixels."""
Raw: TypeAlias = Mapping[str, NDArray[np.float64]]
"""Image -> (n, 5): the numbers of each box as the file has them, the score last."""

_LOOKED_AT = 20_000
"""Boxes that the reading is judged by, the best ones."""
_FACTOR = 2.0
"""How many times better another reading must fit the labels for a file to be refused."""


class Reading(NamedTuple):
    """One way to read five numbers.

    Attributes:
        title: For messages.
        layout: Of the box.
        score: Place of the score.
    """

    title: str
    layout: Layout
    score: int = 4

    def boxes(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return corners (n, 4); those of a box read wrongly may be turned."""
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
    """Return detections as boxes, unless another reading of their numbers fits the labels better.

    Args:
        path: Named in the message.
        raw: Numbers by image of the labels.
        layout: How they are to be read.
        truth: The labels.

    Raises:
        InputError: More than twice as many labelled faces are met (IoU 0.5) by another reading,
            or a box is turned.
    """
    chosen = LAYOUTS[layout]
    here = _met(raw, chosen, truth)
    for other in (*LAYOUTS.values(), *_SCORE_FIRST):
        there = _met(raw, other, truth)
        if there > _FACTOR * here:
            raise InputError(
                f"{shown(path)} read as {chosen.title} meets {here} labelled faces, read as "
                f"{other.title} it meets {there}: {_remedy(other)}."
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
        other = next(one for one in LAYOUTS.values() if one is not reading)
        raise InputError(
            f"{shown(path)} holds the box {numbers[turned[0], :4].tolist()}, which has no extent "
            f"as {reading.title}: {_remedy(other)}."
        )
    return Boxes(corners, np.ascontiguousarray(numbers[:, 4]))


def _met(raw: Raw, reading: Reading, truth: Mapping[str, Boxes]) -> int:
    """Count the boxes that overlap a labelled face by half or more, over some images."""
    met = seen = 0
    for name, faces in truth.items():
        numbers = raw.get(name, np.empty((0, 5)))
        boxes = reading.boxes(numbers[np.argsort(-numbers[:, reading.score], kind="stable")])
        whole = boxes[(boxes[:, 2:] >= boxes[:, :2]).all(axis=1)]
        if len(whole) and len(faces):
            met += int((matching.overlaps(faces.boxes, whole).max(axis=1) >= 0.5).sum())
        seen += len(boxes)
        if seen > _LOOKED_AT:
            break
    return met


def unmet(truth: Mapping[str, Boxes], found: Mapping[str, Boxes], iou: float) -> str | None:
    """Return a warning where no box meets any face, which is rarely what a detector does.

    It is no error: average precision 0 is the right number of a detector that sees nothing.

    Args:
        truth: Image name to labelled faces.
        found: The same names to detections.
        iou: Least overlap of a hit.
    """
    pooled = average_precision.pool(truth, found, iou)
    if not len(pooled.scores) or pooled.hits.any():
        return None
    boxes, faces = (
        np.concatenate([one.boxes for one in listed.values()]) for listed in (found, truth)
    )
    return (
        f"none of {len(boxes)} boxes overlaps a labelled face by {iou:g} or more, so average "
        f"precision is 0: boxes reach from {_extent(boxes)}, faces from {_extent(faces)}; if the "
        "boxes are not in pixels of the labelled images, convert them."
    )


def _extent(boxes: NDArray[np.float64]) -> str:
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return " to ".join(f"({x:g}, {y:g})" for x, y in (low.tolist(), high.tolist()))
