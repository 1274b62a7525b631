"""The result row: one number of one image, in long form, written and checked in one place."""

from collections.abc import Iterable
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
        profile: Which profile made it.
        dataset: Raw set of the image.
        image: The image's name within the set.
        qf: Quality factor of the dark input; None where it was not compressed.
        chain: Methods, left to right: `edsr+zero_dce`.
        track: `classical`, `retrained` or `released`.
        metric: `psnr`, `ssim`, ...
        protocol: `sound` or `paper`.
        value: The number; infinite only as the PSNR of identical images.
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
    """Return rows as a checked data frame with the columns `COLUMNS`; qf is a nullable Int16.

    Raises:
        ValueError: A value is NaN, a key stands twice, or a track or protocol is unknown.
    """
    made = pd.DataFrame(list(rows), columns=COLUMNS)
    return check(made.astype({"qf": "Int16", "value": "float64"}))


def check(made: pd.DataFrame) -> pd.DataFrame:
    """Return the frame if every row is sound; see `frame`."""
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
    """Write checked rows as parquet, sorted by key, so that equal rows give equal files."""
    ordered = check(made).sort_values(KEYS, kind="stable", ignore_index=True)
    with files.beside(path) as place:
        ordered.to_parquet(place, index=False, compression="zstd")


def read(path: Path) -> pd.DataFrame:
    """Read rows.

    Raises:
        InputError: There is no such file.
    """
    if not path.is_file():
        raise InputError(f"There are no results at {path}: run `dvc repro` for this profile first.")
    return check(pd.read_parquet(path))


def means(made: pd.DataFrame) -> pd.DataFrame:
    """Return one row a cell (all keys but image): mean over images, their number, and infinities.

    Images of infinite PSNR are left out of `value` and `n` and counted in `infinite`; where all are
    infinite, so is the mean, of no image. `statistics.mean_interval` counts alike.
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
    """Return means as a table of text: `n` images are behind each, `infinite` others are not.

    Args:
        cells: From `means`, of one chain.
    """
    columns = ["qf", "track", "protocol", "metric", "n", "infinite", "value"]
    table = cells[columns].to_string(index=False, na_rep="none", float_format="{:.4f}".format)
    return str(table)
