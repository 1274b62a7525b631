"""Tolerances of numbers that are derived from others: ranks, and differences of two methods.

They have no tolerances of their own. A difference may move as far as both of its methods together;
a rank may change by the number of methods that can pass each other.
"""

from collections.abc import Callable

import pandas as pd

DIFFERENCE, RANK = " difference", "rank of "
"""Names of such metrics in tables: `PSNR difference`, `rank of PSNR`."""
METHOD_UNDER_STUDY = "MLSM"
"""The method from which differences are computed, as named in tables."""
PROTOCOL = "sound"
RANKED = ("table_3", "table_4")
"""Tables whose cells are ranked; an average rank is the mean over their columns."""
Limit = Callable[[str, str, str], float]
"""Function from track, metric and method, as named in tables, to a tolerance."""


def is_derived(metric: str) -> bool:
    """Return True if a metric is derived from others.

    Example:
        >>> is_derived("rank of PSNR"), is_derived("SSIM difference"), is_derived("PSNR")
        (True, True, False)
    """
    return metric.startswith(RANK) or metric.endswith(DIFFERENCE)


def tolerances(cells: pd.DataFrame, limit: Limit) -> pd.Series:
    """Return the tolerance of every derived number.

    Args:
        cells: Cells with the columns of `benchmark.check.compare.COLUMNS` up to `committed`.
        limit: Function that returns the tolerance of a measured number.

    Returns:
        Tolerances, indexed like the derived cells.
    """
    limits = {}
    for index, row in cells[cells["metric"].map(is_derived)].iterrows():
        if row["metric"].endswith(DIFFERENCE):
            metric = row["metric"].removesuffix(DIFFERENCE)
            own = "released" if row["track"] == "released" else "retrained"
            own = own if _has(cells, own) else "retrained"
            limits[index] = limit(row["track"], metric, row["method"]) + limit(
                own, metric, METHOD_UNDER_STUDY
            )
        else:
            limits[index] = _reach(cells, row, limit)
    return pd.Series(limits, dtype="float64")


def _has(cells: pd.DataFrame, track: str) -> bool:
    """Return True if the paper's method has cells on this track."""
    return bool(((cells["method"] == METHOD_UNDER_STUDY) & (cells["track"] == track)).any())


def _reach(cells: pd.DataFrame, ranked: pd.Series, limit: Limit) -> float:
    """Return the number of methods that can change places with a method, averaged over columns."""
    metric = ranked["metric"].removeprefix(RANK)
    kinds = {ranked["track"], "classical"} | (
        {"retrained"} if ranked["track"] != "released" else set()
    )
    chosen = cells[
        cells["table"].isin(RANKED)
        & (cells["metric"] == metric)
        & (cells["protocol"] == PROTOCOL)
        & cells["track"].isin(kinds)
    ].dropna(subset=["committed"])
    counts = []
    for _, column in chosen.groupby(["dataset", "qf"]):
        own = column[column["method"] == ranked["method"]]
        if own.empty:
            continue
        mine = own.iloc[0]
        reach = limit(mine["track"], metric, mine["method"])
        counts.append(
            sum(
                abs(rival["committed"] - mine["committed"])
                <= reach + limit(rival["track"], metric, rival["method"])
                for _, rival in column[column["method"] != mine["method"]].iterrows()
            )
        )
    return sum(counts) / len(counts) if counts else 0.0
