"""Figures: learning curves, quality against quality factor, precision-recall curves.

A method has one colour in every figure. How its chain is ordered is the line's style, and its
deblocker the marker's shape.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benchmark.detection import Curve

COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "MLSM": "#000000",
        "LIME": "#999933",
        "RetinexNet": "#882255",
        "KinD": "#44AA99",
        "EnlightenGAN": "#117733",
        "RetinexDIP": "#AA4499",
        "Zero-DCE": "#CC6677",
        "LLFlow": "#332288",
        "RUAS": "#88CCEE",
    }
)
"""Colours of the paper's methods: black, and the scheme `muted` of Paul Tol (2021)."""
SPARE = ("#777777", "#E69F00", "#0072B2", "#D55E00", "#DDCC77", "#009E73")
"""Colours of other methods, in their order: grey, sand, and those of Okabe and Ito (2008)."""
LINES: Mapping[str, str] = MappingProxyType(
    {"enhance": "-", "joint": "-", "deblock": ":", "deblock+enhance": "--", "enhance+deblock": "-."}
)
MARKERS: Mapping[str, str] = MappingProxyType({"": "o", "EDSR": "s", "QGCN": "^"})
UNITS: Mapping[str, str] = MappingProxyType({"PSNR": "PSNR (dB)", "SSIM": "SSIM"})

_SETTINGS: Any = {
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


class Style(NamedTuple):
    """How a chain is drawn."""

    colour: str
    line: str
    marker: str
    width: float


Styles: TypeAlias = Mapping[tuple[str, str], Style]
"""Title and order of a chain -> how it is drawn."""


class Named(NamedTuple):
    """A precision-recall curve and whose it is."""

    method: str
    order: str
    curve: Curve


def styles(records: Mapping[str, Any]) -> Styles:
    """Return how chains are drawn, by title and order.

    Args:
        records: All chains of the profile (`provenance.chain_record`), so that colours do not
            depend on which of them a figure shows.
    """
    found = {}
    colours: dict[str, str] = {}
    for record in records.values():
        titles = {step["role"]: step["title"] for step in record["steps"].values()}
        main = titles.get("joint") or titles.get("enhancer") or titles["deblocker"]
        spare = SPARE[len(set(colours) - set(COLOURS)) % len(SPARE)]
        colour = colours.setdefault(main, COLOURS.get(main, spare))
        deblocker = titles.get("deblocker", "") if "enhancer" in titles else ""
        found[record["title"], record["order"]] = Style(
            colour,
            LINES.get(record["order"], "-"),
            MARKERS.get(deblocker, "D"),
            2.0 if record["order"] == "joint" else 1.2,
        )
    return found


def learning(logs: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one panel a trained part: loss terms on the left axis, validation PSNR on the right.

    Args:
        logs: Part -> training log with columns step, `<phase>/<term>` and validation_psnr, the
            last with empty cells.
    """
    rows = math.ceil(len(logs) / 2)
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(7.2, 2.3 * rows), layout="constrained")
        panels = figure.subplots(rows, 2, squeeze=False).flat
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
        seen = log.dropna(subset=["validation_psnr"])
        right.plot(
            seen["step"], seen["validation_psnr"], "o-", color="black", label="validation PSNR"
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
    known = [colour for name, colour in COLOURS.items() if name != "MLSM"]
    return [known[i % len(known)] for i in range(count)]


def quality(cells: pd.DataFrame, drawn: Styles) -> Figure:
    """Draw PSNR and SSIM of every method against the quality factor, a row a test set.

    Args:
        cells: Of one protocol and kind of weights; see `benchmark.tables.COLUMNS`.
        drawn: From `styles`.
    """
    datasets = list(dict.fromkeys(cells["dataset"]))
    levels = sorted(int(qf) for qf in cells["qf"].dropna().unique())
    places: dict[Any, int] = {qf: place for place, qf in enumerate(levels)}
    names = [str(qf) for qf in levels]
    if cells["qf"].isna().any():
        names.append("none")  # not compressed
    below = 0.3 + 0.17 * math.ceil(len(cells[["method", "order"]].drop_duplicates()) / 3)
    with matplotlib.rc_context(_SETTINGS):
        height = 2.6 * len(datasets) + below
        figure = Figure(figsize=(6.6, height), layout="constrained")
        grid = figure.subplots(len(datasets), len(UNITS), squeeze=False, sharex=True)
        for dataset, across in zip(datasets, grid, strict=True):
            of_set = cells[cells["dataset"] == dataset]
            for metric, axes in zip(UNITS, across, strict=True):
                one = of_set[of_set["metric"] == metric]
                at = one["qf"].map(places).fillna(len(levels)).astype(float)
                _quality_panel(axes, one.assign(place=at), drawn)
                axes.set_xticks(range(len(names)), names)
                axes.set(title=f"{dataset} (n = {of_set['n'].max()})", ylabel=UNITS[metric])
        for axes in grid[-1]:
            axes.set_xlabel("JPEG quality factor")
        _legend_below(figure, grid[0, 0], 3)
    return figure


def _quality_panel(axes: Axes, cells: pd.DataFrame, drawn: Styles) -> None:
    for key, style in drawn.items():
        of_method = (cells["method"] == key[0]) & (cells["order"] == key[1])
        one = cells[of_method].sort_values("place")
        if len(one):
            axes.plot(one["place"], one["value"], label=key[0], **_kwargs(style))


def _kwargs(style: Style) -> dict[str, Any]:
    return {
        "color": style.colour,
        "linestyle": style.line,
        "marker": style.marker,
        "linewidth": style.width,
    }


def _legend_below(figure: Figure, axes: Axes, columns: int) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, handlelength=4)


def precision_recall(curves: Sequence[Named], iou: float, drawn: Styles) -> Figure:
    """Draw raw precision-recall curves (Fig. 11), AP in the legend, best first.

    Args:
        curves: Of one kind of weights.
        iou: Least overlap of a hit.
        drawn: From `styles`.
    """
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(5.6, 4.8), layout="constrained")
        axes = figure.subplots()
        for method, order, curve in sorted(curves, key=lambda named: -named.curve.ap):
            label = f"{method}: AP {curve.ap:.4f}"
            every = max(1, len(curve.recall) // 8)
            axes.plot(
                curve.recall,
                curve.precision,
                label=label,
                markevery=every,
                **_kwargs(drawn[method, order]),
            )
        axes.set(xlabel=f"recall at IoU {iou:g}", ylabel="precision", ylim=(0.0, 1.02))
        axes.set_xlim(left=0.0)
        _legend_below(figure, axes, 2)
    return figure


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write a figure as PDF and PNG; equal figures give equal files."""
    folder.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context(_SETTINGS):
        figure.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None})
        figure.savefig(folder / f"{name}.png", dpi=160, metadata={"Software": None})
