"""Scores of a chain whose method was trained with several seeds.

A row of the tables is the mean over seeds, image by image, so that tests paired by image compare
methods and not draws of first weights. The scores of the single seeds are kept beside them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.core import files
from benchmark.scoring import results
from benchmark.scoring.results import Row

COLUMNS = ["seed", *results.COLUMNS]
FILE = "seeds.parquet"
"""Name of the file in a profile's results that holds the rows of every seed."""
FOLDER = "seeds"
"""Folder beside the rows of the chains, with a file for each chain of several seeds."""


def averaged(by_seed: Mapping[int, Sequence[Row]]) -> list[Row]:
    """Return the rows of a chain with the mean over seeds as their values.

    Args:
        by_seed: Seed -> the rows on one track, in the same order for every seed.

    Raises:
        ValueError: Seeds have rows of different keys.
    """
    first, *others = by_seed.values()
    for other in others:
        if [row[:-1] for row in other] != [row[:-1] for row in first]:
            raise ValueError("Seeds of a chain were scored on different images: score it again.")
    columns = zip(*by_seed.values(), strict=True)
    return [rows[0]._replace(value=float(np.mean([row.value for row in rows]))) for rows in columns]


def write(path: Path, by_seed: Mapping[int, Sequence[Row]]) -> None:
    """Write the rows of the single seeds as Parquet, sorted by seed and key."""
    frames = [results.frame(rows).assign(seed=seed) for seed, rows in sorted(by_seed.items())]
    write_all(path, pd.concat(frames, ignore_index=True))


def write_all(path: Path, rows: pd.DataFrame) -> None:
    """Write rows of any chains and seeds, with `COLUMNS`."""
    ordered = rows[COLUMNS].sort_values(COLUMNS[:-1], kind="stable", ignore_index=True)
    with files.beside(path) as place:
        ordered.to_parquet(place, index=False, compression="zstd")


def read_all(path: Path) -> pd.DataFrame:
    """Return the rows that `write_all` wrote; none where there is no such file."""
    return pd.read_parquet(path) if path.is_file() else pd.DataFrame(columns=COLUMNS)


def read(folder: Path) -> pd.DataFrame:
    """Return the rows of all chains of several seeds, with `COLUMNS`; empty where there are none.

    Args:
        folder: Where `write` put one file for each chain.
    """
    found = [pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=COLUMNS)
