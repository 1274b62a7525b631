"""A network drawn from what one run of it shows; see `architecture`.

Nothing is drawn by hand: with another number of levels there are other boxes.
"""

import itertools
from typing import Any, NamedTuple

import matplotlib
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch
from torch import nn

from benchmark.figures.module_graph import Graph, Node, opened, part, trace

COLOURS = ("#CFE6F3", "#FBE3C0", "#D5EEDF", "#F1D9E7")
GREY = "#EEEEEE"
_EXAMPLE = (1, 3, 64, 96)
_SETTINGS: Any = {"font.size": 6.0, "axes.titlesize": 8.0, "pdf.fonttype": 42}


class Place(NamedTuple):
    """Where a box stands: column from the left, row from the top."""

    column: float
    row: float


def places(graph: Graph) -> dict[str, Place]:
    """Return where boxes stand: columns by what they need, rows by resolution, then by order."""
    column: dict[str, int] = {}
    used: dict[tuple[int, int], list[str]] = {}
    for key, node in graph.items():
        column[key] = 1 + max((column[source] for source in node.sources), default=-1)
        used.setdefault((column[key], node.shape[1]), []).append(key)
    starts, start = dict[int, int](), 0
    for height in sorted({node.shape[1] for node in graph.values()}, reverse=True):
        starts[height] = start
        start += max(len(keys) for (_, tall), keys in used.items() if tall == height)
    return {
        key: Place(at[0], starts[at[1]] + row)
        for at, keys in used.items()
        for row, key in enumerate(keys)
    }


def draw(network: nn.Module, detail: str) -> Figure:
    """Draw a network: an overview above, and what is inside one of its modules below.

    Args:
        network: Maps (N, 3, H, W) to the same; as evaluated.
        detail: Path of the module, such as `mapping.levels.0`.
    """
    example = torch.zeros(_EXAMPLE)
    overview = trace(network, opened(network), example)
    inner = part(trace(network, opened(network, detail), example), detail)
    count = sum(parameter.numel() for parameter in network.parameters())
    titles = (
        f"{type(network).__name__}, {count:,} parameters: modules, what they give (channels × "
        "height; the width likewise), and what they read",
        f"Inside {detail}",
    )
    graphs = (overview, inner)
    rows = [1 + max(place.row for place in places(graph).values()) for graph in graphs]
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(11.0, 0.72 * sum(rows) + 0.8), layout="constrained")
        panels = figure.subplots(2, 1, height_ratios=rows)
        depths = (0, len(detail.split(".")))
        for axes, graph, title, depth in zip(panels, graphs, titles, depths, strict=True):
            _panel(axes, graph, title, depth)
    return figure


def _panel(axes: Axes, graph: Graph, title: str, depth: int) -> None:
    """Draw boxes and arrows; boxes of one colour share the name at a depth of their paths."""
    at = places(graph)
    named = {
        key: node.path.split(".")[depth] for key, node in graph.items() if node.kind == "module"
    }
    colours = dict(zip(dict.fromkeys(named.values()), itertools.cycle(COLOURS), strict=False))
    for key, node in graph.items():
        for source in node.sources:
            _arrow(axes, at[source], at[key], graph[source].kind, node.kind)
        _box(axes, at[key], node, colours[named[key]] if key in named else GREY)
    axes.set(
        xlim=(-0.6, max(place.column for place in at.values()) + 0.6),
        ylim=(max(place.row for place in at.values()) + 0.6, -0.9),
    )
    axes.set_title(title, loc="left")
    axes.set_axis_off()
    handles = [
        Patch(fc=colour, ec="#333333", lw=0.6, label=name) for name, colour in colours.items()
    ]
    axes.legend(handles=handles, loc="lower left", frameon=False, fontsize=7)


def _half(kind: str) -> float:
    return 0.16 if kind == "sign" else 0.42


def _arrow(axes: Axes, start: Place, end: Place, first: str, second: str) -> None:
    columns = end.column - start.column
    level = end.row == start.row
    bend = 0.0 if columns < 2 else (-1.4 / columns if level else 0.12)  # above or below the boxes
    axes.add_patch(
        FancyArrowPatch(
            (start.column + _half(first), start.row),
            (end.column - _half(second), end.row),
            arrowstyle="-|>",
            mutation_scale=6,
            connectionstyle=f"arc3,rad={bend}",
            color="#555555",
            lw=0.7,
            zorder=1,
        )
    )


def _box(axes: Axes, at: Place, node: Node, colour: str) -> None:
    half = _half(node.kind)
    tall = 0.16 if node.kind == "sign" else 0.36
    corner = (at.column - half, at.row - tall)
    shape = "round,pad=0,rounding_size=0.08"
    axes.add_patch(
        FancyBboxPatch(corner, 2 * half, 2 * tall, shape, fc=colour, ec="#333333", lw=0.6, zorder=2)
    )
    text = node.label if node.kind == "sign" else _words(node)
    axes.text(at.column, at.row, text, ha="center", va="center", zorder=3, linespacing=1.05)


def _words(node: Node) -> str:
    names = node.label.split(".")
    numbered = len(names) > 1 and names[-1].isdigit()
    name = " ".join(names[-2:]) if numbered else names[-1]
    scale = _EXAMPLE[2] // node.shape[1]
    size = f"{node.shape[0]}×H/{scale}" if scale > 1 else f"{node.shape[0]}×H"
    note = node.note.replace(" ", "\n", 1) if len(node.note.split("\n")[0]) > 10 else node.note
    return "\n".join(filter(None, (name, note, size)))
