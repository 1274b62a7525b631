"""What is wrong inside the paper's own tables, computed from its printed numbers.

Nothing here was measured by this suite: every finding follows from `results/paper/reported.csv` and
from the counts that the text states, so a reader can check it with the paper beside them.
Source of all numbers: arXiv:2403.07622v1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from benchmark.core import reported

ROW = ["table", "qf", "method", "order"]
CURVE = ["method", "order", "dataset"]
METRICS = ("PSNR", "SSIM", "PSNR-B")
LARGE_STEP_DB = 0.5
"""A change of PSNR between neighbouring quality factors that the QF does not explain: most are
under 0.1 dB."""
LARGE_OFFSET_DB = 0.3
"""A departure of PSNR-B minus PSNR from its median over the quality factors."""
THIN = {"PSNR": 0.02, "PSNR-B": 0.02, "SSIM": 0.004, "mAP": 0.0005}
"""A lead over the second that rounding, one image or another run could reverse."""


@dataclass(frozen=True)
class Finding:
    """A finding: one thing that does not fit.

    Attributes:
        key: Short name, also its anchor.
        title: The finding as a sentence.
        where: Section or table of the paper.
        evidence: Sentences with the numbers.
        consequence: What a user of the numbers should do about it.
        rows: The cells behind it; may be empty.
        picture: File beside the page that shows it, or "".
    """

    key: str
    title: str
    where: str
    evidence: str
    consequence: str
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    picture: str = ""


def quality(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of Tables III and IV alone."""
    return numbers[numbers["table"].isin(["III", "IV"])]


def wide(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each method, order, data set and QF, with a column for each metric."""
    keys = [*CURVE, "qf"]
    table = quality(numbers).pivot(index=keys, columns="metric", values="value")
    return table.reset_index().rename_axis(columns=None)


def training_counts(numbers: pd.DataFrame) -> list[Finding]:
    """Compare the sums of Tables I and II with what captions and text state."""
    findings = []
    for name, sets in reported.TRAINING_SETS.items():
        total = sum(sets.values())
        odd = {where: n for where, n in reported.STATED_COUNTS[name].items() if n != total}
        if odd:
            statements = ", ".join(f"the {where} {n}" for where, n in odd.items())
            findings.append(
                Finding(
                    "training-count",
                    "The text counts a thousand dark images more than its table",
                    "Sec. IV-B and Table I",
                    f"The rows of Table I sum to {total}; {statements}.",
                    f"Use {total}: rows and caption agree.",
                    pd.DataFrame(list(sets.items()), columns=["data set", "images"]),
                )
            )
    return findings


def threshold(numbers: pd.DataFrame) -> list[Finding]:
    """Compare the IoU thresholds of Table VII with the one that the text speaks of."""
    metrics = numbers[numbers["table"] == "VII"]["metric"].unique()
    printed = sorted(float(metric.partition("@")[2]) for metric in metrics)
    if reported.STATED_HIGHEST_IOU in printed:
        return []
    return [
        Finding(
            "iou-threshold",
            "The text reads Table VII at a threshold that the table does not have",
            "Sec. IV-G and Table VII",
            f"The text says {reported.STATED_HIGHEST_IOU:g}, the columns are "
            f"{', '.join(f'{iou:g}' for iou in printed)}.",
            f"Read {printed[-1]:g}.",
        )
    ]


def copies(numbers: pd.DataFrame) -> list[Finding]:
    """Find rows of one table and QF that are equal in every cell."""
    printed = quality(numbers).pivot(index=ROW, columns=["dataset", "metric"], values="printed")
    rows = printed[printed.duplicated(keep=False)].index.to_frame(index=False)
    if rows.empty:
        return []
    earlier = wide(numbers)
    series = []
    for name in rows["method"]:
        at = (earlier["method"] == name) & (earlier["dataset"] == "LOL") & (earlier["qf"] > 60)
        values = earlier[at].sort_values("qf", ascending=False)["PSNR"]
        series.append(
            f"{name} has {', '.join(f'{v:.2f}' for v in values)} dB on LOL at QF 90 to 70"
        )
    return [
        Finding(
            "copied-row",
            "Two methods share all nine values of a row",
            "Table IV, QF 60",
            f"{' and '.join(rows['method'])} agree in every cell; {'; '.join(series)}.",
            "Treat the row that does not continue its own series as missing.",
            rows,
        )
    ]


def psnr_b_above_psnr(numbers: pd.DataFrame) -> list[Finding]:
    """Count cells whose PSNR-B exceeds their PSNR; impossible for one channel (BEF is not < 0)."""
    cells = wide(numbers)
    cells["offset"] = cells["PSNR-B"] - cells["PSNR"]
    above = cells[cells["offset"] > 1e-9]
    by_set = [
        {
            "data set": name,
            "cells": len(group),
            "PSNR-B above PSNR": int((group["offset"] > 1e-9).sum()),
            "median offset (dB)": round(float(group["offset"].median()), 2),
            "largest (dB)": round(float(group["offset"].max()), 2),
        }
        for name, group in cells.groupby("dataset", sort=False)
    ]
    return [
        Finding(
            "psnr-b-above-psnr",
            "PSNR-B lies above PSNR in most cells",
            "Tables III and IV",
            f"{len(above)} of {len(cells)} cells, by up to {above['offset'].max():.2f} dB. "
            "PSNR-B adds a blocking term that is never negative to the same squared error, so on "
            "one channel it cannot exceed PSNR.",
            "The two columns were computed on different channels; do not read their difference as "
            "blocking.",
            pd.DataFrame(by_set),
        )
    ]


def offset_is_colour(numbers: pd.DataFrame) -> list[Finding]:
    """Show that PSNR-B minus PSNR hardly depends on the quality factor."""
    cells = wide(numbers)
    cells["offset"] = cells["PSNR-B"] - cells["PSNR"]
    spread = cells.groupby(CURVE, sort=False)["offset"].agg(lambda v: v.max() - v.min())
    of_set = spread.groupby("dataset", sort=False).median()
    outliers = _departures(cells)
    medians = ", ".join(f"{name} {value:.2f} dB" for name, value in of_set.items())
    return [
        Finding(
            "offset-without-qf",
            "PSNR-B minus PSNR does not grow as compression gets harder",
            "Tables III and IV",
            "Median over methods of the range of the offset from QF 90 to 60: "
            f"{medians}. Blocking would grow; a colour cast would not.",
            "Take the PSNR-B column for PSNR of another channel.",
        ),
        Finding(
            "offset-outliers",
            "Single cells leave their method's offset",
            "Tables III and IV",
            f"{len(outliers)} cells depart by more than {LARGE_OFFSET_DB:g} dB from the median "
            "offset of their method and data set.",
            "One of the two numbers of such a cell is from another run or a slip.",
            outliers,
        ),
    ]


def _departures(cells: pd.DataFrame) -> pd.DataFrame:
    median = cells.groupby(CURVE)["offset"].transform("median")
    far = cells[(cells["offset"] - median).abs() > LARGE_OFFSET_DB]
    return far.assign(usual=median[far.index])[
        [*CURVE, "qf", "PSNR", "PSNR-B", "offset", "usual"]
    ].round(2)


def steps(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return the change of every metric from each quality factor to the next harder one."""
    cells = quality(numbers).sort_values("qf", ascending=False, kind="stable")
    grouped = cells.groupby([*CURVE, "metric"], sort=False)
    changed = cells.assign(
        harder=grouped["qf"].shift(-1),
        change=grouped["value"].shift(-1) - cells["value"],
        then=grouped["value"].shift(-1),
    ).dropna(subset=["harder"])
    return changed.astype({"harder": int})[
        [*CURVE, "metric", "qf", "harder", "value", "then", "change"]
    ]


def another_run(numbers: pd.DataFrame) -> list[Finding]:
    """Show that the plain enhancers' QF 90 rows do not belong with their QF 80 to 60 rows."""
    changed = steps(numbers)
    plain = changed[changed["order"] == "enhance"]
    sizes = plain.assign(size=plain["change"].abs()).pivot_table(
        index=["dataset", "metric"], columns="qf", values="size", aggfunc="mean", sort=False
    )
    ratio = sizes[90] / sizes[80]
    first = plain[plain["qf"] == 90]
    limits = first["metric"].map({"PSNR": 0.5, "PSNR-B": 0.5, "SSIM": 0.05})
    rising = first[first["change"] > limits]
    lsrw = {metric: sizes.xs(("LSRW", metric)) for metric in ("PSNR", "SSIM")}
    return [
        Finding(
            "qf-90-rows",
            "The QF 90 rows of the enhancers come from another run than their QF 80 to 60 rows",
            "Table III against Table IV",
            f"On LSRW the mean step from QF 90 to 80 is {lsrw['PSNR'][90]:.2f} dB and "
            f"{lsrw['SSIM'][90]:.3f} SSIM, from 80 to 70 it is {lsrw['PSNR'][80]:.2f} dB and "
            f"{lsrw['SSIM'][80]:.3f}; over all sets and metrics the first step is "
            f"{ratio.median():.1f} times the second (median). {len(rising)} values rise by over "
            "0.5 dB or 0.05 SSIM although compression gets harder.",
            "Do not read a trend from QF 90 to 80 in these rows. Not every rise of SSIM is a slip: "
            "harder compression removes noise too, and LIME's SSIM rises in our own run as well; "
            "gains of PSNR and the jumps on LSRW are not explained by that.",
            rising.drop(columns="order").round(4),
        )
    ]


def shared_jumps(numbers: pd.DataFrame) -> list[Finding]:
    """Find steps that a method and its chains with a deblocker afterwards take together."""
    changed = steps(numbers)
    large = changed[(changed["metric"] == "PSNR") & (changed["change"].abs() > LARGE_STEP_DB)]
    later = large[large["qf"] < 90]
    findings = []
    for row in later[later["order"] == "enhance"].to_dict("records"):
        chained = later[
            later["method"].str.startswith(f"{row['method']}+")
            & (later["order"] == "enhance+deblock")
            & (later["dataset"] == row["dataset"])
            & (later["qf"] == row["qf"])
        ]
        if chained.empty:
            continue
        findings.append(
            Finding(
                "shared-jump",
                f"{row['method']} on {row['dataset']} changes between QF {row['qf']} and "
                f"{row['harder']}, and with it every chain built on its output",
                "Tables III and IV",
                f"{row['method']} {row['change']:+.2f} dB, "
                + ", ".join(f"{r.method} {r.change:+.2f} dB" for r in chained.itertuples())
                + "; with the deblocker first there is no such step.",
                "The base output was made again under another setting; compare within one QF only.",
            )
        )
    return findings


def deblocker_first(numbers: pd.DataFrame) -> list[Finding]:
    """Compare each chain on LOL with its enhancer alone."""
    cells = quality(numbers)
    cells = cells[(cells["metric"] == "PSNR") & (cells["dataset"] == "LOL")]
    copied = [
        key for finding in copies(numbers) for key in finding.rows[ROW].itertuples(index=False)
    ]
    cells = cells[~pd.MultiIndex.from_frame(cells[ROW]).isin(copied)]
    alone = cells[cells["deblocker"] == ""].set_index(["enhancer", "qf"])["value"]
    chains = cells[(cells["deblocker"] != "") & (cells["enhancer"] != "")].copy()
    keys = pd.MultiIndex.from_frame(chains[["enhancer", "qf"]])
    chains["gain"] = chains["value"] - alone.reindex(keys).to_numpy()
    table = (
        chains.groupby(["deblocker", "order"], sort=False)["gain"]
        .agg(["min", "median", "max"])
        .round(2)
        .reset_index()
    )
    first = chains[(chains["deblocker"] == "EDSR") & (chains["order"] == "deblock+enhance")]
    return [
        Finding(
            "edsr-first",
            "EDSR before an enhancer costs decibels that no artefact remover can cost",
            "Tables III and IV, LOL",
            f"EDSR first changes PSNR by {first['gain'].max():+.2f} to {first['gain'].min():+.2f} "
            f"dB in all {len(first)} rows (copied ones left out); the other order costs nothing, "
            "nor does QGCN after an enhancer. A deblocker at scale 1 leaves exposure alone.",
            "Take the rows with EDSR first for a fault of value range or scale, not for a result.",
            table,
        )
    ]


def monotone(numbers: pd.DataFrame) -> list[Finding]:
    """Count curves that never rise as compression gets harder."""
    cells = quality(numbers).sort_values("qf", ascending=False, kind="stable")
    falls = (
        cells.groupby([*CURVE, "metric"], sort=False)["value"]
        .agg(lambda v: bool((v.diff().dropna() <= 0).all()))
        .groupby("metric", sort=False)
        .agg(["sum", "size"])
    )
    counts = ", ".join(f"{m} {row['sum']} of {row['size']}" for m, row in falls.iterrows())
    own = cells[(cells["method"] == "MLSM") & (cells["metric"] == "PSNR")]
    series = "; ".join(
        f"{name} {', '.join(group['printed'])}"
        for name, group in own.groupby("dataset", sort=False)
    )
    return [
        Finding(
            "not-monotone",
            "Most curves rise somewhere although compression gets harder",
            "Tables III and IV",
            f"Curves that never rise from QF 90 to 60: {counts}. MLSM's own PSNR: {series}.",
            "Differences between methods below the size of these reversals (up to 0.7 dB within "
            "MLSM) mean nothing.",
        )
    ]


CHECKS: Sequence[Callable[[pd.DataFrame], list[Finding]]] = (
    training_counts,
    threshold,
    copies,
    psnr_b_above_psnr,
    offset_is_colour,
    another_run,
    shared_jumps,
    deblocker_first,
    monotone,
)
"""Checks of consistency, in the order of the report; `rankings` adds those of who leads."""
