"""Numbers of one track, image by image and method by method."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, cast

import numpy as np
import pandas as pd

from benchmark.core.types import Track
from benchmark.methods.records import ChainRecord, shown_tracks
from benchmark.tables import cells

OWN = "mlsm"
"""The chain that all others are compared with: the paper's method."""
PROTOCOL = "sound"


class Competitors(NamedTuple):
    """Methods that compete on one track.

    Attributes:
        track: That of its learned methods.
        tracks: Chain -> the track of its rows.
    """

    track: Track
    tracks: Mapping[str, Track]


class Column(NamedTuple):
    """One metric on one data set at one quality factor.

    Attributes:
        dataset: Of the images.
        qf: None where they were not compressed.
        metric: As tables spell it.
        values: A row for each image and a column for each chain; more is better.
    """

    dataset: str
    qf: int | None
    metric: str
    values: pd.DataFrame


def fields(records: Mapping[str, ChainRecord]) -> list[Competitors]:
    """Return the competitions of a profile: one for each track.

    Methods without weights stand in each, and so does the paper's method, with the weights it has.
    Controls that use the reference stand in none.

    Args:
        records: Chain -> what it is made of.
    """
    competitions = []
    for track in shown_tracks(records):
        tracks = {}
        for chain, record in records.items():
            own = record.track_under(track)
            if own not in record.tracks and chain == OWN and record.tracks:
                own = next(iter(record.tracks))
            if own in record.tracks and not record.uses_reference:
                tracks[chain] = own
        competitions.append(Competitors(track, tracks))
    return competitions


def columns(rows: pd.DataFrame, field: Competitors, metrics: tuple[str, ...]) -> Iterator[Column]:
    """Yield every column of a competition, by data set, falling quality factor and metric.

    Infinite values (a PSNR of identical images) are missing.

    Args:
        rows: See `benchmark.scoring.results`.
        field: Who competes.
        metrics: Names in rows, such as `psnr`.
    """
    pairs = pd.MultiIndex.from_frame(rows[["chain", "track"]])
    competing = pairs.isin(list(field.tracks.items()))
    chosen = rows[competing & (rows["protocol"] == PROTOCOL) & rows["metric"].isin(metrics)]
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
