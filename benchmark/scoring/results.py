"""Result rows: one measured number per image in long form, with validation, reading and writing."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmark.core import files
from benchmark.core.errors import InputError
from benchmark.core.types import Protocol

KEYS = ["profile", "dataset", "image", "qf", "chain", "track", "metric", "protocol"]
COLUMNS = [*KEYS, "value"]
TRACKS = ("classical", "retrained", "released")
PROTOCOLS: tuple[Protocol, ...] = ("sound", "paper")


class Row(NamedTuple):
    """One measured number.

    Attributes:
        profile: Name of the profile.
        dataset: Raw set of the image.
        image: Name of the image within the set.
        qf: Quality factor of the dark input; None if it was not compressed.
        chain: Methods, left to right, such as `edsr+zero_dce`.
        track: `classical`, `retrained` or `released`.
        metric: `psnr`, `ssim`, ...
        protocol: `sound` or `paper`.
        value: The measured value; infinite only for the PSNR of identical images.
    """

    profile: str
    dataset: str
    image: str
    qf: int | None
    chain: str
    track: str
    metric: str
    protocol: str
    value: float


def frame(rows: Iterable[Row]) -> pd.DataFrame:
    """Convert rows to a validated data frame with the columns `COLUMNS`; qf is nullable Int16.

    Raises:
        ValueError: A value is NaN, a key occurs twice, or a track or protocol is unknown.
    """
    made = pd.DataFrame(list(rows), columns=COLUMNS)
    return check(made.astype({"qf": "Int16", "value": "float64"}))


def check(made: pd.DataFrame) -> pd.DataFrame:
    """Return the frame if all its rows are valid; see `frame`."""
    if list(made.columns) != COLUMNS:
        raise ValueError(f"Rows have columns {list(made.columns)}, expected {COLUMNS}.")
    broken = made[made["value"].isna()]
    if len(broken):
        raise ValueError(f"{len(broken)} rows hold NaN, first {tuple(broken.iloc[0])}.")
    double = made[made.duplicated(KEYS)]
    if len(double):
        raise ValueError(f"{len(double)} rows stand twice, first {tuple(double.iloc[0])}.")
    for column, known in (("track", TRACKS), ("protocol", PROTOCOLS)):
        unknown = sorted(set(made[column]) - set(known))
        if unknown:
            raise ValueError(f"Rows have {column} {unknown}, expected one of {known}.")
    return made


def write(path: Path, made: pd.DataFrame) -> None:
    """Validate rows and write them as Parquet, sorted by key: equal rows give equal files."""
    ordered = check(made).sort_values(KEYS, kind="stable", ignore_index=True)
    with files.beside(path) as place:
        ordered.to_parquet(place, index=False, compression="zstd")


def read(path: Path) -> pd.DataFrame:
    """Read rows that `write` wrote.

    Raises:
        InputError: The file does not exist.
    """
    if not path.is_file():
        raise InputError(f"There are no results at {path}: run `dvc repro` for this profile first.")
    return check(pd.read_parquet(path))


def write_chains(
    folder: Path, chains: Sequence[str], rows: Iterable[tuple[str, Sequence[Row]]]
) -> None:
    """Write a file per chain into a folder; a chain without rows has an empty one.

    Args:
        folder: Where.
        chains: All chains.
        rows: A chain and its rows on one track, any number of times.
    """
    by_chain: dict[str, list[Row]] = {chain: [] for chain in chains}
    for chain, own in rows:
        by_chain[chain] += own
    for chain, own in by_chain.items():
        write(folder / f"{chain}.parquet", frame(own))


def means(made: pd.DataFrame) -> pd.DataFrame:
    """Average over images: one row per cell (all keys except image) with value, n and infinite.

    Images of infinite PSNR are left out of `value` and `n` and counted in `infinite`; if all are
    infinite, the mean is infinite and n is 0, as in `statistics.mean_interval`.
    """
    keys = [key for key in KEYS if key != "image"]
    finite = made.assign(
        infinite=np.isinf(made["value"]), value=made["value"].replace([np.inf, -np.inf], np.nan)
    )
    cells = finite.groupby(keys, dropna=False, sort=False, observed=True).agg(
        n=("value", "count"), infinite=("infinite", "sum"), value=("value", "mean")
    )
    return cells.assign(value=cells["value"].fillna(np.inf)).reset_index()


def printed(cells: pd.DataFrame) -> str:
    """Format means as a text table, with the number of images in and left out of each mean.

    Args:
        cells: Result of `means` for one chain.
    """
    columns = ["qf", "track", "protocol", "metric", "n", "infinite", "value"]
    table = cells[columns].to_string(index=False, na_rep="none", float_format="{:.4f}".format)
    return str(table)
