"""Where the numbers come from that claims are judged by: the paper's tables, or a run."""

import functools
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd

from benchmark.core import reported, statistics
from benchmark.methods.records import ChainRecord, by_printed_name
from benchmark.paper.claims.schema import Columns, Recall, Rows
from benchmark.tables import ablations, cells, seeds
from benchmark.tables.cells import BootstrapSettings
from benchmark.tables.competitors import PROTOCOL, Competitors


class Key(NamedTuple):
    """A row of a table."""

    method: str
    order: str


class Place(NamedTuple):
    """A column of a table."""

    dataset: str
    qf: int
    metric: str


class Difference(NamedTuple):
    """One number minus another.

    Attributes:
        value: The difference; of means over images where there are any.
        low: Lower end of its 95 % interval; NaN in the paper, which has none.
        high: Upper end of the interval.
        p: Two-sided p-value of no difference; NaN in the paper.
        images: Number of images behind it; 0 in the paper.
    """

    value: float
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan
    images: int = 0


class Source(Protocol):
    """Numbers that predicates ask for; None where one was not measured."""

    def ahead(self, ours: Key, theirs: Key, at: Place, by: float) -> Difference | None:
        """Return ours minus theirs minus `by`."""

    def loss(self, row: Key, at: Place) -> Difference | None:
        """Return a row's value on uncompressed images minus that at a place."""

    def recall(self, ours: Key, theirs: Key, predicate: Recall) -> Difference | None:
        """Return ours minus theirs: mean precision at high recall."""


@functools.cache
def _reported() -> pd.DataFrame:
    return reported.reported()


def places(columns: Columns) -> list[Place]:
    """Return the columns that a claim speaks of, in the paper's order."""
    numbers = _reported()
    chosen = numbers[numbers["table"].isin(columns.tables)]
    if columns.datasets is not None:
        chosen = chosen[chosen["dataset"].isin(columns.datasets)]
    if columns.qfs is not None:
        chosen = chosen[chosen["qf"].isin(columns.qfs)]
    at = chosen[["dataset", "qf"]].drop_duplicates().itertuples(index=False, name=None)
    return [Place(str(d), int(qf), metric) for d, qf in at for metric in columns.metrics]


def keys(rows: Rows, columns: Columns) -> list[Key]:
    """Return the rows that a claim speaks of: those that the paper's tables print, or by name."""
    numbers = _reported()
    printed = numbers[numbers["table"].isin(columns.tables)][["method", "order"]].drop_duplicates()
    listed = [Key(str(m), str(o)) for m, o in printed.itertuples(index=False, name=None)]
    if rows.orders is not None:
        return [key for key in listed if key.order in rows.orders]
    by_name = {key.method: key for key in listed}
    return [by_name.get(name, Key(name, "enhance")) for name in rows.methods or []]


class Printed:
    """The paper's own tables."""

    def __init__(self) -> None:
        numbers = _reported()
        columns = ["method", "order", "dataset", "qf", "metric", "value"]
        self._values = {
            (Key(m, o), Place(d, int(qf), metric)): float(value)
            for m, o, d, qf, metric, value in numbers[columns].itertuples(index=False, name=None)
        }

    def ahead(self, ours: Key, theirs: Key, at: Place, by: float) -> Difference | None:
        """Return the difference of two printed numbers, without the noise of binary fractions."""
        first, second = self._values.get((ours, at)), self._values.get((theirs, at))
        if first is None or second is None:
            return None
        return Difference(round(first - second - by, cells.DECIMALS))

    def loss(self, row: Key, at: Place) -> Difference | None:
        """The paper prints no row on uncompressed images."""
        return None

    def recall(self, ours: Key, theirs: Key, predicate: Recall) -> Difference | None:
        """The paper prints its curves as a figure alone."""
        return None


class Curves(Protocol):
    """Numbers of the detection of faces in a run; see `benchmark.paper.claims.face_sources`."""

    def ap(self, ours: str, theirs: str, at: Place, by: float) -> Difference | None:
        """Return the difference of two chains' average precision, minus `by`."""

    def recall(self, chains: tuple[str, str], predicate: Recall) -> Difference | None:
        """Return the difference of two chains' mean precision at high recall."""


class Measured:
    """A run on one track.

    Args:
        rows: See `benchmark.scoring.results`.
        records: Chain -> what it is made of.
        field: The chains whose rows count.
        resampling: Of the images, and of seeds where there are several.
        scores: Of every seed, for methods that were trained with several.
        curves: Curves of the faces; None where no detector ran.
    """

    def __init__(
        self,
        rows: pd.DataFrame,
        records: Mapping[str, ChainRecord],
        field: Competitors,
        resampling: BootstrapSettings,
        curves: Curves | None = None,
        scores: seeds.Scores | None = None,
    ) -> None:
        pairs = pd.MultiIndex.from_frame(rows[["chain", "track"]])
        competing = pairs.isin(list(field.tracks.items())) & (rows["protocol"] == PROTOCOL)
        chosen = rows[competing].assign(qf=rows["qf"].astype("float64").fillna(0).astype(int))
        self._values = {
            (str(chain), str(dataset), int(str(qf)), cells.SPELLING[str(metric)]): group.set_index(
                "image"
            )["value"]
            for (chain, dataset, qf, metric), group in chosen.groupby(
                ["chain", "dataset", "qf", "metric"], sort=False
            )
        }
        self._chains = {
            Key(*printed): chain
            for printed, chain in by_printed_name(records).items()
            if chain in field.tracks
        }
        for ablation in ablations.TABLES.values():
            named = {Key(*key): c for c, key in ablation.chains.items() if c in field.tracks}
            self._chains = named | self._chains
        self._resampling, self._curves, self._scores = resampling, curves, scores
        self._retrained = {c for c, track in field.tracks.items() if track == "retrained"}

    def _at(self, row: Key, at: Place) -> "tuple[pd.Series[float], pd.DataFrame | None] | None":
        """Return image -> score, and the scores by seed where there are several."""
        chain = self._chains.get(row)
        key = (chain or "", at.dataset, at.qf, at.metric)
        if key not in self._values:
            return None
        several = self._scores if chain in self._retrained else None
        return self._values[key], several.of(*key) if several else None

    def ahead(self, ours: Key, theirs: Key, at: Place, by: float) -> Difference | None:
        """Return the mean over images of their paired differences."""
        if at.metric.startswith("mAP"):
            chains = [self._chains.get(key) for key in (ours, theirs)]
            if self._curves is None or chains[0] is None or chains[1] is None:
                return None
            return self._curves.ap(chains[0], chains[1], at, by)
        return self._paired(self._at(ours, at), self._at(theirs, at), by)

    def loss(self, row: Key, at: Place) -> Difference | None:
        """Return the mean over images of what compression costs a row."""
        return self._paired(self._at(row, at._replace(qf=0)), self._at(row, at), 0.0)

    def recall(self, ours: Key, theirs: Key, predicate: Recall) -> Difference | None:
        """Return ours minus theirs, from the curves."""
        chains = [self._chains.get(key) for key in (ours, theirs)]
        if self._curves is None or chains[0] is None or chains[1] is None:
            return None
        return self._curves.recall((chains[0], chains[1]), predicate)

    def _paired(
        self,
        first: "tuple[pd.Series[float], pd.DataFrame | None] | None",
        second: "tuple[pd.Series[float], pd.DataFrame | None] | None",
        by: float,
    ) -> Difference | None:
        if first is None or second is None:
            return None
        (ours, of_seeds), (theirs, of_their_seeds) = first, second
        found = seeds.difference((ours, theirs), (of_seeds, of_their_seeds), by, self._resampling)
        if found is None:
            return None
        mean, apart = found
        return Difference(mean.value, mean.low, mean.high, statistics.signed_ranks(apart), mean.n)
