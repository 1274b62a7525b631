"""Figures of average ranks and of quality against cost, in each method's own colour."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from benchmark import methods
from benchmark.figures.style import LINES, MARKERS, SETTINGS, Styles
from benchmark.tables.competitors import OWN
from benchmark.tables.ranks import Ranking

OWN_BAND = "#dddddd"
ORDERS: Mapping[str, str] = {
    "enhance": "enhancer or joint",
    "enhance+deblock": "enhanced, then deblocked",
    "deblock+enhance": "deblocked, then enhanced",
}


def critical_difference(ranking: Ranking, drawn: Styles) -> Figure:
    """Draw average ranks with bars half a critical difference long to either side.

    Two methods differ at 5 % where their bars do not touch (Nemenyi). The grey band is the bar of
    the paper's method.

    Args:
        ranking: Of one competition and metric.
        drawn: From `style.styles`.
    """
    half = ranking.found.critical_difference / 2
    count = len(ranking.chains)
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(6.0, 0.17 * count + 1.0), layout="constrained")
        axes = figure.subplots()
        for place, (chain, rank) in enumerate(
            zip(ranking.chains, ranking.found.ranks, strict=True)
        ):
            style = drawn[chain]
            if chain == OWN:
                axes.axvspan(rank - half, rank + half, color=OWN_BAND, zorder=0)
            axes.plot(
                [rank - half, rank + half], [place, place], color=style.colour, lw=style.width
            )
            axes.plot([rank], [place], style.marker, color=style.colour, markersize=5)
        names = [drawn[chain].title for chain in ranking.chains]
        axes.set_yticks(range(count), names)
        axes.set_ylim(count - 0.4, -0.6)
        axes.set_xlim(0.5, count + 0.5)  # no rank lies outside; bars are cut there
        axes.xaxis.set_major_locator(MaxNLocator(9, integer=True))
        axes.set_xlabel(
            f"average rank of {ranking.metric} over {ranking.found.blocks} blocks "
            f"(1 is best; critical difference {2 * half:.1f})"
        )
    return figure


class Point(NamedTuple):
    """A chain's quality and cost.

    Attributes:
        chain: Name of the chain.
        psnr: Mean over images, dB.
        gmacs: Multiply-accumulates at 600 x 400 pixels, in 10^9; NaN where it has no network.
        seconds: Seconds for one megapixel on one thread.
    """

    chain: str
    psnr: float
    gmacs: float
    seconds: float


def quality_against_cost(points: Sequence[Point], where: str, drawn: Styles) -> Figure:
    """Draw PSNR against multiply-accumulates and against seconds, both on log scales.

    Single methods are named; chains of two are small and differ in colour and marker.

    Args:
        points: Of one track.
        where: Test sets and quality factor of the PSNR, for the axis.
        drawn: From `style.styles`.
    """
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(8.6, 4.2), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, name in ((left, "gmacs"), (right, "seconds")):
            shown = [point for point in points if getattr(point, name) > 0]
            _cloud(axes, shown, name, drawn)
        left.set(xlabel="10⁹ multiply-accumulates at 600×400 pixels", ylabel=f"PSNR (dB), {where}")
        right.set_xlabel("seconds of one core a megapixel")
        handles = _handles(points, drawn)
        figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=7)
    return figure


def _cloud(axes: Axes, points: Sequence[Point], name: str, drawn: Styles) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    taken: list[tuple[float, float]] = []
    for point in sorted(points, key=lambda point: -point.psnr):
        style, at = drawn[point.chain], getattr(point, name)
        single = "+" not in style.order  # titles may hold one: Zero-DCE++
        axes.plot(
            [at],
            [point.psnr],
            style.marker,
            color=style.colour,
            markersize=6 if single else 3.5,
            markerfacecolor="none" if style.order == "deblock+enhance" else style.colour,
        )
        if single:
            shift = _free(taken, math.log10(at), point.psnr)
            axes.annotate(
                style.title,
                (at, point.psnr),
                xytext=(5, shift),
                textcoords="offset points",
                fontsize=6.5,
                color=style.colour,
            )
    axes.margins(x=0.12)


def _free(taken: list[tuple[float, float]], x: float, y: float) -> float:
    """Return how far up or down, in points, a label is moved so that it covers no earlier one."""
    near = sum(1 for label_x, height in taken if abs(label_x - x) < 0.5 and abs(height - y) < 0.35)
    taken.append((x, y))
    return 2.0 - 7.0 * near


def _handles(points: Sequence[Point], drawn: Styles) -> list[Line2D]:
    """Return the legend: how chains of two are marked."""
    shown = [drawn[point.chain] for point in points]
    markers = {(style.marker, style.order) for style in shown if "+" in style.order}
    names = {marker: methods.find(name).title for name, marker in MARKERS.items()}
    return [
        Line2D(
            [], [], color="#555555", marker=marker, linestyle="none", markersize=4,
            markerfacecolor="none" if order == "deblock+enhance" else "#555555",
            label=f"{ORDERS.get(order, order)}: {names.get(marker, 'deblocker')}",
        )
        for marker, order in sorted(markers)
        if order in LINES
    ]  # fmt: skip
