"""What the seed of a training moves: spread of scores, differences over seeds and images."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.core import statistics
from benchmark.methods.records import ChainRecord
from benchmark.tables import cells, grid
from benchmark.tables.cells import BootstrapSettings
from benchmark.tables.output import Page, Sheet, page

METRICS = ("psnr", "ssim")
PROTOCOL = "sound"
COLUMNS = [*cells.KEYS, "n", "seeds", "value", "sd", "least", "most"]
NOTES = (
    "Mean over images of each training, then over trainings that differ in their seed alone: "
    "first weights, crops and noise. In brackets the standard deviation over seeds, and the least "
    "and the most. Protocol `sound`. Methods that are not listed were trained once.",
)


class Scores:
    """Scores of every seed, image by image.

    Args:
        rows: See `benchmark.scoring.seeds.read`.
    """

    def __init__(self, rows: pd.DataFrame) -> None:
        chosen = rows[(rows["protocol"] == PROTOCOL) & rows["metric"].isin(METRICS)]
        chosen = chosen.assign(qf=chosen["qf"].astype("float64").fillna(0).astype(int))
        self._tables = {
            (str(chain), str(dataset), int(str(qf)), cells.SPELLING[str(metric)]): group.pivot(
                index="seed", columns="image", values="value"
            )
            for (chain, dataset, qf, metric), group in chosen.groupby(
                ["chain", "dataset", "qf", "metric"], sort=False
            )
        }

    def of(self, chain: str, dataset: str, qf: int, metric: str) -> pd.DataFrame | None:
        """Return a row for each seed and a column for each image; None for a chain of one seed.

        Args:
            chain: Its name.
            dataset: Of the images.
            qf: 0 for uncompressed images.
            metric: As tables spell it.
        """
        return self._tables.get((chain, dataset, qf, metric))

    def spread(self, records: Mapping[str, ChainRecord]) -> pd.DataFrame:
        """Return the mean of every chain of several seeds with its spread, with `COLUMNS`."""
        found = []
        for (chain, dataset, qf, metric), table in self._tables.items():
            record = records[chain]
            means = table.replace(np.inf, np.nan).mean(axis=1).to_numpy()
            cell: dict[str, Any] = {"method": record.title, "order": record.order}
            cell |= {"dataset": dataset, "qf": qf or None, "metric": metric}
            cell |= {"protocol": PROTOCOL, "track": "retrained", "n": table.shape[1]}
            cell |= {"seeds": len(means), "value": means.mean(), "sd": means.std(ddof=1)}
            found.append(cell | {"least": means.min(), "most": means.max()})
        made = pd.DataFrame(found, columns=COLUMNS).astype({"qf": "Int64"})
        return made.round(cells.DECIMALS)


class Paired(NamedTuple):
    """Differences of two methods.

    Attributes:
        mean: Their mean, over seeds and images, with its interval.
        apart: (images,) the finite differences by image, means over seeds.
    """

    mean: statistics.Mean
    apart: NDArray[np.floating[Any]]


def difference(
    values: tuple["pd.Series[float]", "pd.Series[float]"],
    seeds: tuple[pd.DataFrame | None, pd.DataFrame | None],
    by: float,
    resampling: BootstrapSettings,
) -> Paired | None:
    """Return the mean of paired differences over images, and over seeds where there are several.

    Images without a finite difference are left out.

    Args:
        values: Image -> score of both methods, means over their seeds.
        seeds: Their scores by seed, or None for a method of one.
        by: What is subtracted from the difference.
        resampling: Of images and seeds.

    Returns:
        None where no image has a finite difference.
    """
    every = (values[0] - values[1] - by).sort_index()
    kept = every[np.isfinite(every)].index
    if not len(kept):
        return None
    apart = every[kept].to_numpy(dtype=np.float64)
    if seeds[0] is None and seeds[1] is None:
        return Paired(statistics.mean_interval(apart, *resampling), apart)
    first, second = (
        value[kept].to_numpy(dtype=np.float64)[None] if table is None else table[kept].to_numpy()
        for value, table in zip(values, seeds, strict=True)
    )
    return Paired(statistics.seeded_interval(first - by, second, *resampling), apart)


def pages(scores: Scores, records: Mapping[str, ChainRecord]) -> list[Page]:
    """Return the table `table_seeds`; none where every method was trained once."""
    table = scores.spread(records)
    if table.empty:
        return []
    sheets = [_sheet(group) for _, group in table.groupby(["dataset", "metric"], sort=False)]
    return [page("table_seeds", "What the seed of a training moves", table, sheets, NOTES)]


def _sheet(table: pd.DataFrame) -> Sheet:
    first = table.iloc[0]
    decimals = grid.Column(first["dataset"], first["metric"]).decimals
    qfs = sorted({0 if pd.isna(qf) else int(qf) for qf in table["qf"]}, key=lambda qf: -(qf or 101))
    rows = []
    for key, group in table.groupby(["method", "order"], sort=False):
        at = {0 if pd.isna(r["qf"]) else int(r["qf"]): r for r in group.to_dict("records")}
        texts = [_told(at[qf], decimals) if qf in at else grid.DASH for qf in qfs]
        rows.append([*map(str, key if isinstance(key, tuple) else (key,)), *texts])
    caption = f"{first['metric']} on {first['dataset']}, {int(table['n'].max())} images."
    heads = ["Method", "Order", *(f"QF {qf}" if qf else "none" for qf in qfs)]
    return Sheet(caption, heads, rows, words=2)


def _told(row: Mapping[Any, Any], decimals: int) -> str:
    mean, sd, least, most = (
        f"{row[name]:.{decimals}f}" for name in ("value", "sd", "least", "most")
    )
    return f"{mean} ({sd}; {least} to {most}; {int(row['seeds'])} seeds)"
