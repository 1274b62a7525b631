"""Tables V and VI: the paper's method without its mapping networks, and with fewer levels."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from benchmark.methods.records import ChainRecord, shown_tracks
from benchmark.tables import grid
from benchmark.tables.cells import BootstrapSettings, quality


class Ablation(NamedTuple):
    """One table of the paper.

    Attributes:
        table: As the paper counts it.
        chains: Chain -> how the paper calls the row, and its order there.
    """

    table: str
    chains: Mapping[str, tuple[str, str]]


QF = 90
"""The quality factor of both tables (Sec. IV-F)."""
TABLES: Mapping[str, Ablation] = MappingProxyType(
    {
        "table_5": Ablation(
            "V", {"mlsm_direct": ("MLSM w/o M", "direct VAE-structure"), "mlsm": ("MLSM", "joint")}
        ),
        "table_6": Ablation(
            "VI",
            {
                "mlsm_level1": ("MLSM single-level", "joint"),
                "mlsm_level2": ("MLSM two-level", "joint"),
                "mlsm": ("MLSM three-level", "joint"),
            },
        ),
    }
)

WHOLE = "mlsm_level3"
"""The whole method on the ablations' own budget: its rows stand for `mlsm` where a profile trains
it, so that the rows differ in levels and not in budgets."""


def chains(name: str, records: Mapping[str, ChainRecord]) -> dict[str, tuple[str, str]]:
    """Return the chains of one of `TABLES` in a profile, and how the paper calls their rows."""
    rows = TABLES[name].chains.items()
    return {WHOLE if c == "mlsm" and WHOLE in records else c: called for c, called in rows}


def cells(
    name: str,
    rows: pd.DataFrame,
    scope: grid.Scope,
    resampling: BootstrapSettings,
    compare: bool,
) -> pd.DataFrame:
    """Return the cells of one of `TABLES`, in the columns `benchmark.tables.cells.CHAIN_COLUMNS`.

    Args:
        name: Key of `TABLES`.
        rows: See `benchmark.scoring.results`.
        scope: Of the profile's quality tables.
        resampling: Of the images.
        compare: As `quality` takes it.
    """
    records = renamed(name, scope.records)
    chosen = rows[rows["chain"].isin(records) & (rows["qf"] == QF).fillna(False)]
    return quality(
        chosen, records, scope.datasets, resampling, compare, printed=(TABLES[name].table,)
    )


def renamed(name: str, records: Mapping[str, ChainRecord]) -> dict[str, ChainRecord]:
    """Return records of the rows of a table, as the paper calls them.

    A row whose chain the profile lacks has a record without weights that says so.
    """
    renamed_records = {}
    for chain, (title, order) in chains(name, records).items():
        if chain in records:
            renamed_records[chain] = replace(records[chain], title=title, order=order)
        else:
            absent = dict.fromkeys(shown_tracks(records), f"the profile has no chain {chain}")
            renamed_records[chain] = ChainRecord.without_numbers(title, order, absent)
    return renamed_records


def scope(name: str, whole: grid.Scope) -> grid.Scope:
    """Return what one of `TABLES` should hold, given what the profile's quality tables hold."""
    return grid.Scope(renamed(name, whole.records), whole.datasets, whole.missing, whole.draws)
