"""One HTML file that shows a profile's results: opens from disk, loads nothing else."""

import base64
import functools
import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jinja2
import pandas as pd

from benchmark import grids, paper
from benchmark.grids import Grid, Scope

LEGEND = (
    "A method keeps its colour in every figure; dashes: deblocked first, dash-dots: deblocked "
    "afterwards, dots: deblocked only, thick: MLSM. Panels as in the paper's figures; the dark "
    "input (Identity) and MLSM stand in each."
)


class Picture(NamedTuple):
    """A figure.

    Attributes:
        name: Of its files, without ending.
        png: Content of the PNG file.
        alt: What a reader who cannot see it should know.
        caption: What it shows.
    """

    name: str
    png: bytes
    alt: str
    caption: str

    @property
    def source(self) -> str:
        """The picture as a data URI."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")


class Trained(NamedTuple):
    """How the training of one part went.

    Attributes:
        part: What was trained.
        steps: Optimiser steps.
        share: Of the published steps, or "" where a part has no published number of its own.
        losses: The last ones.
        psnr: On validation crops.
        shortfall: How far the method's rows are from the paper's, or why that cannot be told.
    """

    part: str
    steps: int
    share: str
    losses: str
    psnr: str
    shortfall: str


@dataclass(frozen=True)
class Content:
    """Everything a report shows.

    Attributes:
        profile: Name.
        title: What the profile is, in a line.
        facts: Label -> text: sets, quality factors, weights, ...
        notes: Sentences that a reader must know before the numbers.
        quality: One grid a set, quality factor, protocol and kind of weights.
        faces: Grids of Table VII.
        no_faces: Why there are none, or "".
        counts: Table I and II with title, note and rows.
        pictures: Figures.
        absences: Track -> method -> why it has no numbers.
        training: Trained parts.
        provenance: As provenance.json holds it.
    """

    profile: str
    title: str
    facts: Mapping[str, str]
    notes: Sequence[str]
    quality: Sequence[Grid]
    faces: Sequence[Grid]
    no_faces: str
    counts: Sequence[tuple[str, str, pd.DataFrame]]
    pictures: Sequence[Picture]
    absences: Mapping[str, Mapping[str, str]]
    training: Sequence[Trained]
    provenance: Mapping[str, Any]


def quality_grids(cells: Mapping[str, pd.DataFrame], scope: Scope) -> list[Grid]:
    """Return the grids of the switchable table, a data set each.

    Args:
        cells: Table -> its cells, in the order of `grids.TITLES`.
        scope: What they should hold.
    """
    made = []
    for dataset in scope.datasets:
        one = Scope(scope.records, [dataset], scope.missing, scope.draws)
        for table, of_table in cells.items():
            of_set = of_table[of_table["dataset"] == dataset]
            made += grids.build(table, of_set, one)
    return made


def trained(
    logs: Mapping[str, pd.DataFrame],
    records: Mapping[str, Any] | None = None,
    cells: pd.DataFrame | None = None,
) -> list[Trained]:
    """Summarise training logs: steps, last losses, validation PSNR from first to best and last.

    Args:
        logs: Trained part -> log.
        records: Chain -> what it is made of (`provenance.chain_record`).
        cells: Of the tables beside the paper's, for how far a method is from its printed rows.
    """
    made = []
    for part, log in logs.items():
        last = log.iloc[-1]
        terms = [column for column in log.columns if "/" in column]
        losses = ", ".join(f"{term} {last[term]:.3g}" for term in terms)
        psnr = "not validated"
        if "validation_psnr" in log.columns:
            seen = log["validation_psnr"].dropna()
            psnr = f"{seen.iloc[0]:.2f} → {seen.iloc[-1]:.2f} (best {seen.max():.2f})"
        record = (records or {}).get(part)
        done, published = (record or {}).get("budgets", {}).get(part, (0, 0))
        share = f"{done / published:.2%} of {published:,}" if published else ""
        shortfall = _shortfall(record, cells) if record is not None and cells is not None else ""
        made.append(Trained(part, int(last["step"]), share, losses, psnr, shortfall))
    return made


def _shortfall(record: Mapping[str, Any], cells: pd.DataFrame) -> str:
    """Return the differences of a method's retrained PSNR from the paper's, set by set."""
    rows = cells[
        (cells["method"] == record["title"])
        & (cells["metric"] == "PSNR")
        & (cells["protocol"] == "paper")
        & (cells["track"] == "retrained")
    ]
    if rows["reported"].isna().all():
        return "not in the paper"
    beside = rows.dropna(subset=["difference"])
    if beside.empty:
        return "other data than the paper's"
    told = [
        f"{dataset} " + ", ".join(f"{d:+.2f} (QF {q})" for q, d in zip(*pair, strict=True))
        for dataset, group in beside.groupby("dataset", sort=False)
        for pair in [(group["qf"], group["difference"])]
    ]
    return "; ".join(told).replace("-", "−") + " dB"


def describe_learning(logs: Mapping[str, pd.DataFrame]) -> tuple[str, str]:
    """Return alternative text and caption of the learning curves."""
    seen = "; ".join(f"{line.part}: {line.psnr} dB" for line in trained(logs))
    return (
        f"Losses and validation PSNR against training step. Validation PSNR: {seen}.",
        "Learning curves: loss terms as weighted (left axes) and PSNR on validation crops "
        "(right axes, black) of every trained part.",
    )


def describe_quality(cells: Mapping[str, pd.DataFrame], weights: str) -> tuple[str, str]:
    """Return alternative text and caption of quality against quality factor.

    Args:
        cells: Table -> its cells.
        weights: Key of `grids.WEIGHTS`.
    """
    compressed = pd.concat([cells[name] for name in grids.QUALITY[:3]], ignore_index=True)
    chosen = compressed[
        (compressed["protocol"] == "sound")
        & (compressed["metric"] == "PSNR")
        & compressed["track"].isin(["classical", weights])
    ]
    best = chosen.loc[chosen.groupby(["dataset", "qf"], sort=False)["value"].idxmax()]
    told = "; ".join(
        f"{row['dataset']} QF {row['qf']}: {row['method']} {row['value']:.2f} dB"
        for row in best.to_dict("records")
    )
    return (
        f"PSNR and SSIM of every method against the JPEG quality factor. Highest PSNR: {told}.",
        f"Image quality against the JPEG quality factor, protocol sound, {grids.WEIGHTS[weights]}. "
        f"{LEGEND}",
    )


def describe_faces(cells: pd.DataFrame, qf: int | None, weights: str) -> tuple[str, str]:
    """Return alternative text and caption of the precision-recall curves; see above."""
    inputs = f"QF {qf}" if qf else "uncompressed inputs"
    at_qf = cells["qf"].isna() if qf is None else cells["qf"] == qf
    chosen = cells[at_qf & (cells["metric"] == "mAP@0.5")]
    chosen = chosen[chosen["track"].isin(["classical", weights])]
    told = "; ".join(
        f"{row['method']} {row['value']:.4f}"
        for row in chosen.sort_values("value", ascending=False).to_dict("records")
    )
    return (
        f"Precision against recall of a face detector at IoU 0.5, {inputs}. "
        f"Average precision: {told}.",
        f"Fig. 11: precision and recall on dark faces, {inputs}, IoU 0.5, raw points, "
        f"{grids.WEIGHTS[weights]}. {LEGEND}",
    )


def flat(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested values as (path, text), such as ("libraries / torch", "2.4.0")."""
    found = []
    for key, value in content.items():
        path = f"{prefix} / {key}" if prefix else str(key)
        if isinstance(value, Mapping):
            found += flat(value, path)
        else:
            found.append((path, str(value)))
    return found


def hashes(records: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return title, track, method and SHA-256 of every weights file behind the tables."""
    return [
        (record["title"], track, step, digest)
        for record in records.values()
        for track, files in record["tracks"].items()
        for step, digest in files.items()
    ]


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("benchmark", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def render(content: Content) -> str:
    """Return the report as one HTML page.

    It needs neither a server nor a network, and is complete without JavaScript, which only adds
    switches and sorting.
    """
    made = [*content.quality, *content.faces]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            content=content,
            choices=_choices(content.quality),
            dash=grids.DASH,
            tables=sorted({grid.table for grid in made}),
            environment=flat(
                {k: v for k, v in content.provenance.items() if k not in ("chains", "params")}
            ),
            hashes=hashes(content.provenance["chains"]),
            paper=paper,
            version=importlib.metadata.version("mlsm-bench"),
        )
    )


def _choices(made: Sequence[Grid]) -> dict[str, list[str]]:
    """Return switch -> its options; see the template for what they are called."""
    return {
        "dataset": list(dict.fromkeys(grid.columns[0].dataset for grid in made)),
        "qf": list(dict.fromkeys(str(grid.qf or "none") for grid in made)),
        "protocol": list(dict.fromkeys(grid.protocol for grid in made)),
        "weights": list(dict.fromkeys(grid.weights for grid in made)),
    }
