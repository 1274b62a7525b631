"""Numbers of one kind of weights, image by image and method by method."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from benchmark.tables import cells, grid

OWN = "mlsm"
"""The chain that all others are compared with: the paper's method."""
PROTOCOL = "sound"


class Competitors(NamedTuple):
    """Methods that compete under one kind of weights.

    Attributes:
        weights: Key of `grids.WEIGHTS`.
        tracks: Chain -> the track of its rows.
    """

    weights: str
    tracks: Mapping[str, str]


class Column(NamedTuple):
    """One metric on one data set at one quality factor.

    Attributes:
        dataset: Of the images.
        qf: None where they were not compressed.
        metric: As tables spell it.
        values: A row an image, a column a chain; more is better.
    """

    dataset: str
    qf: int | None
    metric: str
    values: pd.DataFrame


def fields(records: Mapping[str, Any]) -> list[Competitors]:
    """Return the competitions of a profile: one a kind of weights.

    Methods without weights stand in each, and so does the paper's method, with the weights it has.
    Controls that use the reference stand in none.

    Args:
        records: Chain -> `provenance.chain_record`.
    """
    made = []
    for weights in grid.groups(records):
        tracks = {}
        for chain, record in records.items():
            track, reason = grid.track_of(record, weights)
            if reason and chain == OWN and record["tracks"]:
                track, reason = next(iter(record["tracks"])), ""
            if not reason and not grid.uses_reference(record):
                tracks[chain] = track
        made.append(Competitors(weights, tracks))
    return made


def columns(rows: pd.DataFrame, field: Competitors, metrics: tuple[str, ...]) -> Iterator[Column]:
    """Yield every column of a competition, by data set, falling quality factor and metric.

    Infinite values (a PSNR of identical images) are missing.

    Args:
        rows: See `benchmark.scoring.results`.
        field: Who competes.
        metrics: Names in rows, such as `psnr`.
    """
    pairs = pd.MultiIndex.from_frame(rows[["chain", "track"]])
    wanted = pairs.isin(list(field.tracks.items()))
    chosen = rows[wanted & (rows["protocol"] == PROTOCOL) & rows["metric"].isin(metrics)]
    chosen = chosen.assign(
        place=-chosen["qf"].astype("float64").fillna(101.0),
        value=chosen["value"].replace([np.inf, -np.inf], np.nan),
    )
    for key, group in chosen.groupby(["dataset", "place", "metric"], sort=True):
        dataset, place, metric = cast(tuple[str, float, str], key)
        values = group.pivot(index="image", columns="chain", values="value")
        listed = [chain for chain in field.tracks if chain in values]
        qf = None if place == -101.0 else int(-place)
        yield Column(dataset, qf, cells.SPELLING[metric], values[listed])
