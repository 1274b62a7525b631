"""Average ranks over data sets and quality factors, and how far apart they must be to differ."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmark.core import statistics
from benchmark.core.types import Track
from benchmark.methods.records import ChainRecord
from benchmark.tables import cells, competitors, grid
from benchmark.tables.output import Page, Sheet, page

METRICS = ("psnr", "ssim")
COLUMNS = [*cells.KEYS, "n", "value", "critical_difference", "friedman_p"]
EVERY = "all"
"""What the column `dataset` says of a number over all of them."""


class Ranking(NamedTuple):
    """Average ranks of the methods of one competition under one metric.

    Attributes:
        track: That of its learned methods.
        metric: As tables spell it.
        chains: Best first.
        found: Ranks in the order of `chains`, and the critical difference.
    """

    track: Track
    metric: str
    chains: tuple[str, ...]
    found: statistics.Friedman


def rankings(rows: pd.DataFrame, records: Mapping[str, ChainRecord]) -> list[Ranking]:
    """Rank the methods of every competition; a block is a data set at a quality factor.

    Args:
        rows: See `benchmark.scoring.results`; uncompressed images are no block.
        records: Chain -> what it is made of.
    """
    results = []
    for field in competitors.fields(records):
        for metric in METRICS:
            blocks = [
                column.values.mean()
                for column in competitors.columns(rows, field, (metric,))
                if column.qf is not None
            ]
            table = pd.DataFrame(blocks).dropna(axis=1)
            if len(table) < 2 or table.shape[1] < 3:
                continue
            test = statistics.friedman(table.to_numpy())
            order = pd.Series(test.ranks, table.columns).sort_values(kind="stable")
            ranked = test._replace(ranks=np.sort(test.ranks, kind="stable"))
            chains = tuple(map(str, order.index))
            results.append(Ranking(field.track, cells.SPELLING[metric], chains, ranked))
    return results


def pages(rankings: list[Ranking], records: Mapping[str, ChainRecord]) -> list[Page]:
    """Return the table `statistics_ranks`; none where there was nothing to rank."""
    if not rankings:
        return []
    rows = [
        {
            "method": records[chain].title,
            "order": records[chain].order,
            "dataset": EVERY,
            "qf": pd.NA,
            "metric": f"rank of {ranking.metric}",
            "protocol": competitors.PROTOCOL,
            "track": ranking.track,
            "n": ranking.found.blocks,
            "value": rank,
            "critical_difference": ranking.found.critical_difference,
            "friedman_p": ranking.found.p,
        }
        for ranking in rankings
        for chain, rank in zip(ranking.chains, ranking.found.ranks, strict=True)
    ]
    numbers = pd.DataFrame(rows, columns=COLUMNS).round(cells.DECIMALS)
    notes = [
        "Average rank of the mean over images, 1 is best, equal values share a rank; a block is a "
        "data set at a quality factor. Two methods differ where their ranks are further apart than "
        "the critical difference (Nemenyi at 5 %, Demsar 2006).",
        "Blocks that share images are not independent: quality factors of one data set repeat "
        "nearly the same ranking, so the test is too sure of itself, above all where there is one "
        "data set. Take it for a summary of the tables and not for evidence beyond them.",
    ]
    title = "Average ranks over data sets and quality factors"
    sheets = [_sheet(ranking, records) for ranking in rankings]
    return [page("statistics_ranks", title, numbers, sheets, notes)]


def _sheet(ranking: Ranking, records: Mapping[str, ChainRecord]) -> Sheet:
    rows = [
        [records[chain].title, records[chain].order, f"{rank:.2f}"]
        for chain, rank in zip(ranking.chains, ranking.found.ranks, strict=True)
    ]
    caption = (
        f"Average rank of {ranking.metric} over {ranking.found.blocks} blocks, protocol sound, "
        f"{grid.TRACKS[ranking.track]}. Critical difference "
        f"{ranking.found.critical_difference:.2f}; Friedman p {ranking.found.p:.2g}."
    )
    return Sheet(caption, ["Method", "Order", "Rank ↓"], rows, words=2)
