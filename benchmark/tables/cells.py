"""Numbers of the tables in long form: one row a cell, with its interval and the paper's number."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from benchmark.core import reported, statistics
from benchmark.core.types import Track
from benchmark.data.labels.boxes import Boxes
from benchmark.faces import average_precision
from benchmark.methods.records import ChainRecord

KEYS = ["method", "order", "dataset", "qf", "metric", "protocol", "track"]
COLUMNS = [*KEYS, "n", "value", "ci_low", "ci_high", "reported", "difference"]
"""Columns of a table's csv file."""
CHAIN_COLUMNS = ["chain", *COLUMNS]
"""Columns of the same cells in memory, where `chain` names the chain of a cell."""
COUNT_COLUMNS = ["dataset", "images", "paper", "difference"]
DECIMALS = 6
"""Decimals kept in csv files: below every tolerance, above the noise of one machine's sums."""

QFS: Mapping[str, tuple[int, ...]] = MappingProxyType({"table_3": (90, 80), "table_4": (70, 60)})
"""Table -> the quality factors the paper prints in it."""
SPELLING: Mapping[str, str] = MappingProxyType(
    {
        "psnr": "PSNR",
        "ssim": "SSIM",
        "psnr_b": "PSNR-B",
        "ssim_rgb": "SSIM-RGB",
        "bef": "BEF",
        "st_lpips": "ST-LPIPS",
        "lpips": "LPIPS",
        "psnr_gtmean": "PSNR-GT-mean",
    }
)
"""Metric of a result row -> how tables spell it, in the order of columns."""
DARK_FACE = "DARK FACE"
"""How the paper spells the set of Table VII."""
FACE_SETS: Mapping[str, str] = MappingProxyType(
    {"DARKFACE": DARK_FACE, "WIDER": "dark WIDER", "WIDER416": "dark WIDER (416 px)"}
)
"""Raw set of labelled images -> how tables spell it; `benchmark.data.camera` darkens WIDER FACE."""


class BootstrapSettings(NamedTuple):
    """A bootstrap over images.

    Attributes:
        seed: Seed of the draws.
        draws: Number of draws.
    """

    seed: int
    draws: int


class DetectionSet(NamedTuple):
    """What a detector found in one chain's outputs.

    Attributes:
        dataset: Raw set of the images.
        chain: Name in params.yaml.
        track: Where its weights come from.
        qf: Quality factor of the dark inputs, None if they were not compressed.
        detections: Image -> boxes with scores.
    """

    dataset: str
    chain: str
    track: Track
    qf: int | None
    detections: Mapping[str, Boxes]


def quality(
    rows: pd.DataFrame,
    records: Mapping[str, ChainRecord],
    datasets: Sequence[str],
    resampling: BootstrapSettings,
    compare: bool,
    printed: tuple[str, ...] = ("III", "IV"),
) -> pd.DataFrame:
    """Return every cell of Tables III and IV and of the table of uncompressed images.

    Args:
        rows: See `benchmark.scoring.results`.
        records: Chain -> what it is made of, in the order of table rows.
        datasets: Test sets in the order of table columns.
        resampling: Of the images.
        compare: Whether the data are the paper's, so that `difference` means something.
        printed: The paper's tables that hold these cells.

    Returns:
        Columns `CHAIN_COLUMNS`. `value` is a mean over `n` images with the ends of its 95 %
        interval; images of infinite PSNR are not among them. `reported` is the paper's number, for
        protocol `paper` where it prints one.
    """
    keys = ["chain", "dataset", "qf", "metric", "protocol", "track"]
    cells = []
    in_order = rows.sort_values("image", kind="stable")  # one draw picks the same images everywhere
    for key, group in in_order.groupby(keys, dropna=False, sort=False, observed=True):
        cell = dict(zip(keys, cast(tuple[Any, ...], key), strict=True))
        record = records[cell["chain"]]
        cell |= {"method": record.title, "order": record.order}
        cell["metric"] = SPELLING[cell["metric"]]
        mean = statistics.mean_interval(group["value"].to_numpy(), *resampling)
        cell |= {"n": mean.n, "value": mean.value, "ci_low": mean.low, "ci_high": mean.high}
        cells.append(cell)
    table = _beside(cells, reported.cells(printed), compare)
    return _ordered(table, list(records), datasets)


def _beside(
    cells: list[dict[str, Any]], printed: pd.DataFrame, compare: bool, protocol: str = "paper"
) -> pd.DataFrame:
    """Return cells with the columns `reported` (for one protocol) and `difference`, rounded."""
    frame = pd.DataFrame(cells, columns=CHAIN_COLUMNS[:-2]).astype({"qf": "Int64", "n": "int64"})
    keys = ["method", "order", "dataset", "qf", "metric"]
    joined = frame.merge(printed.astype({"qf": "Int64"}), on=keys, how="left")
    joined["reported"] = joined["reported"].where(joined["protocol"] == protocol)
    joined["difference"] = joined["value"] - joined["reported"] if compare else np.nan
    numbers = ["value", "ci_low", "ci_high", "difference"]
    joined[numbers] = joined[numbers].round(DECIMALS)
    return joined[CHAIN_COLUMNS]


def _ordered(cells: pd.DataFrame, chains: Sequence[str], datasets: Sequence[str]) -> pd.DataFrame:
    """Sort cells: falling quality factor, then sets, chains and metrics as tables list them."""

    def place(column: str, listed: Iterable[str]) -> pd.Series:
        return cells[column].map({value: i for i, value in enumerate(dict.fromkeys(listed))})

    ranks = pd.DataFrame(
        {
            "qf": -cells["qf"].fillna(101),
            "dataset": place("dataset", datasets),
            "chain": place("chain", chains),
            "kind": cells["protocol"] + cells["track"],
            "metric": place("metric", SPELLING.values()),
        }
    )
    return cells.loc[ranks.sort_values(list(ranks.columns)).index].reset_index(drop=True)


def split(cells: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return table -> its cells; quality factors that the paper lacks go to `table_other_qf`."""
    table = pd.Series("table_other_qf", index=cells.index)
    table[cells["qf"].isna()] = "table_uncompressed"
    for name, qfs in QFS.items():
        table[cells["qf"].isin(qfs)] = name
    return {str(name): group.reset_index(drop=True) for name, group in cells.groupby(table)}


def faces(
    truth: Mapping[str, Mapping[str, Boxes]],
    detection_sets: Iterable[DetectionSet],
    records: Mapping[str, ChainRecord],
    ious: Sequence[float],
    resampling: BootstrapSettings,
) -> pd.DataFrame:
    """Return the cells of Table VII: average precision on dark faces, pooled over a set's images.

    They have the columns of `quality` and stand under protocol `sound`. `reported` is the paper's
    number, for DARK FACE alone, and `difference` is empty: the paper uses another detector
    (PyramidBox at test scales that it does not state).

    Args:
        truth: Raw set -> image -> labelled faces.
        detection_sets: One entry for each set, chain, track and quality factor, in the order of
            table rows.
        records: As `quality` takes them.
        ious: Least overlaps of a hit.
        resampling: Of the images.
    """
    cells = []
    for entry in detection_sets:
        record = records[entry.chain]
        labels = truth[entry.dataset]
        cell: dict[str, Any] = {"chain": entry.chain, "method": record.title, "order": record.order}
        cell |= {"n": len(labels)}
        cell |= {"dataset": FACE_SETS[entry.dataset], "qf": entry.qf}
        cell |= {"protocol": "sound", "track": entry.track}
        for iou in ious:
            low, high = average_precision.ap_interval(labels, entry.detections, iou, *resampling)
            ap = average_precision.evaluate(labels, entry.detections, iou).ap
            cells.append(
                cell | {"metric": f"mAP@{iou:g}", "value": ap, "ci_low": low, "ci_high": high}
            )
    table = _beside(cells, reported.cells(("VII",)), compare=False, protocol="sound")
    return table.sort_values("qf", ascending=False, kind="stable", ignore_index=True)


def counts(merged: pd.DataFrame, name: str, compare: bool) -> pd.DataFrame:
    """Return Table I (`vae_dark`) or II (`mapping_pairs`): images of each set, and their sum.

    Args:
        merged: Columns list, dataset, images.
        name: Which merged list.
        compare: As `quality` takes it.

    Returns:
        Columns `COUNT_COLUMNS`; empty where a set is not in this profile or not in the paper.
    """
    ours = merged[merged["list"] == name].set_index("dataset")["images"]
    printed = pd.Series(reported.TRAINING_SETS[name])
    if "SICE58" in ours.index:  # the other split of the same set, and the likely one of the paper
        printed = printed.rename({"SICE": "SICE58"})
    beside = pd.DataFrame({"images": ours, "paper": printed}).astype("Int64")
    listed = [*printed.index, *(s for s in ours.index if s not in printed.index)]
    beside = beside.loc[listed]
    beside.loc["sum"] = beside.sum()
    beside["difference"] = beside["images"] - beside["paper"] if compare else pd.NA
    return beside.rename_axis("dataset").reset_index()[COUNT_COLUMNS]


def csv_text(cells: pd.DataFrame) -> str:
    """Return the text of a table's csv file."""
    return cells.to_csv(index=False, lineterminator="\n")
