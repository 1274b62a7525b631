"""Every number of a folder of results that a check compares, in one long frame.

They come from the tables, and from the training logs: a term that was dropped from a loss stands
in the log at once, however little it moves a score.
"""

from pathlib import Path

import pandas as pd

from benchmark.core.errors import InputError
from benchmark.tables import cells

COLUMNS = ["table", *cells.KEYS, "number"]
COUNT = "images"
"""Metric of what is counted rather than measured: images of training sets and behind means."""
TRAINING = "training"
"""What stands for a table's name in cells of training logs; their method is the log's name."""
STEPS = "steps"
"""Metric of a training's length."""
_CELLS, _COUNTS = {*cells.KEYS, "n", "value"}, {"dataset", "images", "paper"}
"""Columns of the two kinds of tables that are compared."""


def read(folder: Path) -> pd.DataFrame:
    """Return the numbers of a folder of results.

    Args:
        folder: `results/<profile>`; its `tables/` and `training/` are read.

    Returns:
        Columns `COLUMNS`: keys as text, "" where a table lacks one, and the number. A training has
        the metrics `first <term>` and `last <term>`, the learning rate and the means of each term
        of its losses in the first and in the last row of its log (`<part> <term>` where it has
        parts), and `steps`.

    Raises:
        InputError: The folder has no tables.
    """
    found = [table for path in sorted((folder / "tables").glob("*.csv")) for table in _table(path)]
    if not found:
        raise InputError(f"There are no tables in {folder / 'tables'}: run `dvc repro` first.")
    logs = [_training(path) for path in sorted((folder / TRAINING).glob("*.csv"))]
    return pd.concat([*found, *logs], ignore_index=True)


def _table(path: Path) -> list[pd.DataFrame]:
    """Return a table's numbers in long form; none of a table that is not compared."""
    read = pd.read_csv(path, dtype=str, keep_default_na=False)
    if not any(columns <= set(read) for columns in (_CELLS, _COUNTS)):
        return []
    if "value" in read:
        values = read.assign(number=read["value"].astype(float))
        images = read.assign(number=read["n"].astype(float))
        images["metric"] = COUNT + " of " + images["metric"]
        both = pd.concat([values, images], ignore_index=True)
    else:
        counted = read[read["images"] != ""]
        both = counted.assign(number=counted["images"].astype(float), metric=COUNT)
    empty = {key: "" for key in cells.KEYS if key not in both}
    return [both.assign(table=path.stem, **empty)[COLUMNS]]


def _training(path: Path) -> pd.DataFrame:
    """Return the first and last losses of a training log, and its steps."""
    read = pd.read_csv(path, dtype=str, keep_default_na=False)
    parts = read["part"] if "part" in read else pd.Series("", index=read.index)
    numbers: dict[str, float] = {}
    for part, rows in read.groupby(parts, sort=False):
        prefix = f"{part} " if part else ""
        numbers[f"{prefix}{STEPS}"] = float(rows["step"].iloc[-1])
        for term in (name for name in map(str, read) if "/" in name or name == "rate"):
            logged = rows[term][rows[term] != ""]
            if len(logged):
                numbers[f"first {prefix}{term}"] = float(logged.iloc[0])
                numbers[f"last {prefix}{term}"] = float(logged.iloc[-1])
    keys = dict.fromkeys(cells.KEYS, "") | {"method": path.stem, "track": "retrained"}
    return pd.DataFrame({"number": numbers}).rename_axis("metric").reset_index().assign(
        table=TRAINING, **{key: value for key, value in keys.items() if key != "metric"}
    )[COLUMNS]  # fmt: skip
