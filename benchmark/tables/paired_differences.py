"""The paper's method against each other one, paired image by image."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from benchmark.core import statistics
from benchmark.methods.records import ChainRecord
from benchmark.tables import cells, competitors, grid, seeds
from benchmark.tables.cells import BootstrapSettings
from benchmark.tables.output import Page, Sheet, page

METRICS = ("psnr", "ssim")
COLUMNS = [
    *cells.KEYS, "n", "value", "ci_low", "ci_high", "ahead", "behind", "p", "p_holm"
]  # fmt: skip
SIGNIFICANT = 0.05


def differences(
    rows: pd.DataFrame,
    records: Mapping[str, ChainRecord],
    resampling: BootstrapSettings,
    scores: seeds.Scores | None = None,
) -> pd.DataFrame:
    """Return the paper's method minus each other one, column by column.

    A family of tests, corrected together after Holm, is one metric on one data set at one quality
    factor on one track. Methods without weights are tested with the retrained ones where there are
    any.

    Args:
        rows: See `benchmark.scoring.results`.
        records: Chain -> what it is made of.
        resampling: Of the images, and of seeds where there are several.
        scores: Of every seed, for methods that were trained with several.

    Returns:
        Columns `COLUMNS`: `value` is the mean difference over `n` images with the ends of its 95 %
        bootstrap interval, `ahead` and `behind` count images, `p` is Wilcoxon's.
    """
    tests: list[dict[str, Any]] = []
    tested: set[tuple[str, str]] = set()
    for field in competitors.fields(records):
        others = {
            c: t for c, t in field.tracks.items() if (c, t) not in tested and c != competitors.OWN
        }
        tested |= set(others.items())
        if competitors.OWN not in field.tracks:
            continue
        for column in competitors.columns(rows, field, METRICS):
            tests += _family(column, others, records, resampling, scores)
    return pd.DataFrame(tests, columns=COLUMNS).astype({"qf": "Int64"}).round(cells.DECIMALS)


def _family(
    column: competitors.Column,
    others: Mapping[str, str],
    records: Mapping[str, ChainRecord],
    resampling: BootstrapSettings,
    scores: seeds.Scores | None,
) -> list[dict[str, Any]]:
    tests = []
    for chain in (chain for chain in map(str, column.values) if chain in others):
        both = column.values[competitors.OWN], column.values[chain]
        at = (column.dataset, column.qf or 0, column.metric)
        retrained = {competitors.OWN: "retrained", chain: others[chain]}
        tables = [
            scores.of(name, *at) if scores and track == "retrained" else None
            for name, track in retrained.items()
        ]
        found = seeds.difference(both, (tables[0], tables[1]), 0.0, resampling)
        if found is None:
            continue
        mean, apart = found
        row: dict[str, Any] = {"method": records[chain].title, "order": records[chain].order}
        row |= {"dataset": column.dataset, "qf": column.qf}
        row |= {"metric": f"{column.metric} difference"}
        row |= {"protocol": competitors.PROTOCOL, "track": others[chain], "n": mean.n}
        row |= {"value": mean.value, "ci_low": mean.low, "ci_high": mean.high}
        row |= {"ahead": int(np.sum(apart > 0)), "behind": int(np.sum(apart < 0))}
        tests.append(row | {"p": statistics.signed_ranks(apart)})
    corrected = statistics.holm([row["p"] for row in tests])
    return [row | {"p_holm": float(p)} for row, p in zip(tests, corrected, strict=True)]


def pages(differences: pd.DataFrame) -> list[Page]:
    """Return the table `statistics_mlsm` of `differences`; none where nothing was compared."""
    if differences.empty:
        return []
    sheets = [
        _sheet(group)
        for _, group in differences.assign(
            kind=differences["track"].replace("classical", "retrained")
        ).groupby(["kind", "dataset", "metric"], sort=False)
    ]
    warned = dict.fromkeys(
        f"{dataset}: {statistics.warning(int(group['n'].max()))}."
        for dataset, group in differences.groupby("dataset", sort=False)
        if statistics.warning(int(group["n"].max()))
    )
    notes = [
        "Each cell: the mean over images of MLSM minus the other method, protocol `sound`, with "
        "its 95 % bootstrap interval. A star: the paired Wilcoxon test is below 5 % after Holm's "
        "correction over the rows of the column. Positive: MLSM is ahead.",
        *warned,
    ]
    title = "MLSM against each method, paired by image"
    return [page("statistics_mlsm", title, differences, sheets, notes)]


def _sheet(table: pd.DataFrame) -> Sheet:
    first = table.iloc[0]
    qfs = list(dict.fromkeys(None if pd.isna(qf) else int(qf) for qf in table["qf"]))
    decimals = grid.Column(first["dataset"], first["metric"]).decimals
    rows = []
    for key, group in table.groupby(["method", "order", "track"], sort=False):
        by_qf = {None if pd.isna(r["qf"]) else int(r["qf"]): r for r in group.to_dict("records")}
        texts = [_told(by_qf[qf], decimals) if qf in by_qf else grid.DASH for qf in qfs]
        rows.append([*map(str, key if isinstance(key, tuple) else (key,)), *texts])
    caption = (
        f"{str(first['metric']).split()[0]} of MLSM minus that of each method on "
        f"{first['dataset']}, {int(table['n'].max())} images, protocol sound, "
        f"{grid.TRACKS[first['kind']]}. Positive: MLSM is ahead; a star: significant at "
        "5 % (paired Wilcoxon, Holm)."
    )
    heads = ["Method", "Order", "Weights", *(f"QF {qf}" if qf else "none" for qf in qfs)]
    return Sheet(caption, heads, rows, words=3)


def _told(row: Mapping[Any, Any], decimals: int) -> str:
    numbers = [f"{row[name]:+.{decimals}f}" for name in ("value", "ci_low", "ci_high")]
    mean, low, high = (number.replace("-", "−") for number in numbers)
    star = "*" if row["p_holm"] < SIGNIFICANT else ""
    return f"{mean}{star} ({low} to {high})"
