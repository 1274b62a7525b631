"""Fig. 12: what a detector finds in the outputs of several methods, as a grid of images."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from benchmark.core.images import Bytes
from benchmark.data.labels.boxes import Boxes
from benchmark.faces import average_precision, matching

KINDS: Mapping[str, tuple[str, Literal["-", "--", ":"]]] = {
    "found": ("#56B4E9", "-"),
    "missed": ("#F0E442", "--"),
    "false": ("#D55E00", ":"),
}
"""Kind of box -> its colour (Okabe and Ito 2008) and line; false ones are crossed out as well."""
FEWEST, MOST = 2, 12
"""Labelled faces of an image that the figure may show: enough to compare, few enough to see."""


class Verdict(NamedTuple):
    """The boxes of one image, x0, y0, x1, y1 in pixels, (n, 4) each."""

    found: NDArray[np.float64]
    missed: NDArray[np.float64]
    false: NDArray[np.float64]


class Shown(NamedTuple):
    """One picture of the grid.

    Attributes:
        title: Title of the method.
        pixels: Its output, uint8 (H, W, 3).
        verdict: The boxes to draw.
    """

    title: str
    pixels: Bytes
    verdict: Verdict


def chosen(truth: Mapping[str, Boxes], count: int) -> list[str]:
    """Return the first images with `FEWEST` to `MOST` labelled faces: a rule, not a choice."""
    return [name for name, faces in truth.items() if FEWEST <= len(faces) <= MOST][:count]


def threshold(curve: average_precision.Curve) -> float:
    """Return the score at a method's best F1 over the whole set: the lowest that is drawn."""
    if not len(curve.scores):
        return 1.0
    both = curve.precision + curve.recall
    f1 = 2 * curve.precision * curve.recall / np.where(both > 0, both, 1.0)
    return float(curve.scores[int(f1.argmax())])


def judge(truth: Boxes, detections: Boxes, iou: float, least: float) -> Verdict:
    """Sort the boxes of an image into found, missed and false.

    Args:
        truth: Labelled faces.
        detections: Detections.
        iou: Least overlap of a hit.
        least: Lowest score that is drawn.

    Returns:
        `found` and `false` are detections, `missed` are labelled faces; detections that do not
        count are left out.
    """
    sure = detections.scores >= least
    drawn = Boxes(detections.boxes[sure], detections.scores[sure])
    hits, ignored = matching.match(truth, drawn, iou)
    met = np.zeros(len(truth), dtype=np.bool_)
    if hits.any():
        met[matching.overlaps(drawn.boxes[hits], truth.boxes).argmax(axis=1)] = True
    return Verdict(drawn.boxes[hits], truth.boxes[~met], drawn.boxes[~hits & ~ignored])


def grid(rows: Sequence[Sequence[Shown]], iou: float) -> Figure:
    """Draw images as rows and methods as columns; each picture says how many faces were found.

    Args:
        rows: One row for each image, with the same methods in each.
        iou: Least overlap of a hit, for the legend.
    """
    across = len(rows[0])
    with matplotlib.rc_context({"font.size": 8.0, "pdf.fonttype": 42}):
        heights = [2.1 * max(_aspect(shown) for shown in row) for row in rows]
        size = (2.1 * across, sum(heights) + 0.3 * len(rows) + 0.6)
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(len(rows), across, squeeze=False, height_ratios=heights)
        for place, (row, line) in enumerate(zip(rows, panels, strict=True)):
            for shown, axes in zip(row, line, strict=True):
                _draw(axes, shown, with_title=place == 0)
        handles = [
            Line2D([], [], color=colour, ls=style, label=kind)
            for kind, (colour, style) in KINDS.items()
        ]
        handles[2].set_marker("x")
        figure.legend(
            handles=handles,
            title=f"faces at IoU {iou:g}",
            loc="outside lower center",
            ncols=len(handles),
            frameon=False,
        )
    return figure


def _aspect(shown: Shown) -> float:
    height, width, _ = shown.pixels.shape
    return float(height / width)


def _draw(axes: Axes, shown: Shown, with_title: bool) -> None:
    height, width, _ = shown.pixels.shape
    axes.imshow(shown.pixels, extent=(0, width, height, 0))
    axes.set(xticks=[], yticks=[], xlim=(0, width), ylim=(height, 0))
    for (colour, style), boxes in zip(KINDS.values(), shown.verdict, strict=True):
        for x0, y0, x1, y1 in boxes:
            axes.add_patch(
                Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, ec=colour, ls=style, lw=1.2)
            )
    for x0, y0, x1, y1 in shown.verdict.false:
        axes.plot((x0 + x1) / 2, (y0 + y1) / 2, "x", color=KINDS["false"][0], markersize=4)
    if with_title:
        axes.set_title(shown.title, fontsize=7)
    hits, missed, false = map(len, shown.verdict)
    axes.set_xlabel(f"{hits} of {hits + missed} found, {false} false", fontsize=7)
