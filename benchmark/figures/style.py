"""Figures: learning curves, quality against quality factor, precision-recall curves.

A method has one colour in every figure. How its chain is ordered is the line's style, and its
deblocker the marker's shape.
"""

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import matplotlib
import pandas as pd
import PIL.Image
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benchmark.core import files
from benchmark.faces.average_precision import Curve
from benchmark.methods.records import ChainRecord

COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "mlsm": "#000000",
        "lime": "#999933",
        "retinexnet": "#882255",
        "kind": "#44AA99",
        "enlightengan": "#117733",
        "retinexdip": "#AA4499",
        "zero_dce": "#CC6677",
        "llflow": "#332288",
        "ruas": "#88CCEE",
    }
)
"""Colours of the paper's methods: black, and the scheme `muted` of Paul Tol (2021)."""
SPARE = ("#777777", "#E69F00", "#0072B2", "#D55E00", "#DDCC77", "#009E73")
SPARE_MARKERS = ("o", "X", "*", "P")
"""Colours and markers of other methods, in their order: grey, sand, and the colours of Okabe and
Ito (2008), first all with one marker, then with the next."""
LINES: Mapping[str, str] = MappingProxyType(
    {"enhance": "-", "joint": "-", "deblock": ":", "deblock+enhance": "--", "enhance+deblock": "-."}
)
MARKERS: Mapping[str, str] = MappingProxyType({"edsr": "s", "qgcn": "^", "fbcnn": "v"})
"""Deblocker -> the marker of chains with it."""
OWN = "mlsm"
"""The paper's method."""
EVERYWHERE = ("identity", OWN)
"""Chains that every panel shows: the dark input as it is, and the paper's method."""
UNITS: Mapping[str, str] = MappingProxyType({"PSNR": "PSNR (dB)", "SSIM": "SSIM"})

SETTINGS: Any = {
    "font.size": 8.0,
    "axes.titlesize": 8.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "legend.frameon": False,
    "pdf.fonttype": 42,
}
"""How every figure of the suite looks (matplotlib)."""


class Style(NamedTuple):
    """How a chain is drawn, and what it is called beside its line."""

    title: str
    order: str
    colour: str
    line: str
    marker: str
    width: float


Styles: TypeAlias = Mapping[str, Style]
"""Chain -> how it is drawn."""


def styles(records: Mapping[str, ChainRecord]) -> Styles:
    """Return how chains are drawn.

    Args:
        records: All chains of the profile -> what they are made of, so that colours do not depend
            on which of them a figure shows.
    """
    drawn = {}
    spare: dict[str, tuple[str, str]] = {}
    for chain, record in records.items():
        names = {step.role: name for name, step in record.steps.items()}
        main = names.get("joint") or names.get("enhancer") or names["deblocker"]
        colour, marker = COLOURS.get(main, ""), "o"
        if not colour:
            turn, place = divmod(len(spare), len(SPARE))
            new = (SPARE[place], SPARE_MARKERS[turn % len(SPARE_MARKERS)])
            colour, marker = spare.setdefault(main, new)
        if "enhancer" in names and "deblocker" in names:
            marker = MARKERS.get(names["deblocker"], "D")
        line, width = LINES.get(record.order, "-"), 2.0 if main == OWN else 1.2
        drawn[chain] = Style(record.title, record.order, colour, line, marker, width)
    return drawn


def is_variant(chain: str) -> bool:
    """Whether a chain is MLSM with something changed: an ablation, or other training data."""
    return chain.startswith(OWN) and chain != OWN


def families(drawn: Styles) -> dict[str, list[str]]:
    """Return panel -> the chains it shows, as Figs. 7 to 9 and 11 split them.

    Methods that the paper lacks and deblockers alone have a panel of their own, and so have the
    variants of MLSM; `EVERYWHERE` stands in each.
    """
    panels: dict[str, list[str]] = {
        "enhancers": [],
        "deblocked, then enhanced": [],
        "enhanced, then deblocked": [],
        "controls and methods beyond the paper": [],
        "variants of MLSM": [],
    }
    names = list(panels)
    by_order = {"deblock+enhance": names[1], "enhance+deblock": names[2]}
    for chain, style in drawn.items():
        place = by_order.get(style.order, names[3])
        if chain in COLOURS:
            place = names[0]
        elif is_variant(chain):
            place = names[4]
        if chain not in EVERYWHERE:
            panels[place].append(chain)
    always = [chain for chain in drawn if chain in EVERYWHERE]
    kept = {name: [*chains, *always] for name, chains in panels.items() if chains}
    return kept or ({names[0]: always} if always else {})


def learning(logs: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw a panel for each trained part: loss terms on the left, validation PSNR on the right.

    Args:
        logs: Part -> training log with columns step, `<phase>/<term>` and validation_psnr, the
            last with empty cells.
    """
    across = 2 if len(logs) <= 6 else 3
    rows = math.ceil(len(logs) / across)
    with matplotlib.rc_context(SETTINGS):
        height = 2.6 * rows  # inches; a layout engine takes ten seconds for thirty panels
        figure = Figure(figsize=(3.6 * across, height))
        space = {"left": 0.07, "right": 0.93, "top": 1 - 0.3 / height, "bottom": 1.1 / height}
        panels = figure.subplots(
            rows, across, squeeze=False, gridspec_kw=space | {"hspace": 1.1, "wspace": 0.7}
        ).flat
        for (name, log), axes in zip(logs.items(), panels, strict=False):
            _learning_panel(axes, name, log)
        for axes in list(panels):
            axes.set_axis_off()
    return figure


def _learning_panel(axes: Axes, name: str, log: pd.DataFrame) -> None:
    terms = [column for column in log.columns if "/" in column]
    phases = len({term.partition("/")[0] for term in terms})
    for term, colour in zip(terms, _cycled(len(terms)), strict=True):
        label = term if phases > 1 else term.partition("/")[2]
        axes.plot(log["step"], log[term], color=colour, label=label)
    if (log[terms] > 0).all(axis=None):
        axes.set_yscale("log")
    axes.set(title=name, xlabel="step", ylabel="loss terms, weighted")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    handles, labels = axes.get_legend_handles_labels()
    if "validation_psnr" in log:
        right = axes.twinx()
        right.spines["right"].set_visible(True)
        right.grid(visible=False)
        validated = log.dropna(subset=["validation_psnr"])
        right.plot(
            validated["step"],
            validated["validation_psnr"],
            "o-",
            color="black",
            label="validation PSNR",
        )
        right.set_ylabel("validation PSNR (dB)")
        more, names = right.get_legend_handles_labels()
        handles, labels = handles + more, labels + names
    axes.legend(
        handles,
        labels,
        fontsize=6.5,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.3),
        ncols=2,
        handlelength=1.5,
        columnspacing=1.2,
    )


def _cycled(count: int) -> list[str]:
    known = [colour for name, colour in COLOURS.items() if name != OWN]
    return [known[i % len(known)] for i in range(count)]


def quality(cells: pd.DataFrame, drawn: Styles) -> Figure:
    """Draw PSNR and SSIM against the quality factor: rows sets and metrics, columns `families`.

    Args:
        cells: Of one protocol and track; see `benchmark.tables.cells.CHAIN_COLUMNS`.
        drawn: From `styles`.
    """
    rows = [(dataset, metric) for dataset in dict.fromkeys(cells["dataset"]) for metric in UNITS]
    levels = sorted(int(qf) for qf in cells["qf"].dropna().unique())
    places: dict[Any, int] = {qf: place for place, qf in enumerate(levels)}
    names = [str(qf) for qf in levels] + ["none"] * bool(cells["qf"].isna().any())
    shown = set(cells["chain"])
    panels = families({chain: style for chain, style in drawn.items() if chain in shown})
    with matplotlib.rc_context(SETTINGS):
        lines = math.ceil(max(map(len, panels.values())))
        size = (2.7 * len(panels) + 0.4, 1.9 * len(rows) + 0.16 * lines + 0.5)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(len(rows), len(panels), squeeze=False, sharex=True, sharey="row")
        for (dataset, metric), across in zip(rows, grid, strict=True):
            chosen = cells[(cells["dataset"] == dataset) & (cells["metric"] == metric)]
            at = chosen["qf"].map(places).fillna(len(levels)).astype(float)
            for chains, axes in zip(panels.values(), across, strict=True):
                _quality_panel(axes, chosen.assign(place=at), chains, drawn)
                axes.set_xticks(range(len(names)), names)
            across[0].set_ylabel(f"{dataset} (n = {chosen['n'].max()})\n{UNITS[metric]}")
        for name, top, axes in zip(panels, grid[0], grid[-1], strict=True):
            top.set_title(name)
            axes.set_xlabel("JPEG quality factor")
            _legend_under(axes)
    return figure


def _quality_panel(axes: Axes, cells: pd.DataFrame, chains: Sequence[str], drawn: Styles) -> None:
    for chain in chains:
        style, points = drawn[chain], cells[cells["chain"] == chain].sort_values("place")
        if len(points):
            axes.plot(points["place"], points["value"], label=style.title, **_kwargs(style))


def _kwargs(style: Style) -> dict[str, Any]:
    return {
        "color": style.colour,
        "linestyle": style.line,
        "marker": style.marker,
        "linewidth": style.width,
    }


def _legend_under(axes: Axes) -> None:
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.3), handlelength=3.5, fontsize=7)


def precision_recall(curves: Mapping[str, Curve], iou: float, drawn: Styles) -> Figure:
    """Draw raw precision-recall curves (Fig. 11) in panels of `families`, AP in the legends.

    Args:
        curves: Chain -> its curve, of one track.
        iou: Least overlap of a hit.
        drawn: From `styles`.
    """
    panels = families({chain: style for chain, style in drawn.items() if chain in curves})
    with matplotlib.rc_context(SETTINGS):
        lines = math.ceil(max(map(len, panels.values())))
        size = (2.9 * len(panels) + 0.4, 3.2 + 0.16 * lines)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(1, len(panels), squeeze=False, sharex=True, sharey=True)[0]
        for (name, chains), axes in zip(panels.items(), grid, strict=True):
            for chain in sorted(chains, key=lambda chain: -curves[chain].ap):
                curve, style = curves[chain], drawn[chain]
                axes.plot(
                    curve.recall,
                    curve.precision,
                    label=f"{style.title}: AP {curve.ap:.4f}",
                    markevery=max(1, len(curve.recall) // 8),
                    **_kwargs(style),
                )
            axes.set(title=name, xlabel=f"recall at IoU {iou:g}", ylim=(0.0, 1.02))
            axes.set_xlim(left=0.0)
            _legend_under(axes)
        grid[0].set_ylabel("precision")
    return figure


def save(figure: Figure, folder: Path, name: str, photographs: bool = False) -> None:
    """Write a figure as PDF and PNG; equal figures give equal files.

    Args:
        figure: What to write.
        folder: Folder of the files.
        name: Name of the files, without ending.
        photographs: Whether it shows photographs; the PNG of a figure without any has a palette of
            256 colours, which takes a third of the bytes.
    """
    content = io.BytesIO()
    with matplotlib.rc_context(SETTINGS):
        with files.beside(folder / f"{name}.pdf") as place:
            figure.savefig(place, metadata={"CreationDate": None})
        figure.savefig(content, format="png", dpi=110 if photographs else 160)
    drawn = PIL.Image.open(content).convert("RGB")
    if not photographs:
        kind, dither = PIL.Image.Quantize.MEDIANCUT, PIL.Image.Dither.NONE
        drawn = drawn.quantize(256, kind, dither=dither)
    with files.beside(folder / f"{name}.png") as place:
        drawn.save(place)
