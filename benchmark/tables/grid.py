"""What one printed table says: methods down, data sets and metrics across, dashes with reasons.

A grid holds one quality factor, one protocol and one track, so that its best and second are
comparable. Methods without weights stand in every grid. `typeset` and the report print grids.
"""

import math
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd

from benchmark.core import reported
from benchmark.core.types import Track
from benchmark.methods.records import ChainRecord, by_printed_name, shown_tracks

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "table_3": "Table III",
        "table_4": "Table IV",
        "table_5": "Table V (without and with the mapping networks)",
        "table_6": "Table VI (levels of latent mapping)",
        "table_perception": "Perceptual distances (beyond the paper)",
        "table_other_qf": "Further quality factors",
        "table_uncompressed": "Uncompressed dark images",
        "table_7": "Table VII",
    }
)
QUALITY = ("table_3", "table_4", "table_other_qf", "table_uncompressed")
"""Tables of image quality, in their order."""
TRACKS: Mapping[str, str] = MappingProxyType(
    {
        "classical": "methods without weights",
        "retrained": "weights trained by this pipeline, and methods without weights",
        "released": "weights released by the methods' authors, and methods without weights",
    }
)
"""Track -> what captions call the weights that its tables hold."""
_KEYS = ("chain", "track", "dataset", "metric")
APART: Mapping[str, float] = MappingProxyType({"PSNR": 0.1, "PSNR-B": 0.1, "SSIM": 0.005})
"""Metric -> how far from the paper's number ours must be to be marked, in the metric's unit."""
FALLING = ("BEF", "ST-LPIPS", "LPIPS")
"""Metrics of which less is better."""
PRINTED: Mapping[str, str] = MappingProxyType({"table_5": "V", "table_6": "VI"})
"""Table -> the paper's table of the same numbers, where that is neither III nor IV."""
DASH = "—"
UNCOMPRESSED = ", uncompressed"
"""What the lines of uncompressed inputs are called after their chain, in Table VII."""
INFINITE = "∞"


class Column(NamedTuple):
    """A metric on a data set."""

    dataset: str
    metric: str

    @property
    def decimals(self) -> int:
        """How many decimals tables print."""
        return 2 if self.metric.startswith(("PSNR", "BEF")) else 4

    @property
    def rises(self) -> bool:
        """Whether more is better."""
        return self.metric not in FALLING

    @property
    def head(self) -> str:
        """The metric with an arrow to where it is better."""
        return f"{self.metric} {'↑' if self.rises else '↓'}"

    @property
    def unit(self) -> str:
        """Unit of the metric, or ""."""
        return " dB" if self.metric.startswith("PSNR") else ""


class Cell(NamedTuple):
    """One number as it is printed.

    Attributes:
        text: The number, `∞`, or a dash.
        value: What to sort by, NaN for a dash.
        interval: `15.10 to 17.92`, or "".
        reported: The paper's number, or "".
        difference: How far ours is from it, signed, where that is more than `APART`; else "".
        rank: 1 for the best of its column, 2 for the second, else 0.
        mark: Letter of the note that explains it, or "".
    """

    text: str
    value: float
    interval: str
    reported: str
    difference: str
    rank: int
    mark: str


class Line(NamedTuple):
    """One method of a grid; `mark` is the letter of the note that says why it has dashes."""

    method: str
    order: str
    track: str
    mark: str
    cells: tuple[Cell, ...]


class Note(NamedTuple):
    """A footnote."""

    mark: str
    text: str


@dataclass(frozen=True)
class Grid:
    """A table that can be read.

    Attributes:
        table: Name of its csv file without the ending.
        qf: Quality factor, None for uncompressed images.
        protocol: `paper` or `sound`.
        track: That of its learned methods.
        caption: One paragraph.
        columns: From left to right.
        lines: From top to bottom.
        notes: In the order of their marks.
    """

    table: str
    qf: int | None
    protocol: str
    track: Track
    caption: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Scope:
    """What a profile's tables should hold, whether or not it was measured.

    Attributes:
        records: Chain -> what it is made of, in the order of lines.
        datasets: Test sets in the order of columns.
        missing: Test set -> why it has no numbers.
        draws: Resamples behind each interval.
        about: Sentences that captions end with, such as how things were measured.
    """

    records: Mapping[str, ChainRecord]
    datasets: Sequence[str]
    missing: Mapping[str, str] = field(default_factory=dict)
    draws: int = 2000
    about: str = ""


class _Notes:
    """Footnotes in the order in which they are first needed."""

    def __init__(self) -> None:
        self.marks: dict[str, str] = {}

    def mark(self, reason: str) -> str:
        if not reason:
            return ""
        count = len(self.marks)
        letters = string.ascii_lowercase
        return self.marks.setdefault(reason, letters[count % 26] * (count // 26 + 1))

    def listed(self) -> tuple[Note, ...]:
        return tuple(Note(mark, reason) for reason, mark in self.marks.items())


def build(table: str, cells: pd.DataFrame, scope: Scope) -> list[Grid]:
    """Return the grids of one table: protocol `paper` first, then `sound`, QF by QF.

    Args:
        table: Key of `TITLES`.
        cells: As `benchmark.tables.cells` makes them, all of this table.
        scope: What they should hold.
    """
    if table == "table_7":
        cells, scope = _with_uncompressed(cells, scope)
    grids = []
    for qf in dict.fromkeys(None if pd.isna(qf) else int(qf) for qf in cells["qf"]):
        at_qf = cells[cells["qf"].isna() if qf is None else cells["qf"] == qf]
        for protocol in ("paper", "sound"):
            chosen = at_qf[at_qf["protocol"] == protocol]
            for track in shown_tracks(scope.records) if len(chosen) else []:
                grids.append(_grid(table, qf, protocol, track, chosen, scope))
    return grids


def _with_uncompressed(cells: pd.DataFrame, scope: Scope) -> tuple[pd.DataFrame, Scope]:
    """Return Table VII with its few uncompressed inputs as lines beside the compressed ones."""
    raw = cells["qf"].isna()
    qfs = cells.loc[~raw, "qf"].unique()
    records = dict(scope.records)
    if not (raw.any() and len(qfs)):
        return cells, scope
    named = cells[raw].assign(chain=cells["chain"] + UNCOMPRESSED, reported=math.nan)
    for chain, record in scope.records.items():
        if chain in set(cells.loc[raw, "chain"]):
            added = replace(record, title=record.title + UNCOMPRESSED)
            records = {chain + UNCOMPRESSED: added, **records}
    extra = [named.assign(qf=qf) for qf in qfs]
    return (
        pd.concat([cells[~raw], *extra], ignore_index=True).astype({"qf": "Int64"}),
        replace(scope, records=records),
    )


def _grid(
    table: str, qf: int | None, protocol: str, track: Track, cells: pd.DataFrame, scope: Scope
) -> Grid:
    listed = list(scope.records.values())
    tracks = [record.track_under(track) for record in listed]
    reasons = [record.absence(track) for record in listed]
    shown = cells[cells["track"].isin(set(tracks))]
    notes = _Notes()
    marks = [
        ",".join(map(notes.mark, [reason] if reason else record.unlike_published(own)))
        for record, own, reason in zip(listed, tracks, reasons, strict=True)
    ]
    controls = [record.uses_reference for record in listed]
    columns = [Column(d, m) for d in scope.datasets for m in dict.fromkeys(cells["metric"])]
    at = {tuple(row[key] for key in _KEYS): row for row in shown.to_dict("records")}
    printed = _printed(table, qf, scope.records) if protocol == "paper" else _noted(shown)
    images = {str(d): int(n) for d, n in shown.groupby("dataset")["n"].max().items()}
    across = []
    for column in columns:
        down = []
        for chain, own, reason, control in zip(
            scope.records, tracks, reasons, controls, strict=True
        ):
            row = at.get((chain, own, *column))
            why = "" if reason else _why(row, column, images, scope)
            if why and row is None and control and column.dataset in images:
                why = f"{column.dataset} has no normal-light images"
            down.append(_cell(row, column, printed.get((chain, *column)), notes.mark(why)))
        across.append(_ranked(down, column, controls))
    lines = [
        Line(record.title, record.order, own, mark, cells_of_line)
        for record, own, mark, cells_of_line in zip(
            listed, tracks, marks, zip(*across, strict=True), strict=True
        )
    ]
    heading = f"{TITLES[table]}, QF {qf}" if qf else TITLES[table]
    reading = " ".join(filter(None, [_reading(shown, scope), scope.about]))
    caption = f"{heading}: protocol {protocol}, {TRACKS[track]}. {reading}"
    return Grid(table, qf, protocol, track, caption, tuple(columns), tuple(lines), notes.listed())


def _printed(
    table: str, qf: int | None, records: Mapping[str, ChainRecord]
) -> dict[tuple[str, str, str], float]:
    """Return chain, set and metric -> the paper's number at a quality factor."""
    chains = by_printed_name(records)
    cells = reported.cells((PRINTED[table],) if table in PRINTED else ("III", "IV"))
    rows = cells[cells["qf"] == qf].to_dict("records")
    return {
        (chains[row["method"], row["order"]], row["dataset"], row["metric"]): row["reported"]
        for row in rows
        if (row["method"], row["order"]) in chains
    }


def _noted(cells: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Return the paper's numbers that cells hold themselves, keyed as by `_printed`."""
    keys = ["chain", "dataset", "metric", "reported"]
    beside = cells.dropna(subset=["reported"])[keys]
    return {(c, d, m): float(v) for c, d, m, v in beside.itertuples(index=False, name=None)}


def _why(
    row: Mapping[Any, Any] | None, column: Column, images: Mapping[str, int], scope: Scope
) -> str:
    """Return the note that a cell needs, or ""."""
    if row is None:
        return scope.missing.get(column.dataset, f"no image of {column.dataset} was scored")
    total = images[column.dataset]
    if row["n"] == total:
        return ""
    equal = f"{total - row['n']} of {total} images equal their reference"
    return f"{equal}: their PSNR is infinite and not in the mean"


def _cell(row: Mapping[Any, Any] | None, column: Column, printed: float | None, mark: str) -> Cell:
    decimals = column.decimals
    beside = "" if printed is None else f"{printed:.{decimals}f}"
    if row is None:
        return Cell(DASH, math.nan, "", beside, "", 0, mark)
    if math.isinf(row["value"]):
        return Cell(INFINITE, row["value"], "", beside, "", 0, mark)
    interval = f"{row['ci_low']:.{decimals}f} to {row['ci_high']:.{decimals}f}"
    far = abs(row["difference"]) > APART.get(column.metric, math.inf)  # NaN is not far
    apart = f"{row['difference']:+.{decimals}f}".replace("-", "−") if far else ""
    return Cell(f"{row['value']:.{decimals}f}", row["value"], interval, beside, apart, 0, mark)


def _ranked(down: Sequence[Cell], column: Column, controls: Sequence[bool]) -> list[Cell]:
    """Return the cells of a column with the best and second ranked; equal texts rank equally.

    Args:
        down: The cells, one for each line.
        column: The column they stand in.
        controls: Which lines have no rank, because they use the reference.
    """
    sign = -1.0 if column.rises else 1.0
    rivals = [cell for cell, control in zip(down, controls, strict=True) if not control]
    shown = {cell.text: sign * round(cell.value, column.decimals) for cell in rivals}
    numbers = [text for text in shown if text != DASH]
    best = sorted(numbers, key=shown.__getitem__)[:2] if len(numbers) > 1 else []
    return [
        cell._replace(rank=best.index(cell.text) + 1 if cell.text in best and not control else 0)
        for cell, control in zip(down, controls, strict=True)
    ]


def _reading(cells: pd.DataFrame, scope: Scope) -> str:
    """Return the caption's sentences on what was averaged and how sure the means are."""
    images = cells.groupby("dataset", sort=False)["n"].max()
    counts = ", ".join(f"{dataset} {n}" for dataset, n in images.items())
    half = (cells["ci_high"] - cells["ci_low"]) / 2  # NaN where both ends are infinite
    widths = [
        f"{metric} {width:.{Column('', str(metric)).decimals}f}{Column('', str(metric)).unit}"
        for metric, width in half.groupby(cells["metric"], sort=False).median().dropna().items()
    ]
    return (
        f"Images: {counts}. Best in bold, second underlined. Median half-width of the 95 % "
        f"bootstrap intervals over images ({scope.draws} resamples): {', '.join(widths)}."
    )
