"""Grids of the outputs of several methods for one test image, with a window enlarged."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle

from benchmark.core.images import Bytes
from benchmark.figures import selection, style
from benchmark.figures.selection import Box
from benchmark.methods.records import ChainRecord

FIRST = ("zero_dce", "zero_dce+qgcn", "qgcn+zero_dce", "mlsm")
"""Chains of Fig. 1: one enhancer alone, then with a deblocker in either order, then MLSM."""
SIDE = 48
"""Least side of the enlarged window, pixels."""
TITLES: Mapping[str, str] = {
    "fig_1": "An enhancer alone, with a deblocker in either order, and MLSM",
    "fig_7": "Enhancers",
    "fig_8": "Enhanced, then deblocked",
    "fig_9": "Deblocked, then enhanced",
    "fig_10": "MLSM by the number of its levels",
}
_MARK = "#E69F00"  # orange of Okabe and Ito: seen on dark and on bright pictures
_SETTINGS: Any = {"font.size": 7.0, "axes.titlesize": 7.0, "axes.linewidth": 0.6}


class Panel(NamedTuple):
    """One picture of a grid.

    Attributes:
        title: Text above it.
        pixels: uint8 (H, W, 3).
        window: The part that is enlarged in its corner, uint8 (h, w, 3).
        below: Text under it, such as PSNR and SSIM.
    """

    title: str
    pixels: Bytes
    window: Bytes
    below: str


def grids(records: Mapping[str, ChainRecord]) -> dict[str, list[str]]:
    """Return figure -> its chains, MLSM last; a figure without rivals of MLSM is left out.

    Args:
        records: Chain -> what it is made of; chains without any weights are passed over.
    """
    ready = {chain: record for chain, record in records.items() if record.tracks}

    def ordered(order: str) -> list[str]:
        return [chain for chain, record in ready.items() if record.order == order]

    candidates = {
        "fig_1": [chain for chain in FIRST if chain in ready],
        "fig_7": [chain for chain in ordered("enhance") if chain in style.COLOURS],
        "fig_8": ordered("enhance+deblock"),
        "fig_9": ordered("deblock+enhance"),
        "fig_10": [chain for chain in ready if chain.startswith(f"{selection.CHAIN}_level")],
    }
    last = [selection.CHAIN] if selection.CHAIN in ready else []
    figures = {}
    for name, chains in candidates.items():
        rivals = [chain for chain in chains if chain != selection.CHAIN]
        if rivals:
            figures[name] = rivals + last
    return figures


def panel(title: str, shown: selection.Shown, box: Box) -> Panel:
    """Return the panel of an output."""
    return Panel(title, shown.output, box.cut(shown.output), score(shown.psnr, shown.ssim))


def score(psnr: float, ssim: float) -> str:
    """Return the text of PSNR and SSIM under a picture."""
    return f"{psnr:.2f} dB / {ssim:.4f}"


def ends(dark: Bytes, reference: Bytes, box: Box) -> tuple[Panel, Panel]:
    """Return the first panel of a grid, the dark input, and the last, its reference.

    The dark input is shown as it is, its window brightened by one gain.
    """
    below = score(*selection.measured(dark, reference))
    bright = box.cut(selection.brightened(dark))
    return (
        Panel("Dark input (window brightened)", dark, bright, below),
        Panel("Reference", reference, box.cut(reference), "PSNR / SSIM"),
    )


def window(dark: Bytes) -> Box:
    """Return the window to enlarge: `SIDE` pixels, or an eighth of a large image's short side."""
    return selection.most_blocking(dark, max(SIDE, min(dark.shape[:2]) // 8))


def caption(dataset: str, image: str) -> str:
    """Return which image and window a grid shows, by which rules, and what stands under it."""
    return (
        f"{dataset}, image {image}, JPEG quality factor {selection.QF}: {selection.RULE}. Orange: "
        f"{selection.CROP_RULE}. Under each picture its PSNR / SSIM (protocol sound)."
    )


def draw(title: str, panels: Sequence[Panel], box: Box, about: str) -> Figure:
    """Draw a grid.

    Args:
        title: Heading.
        panels: From left to right, then down.
        box: The window, marked in every picture.
        about: From `caption`.
    """
    across = 3 if len(panels) in (3, 5, 6) else 4
    rows = math.ceil(len(panels) / across)
    height, width = panels[0].pixels.shape[:2]
    lines = textwrap.wrap(about, 125)
    inches = 7.1 / across * height / width + 0.36  # a picture with its two lines of text
    foot = 0.12 * len(lines) + 0.1
    with matplotlib.rc_context(_SETTINGS):
        total = rows * inches + foot + 0.25
        layout = ConstrainedLayoutEngine(rect=(0, foot / total, 1, 1 - foot / total))
        figure = Figure(figsize=(7.2, total), layout=layout)
        figure.suptitle(title, fontsize=8.5)
        places = list(figure.subplots(rows, across, squeeze=False).flat)
        for shown, axes in zip(panels, places, strict=False):
            _panel(axes, shown, box)
        for axes in places[len(panels) :]:
            axes.set_axis_off()
        figure.text(0.01, 0.06 / total, "\n".join(lines), fontsize=6.5, va="bottom")
    return figure


def _panel(axes: Axes, shown: Panel, box: Box) -> None:
    height, width = shown.pixels.shape[:2]
    axes.imshow(shown.pixels, interpolation="antialiased")
    axes.set_title(shown.title, pad=2.0)
    axes.set_xlabel(shown.below, labelpad=2.0)
    _bare(axes)
    corner = (box.column - 0.5, box.row - 0.5)
    axes.add_patch(Rectangle(corner, box.width, box.height, fill=False, ec=_MARK, lw=0.8))
    # The window stands on the other side of the picture than what it shows.
    left = box.column + box.width / 2 > width / 2
    share = 0.44
    side = (0.0 if left else 1.0 - share, 0.0, share, share * width / height)
    inset = axes.inset_axes(side)
    inset.imshow(shown.window, interpolation="nearest")
    _bare(inset)
    for spine in inset.spines.values():
        spine.set(visible=True, color=_MARK, linewidth=1.0)


def _bare(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
