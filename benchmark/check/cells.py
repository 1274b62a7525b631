"""All numbers of a folder of results that a check compares, in one long data frame.

The numbers come from the tables and from the training logs: a term that was dropped from a loss
shows in the log at once, even if it hardly changes a score.
"""

from pathlib import Path

import pandas as pd

from benchmark.core.errors import InputError
from benchmark.tables import cells

COLUMNS = ["table", *cells.KEYS, "number"]
COUNT = "images"
"""Metric of counts: numbers of images in training sets and in means."""
TRAINING = "training"
"""Table name of cells from training logs, whose method is the name of the log."""
STEPS = "steps"
"""Metric of the length of a training."""
_CELLS, _COUNTS = {*cells.KEYS, "n", "value"}, {"dataset", "images", "paper"}
"""Columns that identify the two kinds of compared tables."""


def read(folder: Path) -> pd.DataFrame:
    """Return the numbers of a folder of results.

    Args:
        folder: `results/<profile>`; its `tables/` and `training/` are read.

    Returns:
        Columns `COLUMNS`: keys as text, "" if a table lacks one, and the number. A training has the
        metrics `first <term>` and `last <term>`, which are the learning rate and the mean of each
        loss term in the first and last row of its log (`<part> <term>` if it has parts), and
        `steps`; of further seeds the order names the folder.

    Raises:
        InputError: The folder has no tables.
    """
    tables = [table for path in sorted((folder / "tables").glob("*.csv")) for table in _table(path)]
    if not tables:
        raise InputError(f"There are no tables in {folder / 'tables'}: run `dvc repro` first.")
    logs = [_training(path) for path in sorted((folder / TRAINING).rglob("*.csv"))]
    return pd.concat([*tables, *logs], ignore_index=True)


def _table(path: Path) -> list[pd.DataFrame]:
    """Return a table's numbers in long form; an empty list for a table that is not compared."""
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
    """Return the first and last losses of a training log and its number of steps."""
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
    keys["order"] = path.parent.name if path.parent.name != TRAINING else ""
    return pd.DataFrame({"number": numbers}).rename_axis("metric").reset_index().assign(
        table=TRAINING, **{key: value for key, value in keys.items() if key != "metric"}
    )[COLUMNS]  # fmt: skip
