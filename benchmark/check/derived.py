"""What numbers that follow from others may move: ranks, and differences of two methods.

They have no tolerances of their own. A difference moves as far as both of its methods together, a
rank as far as methods lie within reach of each other.
"""

from collections.abc import Callable

import pandas as pd

DIFFERENCE, RANK = " difference", "rank of "
"""How tables spell such numbers: `PSNR difference`, `rank of PSNR`."""
OWN = "MLSM"
"""The method that differences are taken from, as tables spell it."""
PROTOCOL = "sound"
RANKED = ("table_3", "table_4")
"""Tables whose cells are ranked; an average rank is a mean over their columns."""
Limit = Callable[[str, str, str], float]
"""Track, metric and method, as tables spell them -> tolerance."""


def is_derived(metric: str) -> bool:
    """Whether a metric follows from others.

    Example:
        >>> is_derived("rank of PSNR"), is_derived("SSIM difference"), is_derived("PSNR")
        (True, True, False)
    """
    return metric.startswith(RANK) or metric.endswith(DIFFERENCE)


def tolerances(cells: pd.DataFrame, limit: Limit) -> pd.Series:
    """Return how far every derived number may move.

    Args:
        cells: Columns of `benchmark.check.compare.COLUMNS` up to `committed`.
        limit: The tolerance of a number that was measured.

    Returns:
        In the index of the derived cells.
    """
    found = {}
    for index, row in cells[cells["metric"].map(is_derived)].iterrows():
        if row["metric"].endswith(DIFFERENCE):
            metric = row["metric"].removesuffix(DIFFERENCE)
            own = "released" if row["track"] == "released" else "retrained"
            own = own if _has(cells, own) else "retrained"
            found[index] = limit(row["track"], metric, row["method"]) + limit(own, metric, OWN)
        else:
            found[index] = _reach(cells, row, limit)
    return pd.Series(found, dtype="float64")


def _has(cells: pd.DataFrame, track: str) -> bool:
    """Whether the paper's method has weights of a kind."""
    return bool(((cells["method"] == OWN) & (cells["track"] == track)).any())


def _reach(cells: pd.DataFrame, ranked: pd.Series, limit: Limit) -> float:
    """Return how many methods a method can pass or be passed by, as a mean over columns."""
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
                abs(other["committed"] - mine["committed"])
                <= reach + limit(other["track"], metric, other["method"])
                for _, other in column[column["method"] != mine["method"]].iterrows()
            )
        )
    return sum(counts) / len(counts) if counts else 0.0
