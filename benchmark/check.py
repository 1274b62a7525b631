"""Ours against committed tables: what moved, by how much, and whether that is tolerated.

Compared are the tables of numbers that follow from data, code and weights. Times and costs are
those of a machine and are left out, as are statistics, which follow from the same numbers.
"""

import subprocess
import tempfile
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from benchmark import ROOT, outputs, tables
from benchmark.errors import InputError
from benchmark.params import Params

TOLERANCES = ROOT / "results" / "tolerances.yaml"
COLUMNS = ["table", *tables.KEYS, "ours", "committed", "difference", "tolerance", "verdict"]
COUNT = "images"
"""Metric of what is counted rather than measured: images of training sets and behind means."""
_CELLS, _COUNTS = {*tables.KEYS, "n", "value"}, {"dataset", "images", "paper"}
"""Columns of the two kinds of tables that are compared."""


class Tolerance(BaseModel):
    """How far a number may move before the check fails."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    track: str
    """A track, or `*`."""
    metrics: list[str]
    """As tables spell them, with `*` and `?` as in file names; `images` for counts."""
    methods: list[str] = ["*"]
    """Methods and chains as tables spell them, with `*` and `?`."""
    tolerance: Annotated[float, Field(ge=0.0)]
    """In the metric's unit."""
    reason: Annotated[str, Field(min_length=10)]


def tolerances(path: Path = TOLERANCES) -> list[Tolerance]:
    """Read tolerances; the first that names a track, metric and method counts.

    Raises:
        InputError: The file is missing or is not a list of tolerances.
    """
    if not path.is_file():
        raise InputError(f"There are no tolerances at {path}: restore the file from git.")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return TypeAdapter(list[Tolerance]).validate_python(content)
    except (yaml.YAMLError, ValidationError) as error:
        line = " ".join(str(error).split())
        raise InputError(f"{path} is not a list of tolerances ({line}): correct it.") from error


def compare(ours: Path, reference: Path, allowed: Sequence[Tolerance]) -> pd.DataFrame:
    """Compare two folders of results, cell by cell.

    Args:
        ours: `results/<profile>`.
        reference: Another such folder.
        allowed: From `tolerances`.

    Returns:
        Columns `COLUMNS`, a row a cell and one more for the number of images behind it; `verdict`
        is ok, moved, missing (committed alone) or new (ours alone).

    Raises:
        InputError: A folder has no tables, or a metric has no tolerance.
    """
    keys = ["table", *tables.KEYS]
    mine = _cells(ours).rename(columns={"number": "ours"})
    theirs = _cells(reference).rename(columns={"number": "committed"})
    joined = mine.merge(theirs, on=keys, how="outer", indicator="side")
    named = list(joined[["track", "metric", "method"]].itertuples(index=False, name=None))
    limits = {
        (track, metric, method): tolerance_of(track, metric, method, allowed)
        for track, metric, method in dict.fromkeys(named)
    }
    joined["tolerance"] = [limits[key] for key in named]
    equal = joined["ours"] == joined["committed"]  # infinite ones too
    joined["difference"] = (joined["ours"] - joined["committed"]).mask(equal, 0.0)
    near = joined["difference"].abs() <= joined["tolerance"]
    verdicts = {"left_only": "new", "right_only": "missing", "both": "moved"}
    joined["verdict"] = joined["side"].astype(str).map(verdicts).mask(near, "ok")
    return joined[COLUMNS]


def _cells(folder: Path) -> pd.DataFrame:
    """Return every number of a folder's tables with its keys, all text but `number`."""
    files = sorted((folder / "tables").glob("*.csv"))
    tables_of = [found for path in files for found in _long(path)]
    if not tables_of:
        raise InputError(f"There are no tables in {folder / 'tables'}: run `dvc repro` first.")
    return pd.concat(tables_of, ignore_index=True)


def _long(path: Path) -> list[pd.DataFrame]:
    """Return a file's numbers in long form; none of a file that is not compared."""
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
    empty = {key: "" for key in tables.KEYS if key not in both}
    return [both.assign(table=path.stem, **empty)[["table", *tables.KEYS, "number"]]]


def tolerance_of(track: str, metric: str, method: str, allowed: Sequence[Tolerance]) -> float:
    """Return how far a number may move.

    Args:
        track: As tables spell it, or "" in tables without tracks.
        metric: As tables spell it; all that count images are `COUNT`.
        method: As tables spell it, or "" in tables without methods.
        allowed: From `tolerances`.

    Raises:
        InputError: Nothing names it.
    """
    name = COUNT if metric.startswith(COUNT) else metric
    for entry in allowed:
        if (
            entry.track in (track, "*")
            and any(fnmatchcase(name, pattern) for pattern in entry.metrics)
            and any(fnmatchcase(method, pattern) for pattern in entry.methods)
        ):
            return entry.tolerance
    raise InputError(
        f"No tolerance names metric {name} of track {track or 'none'}: add one with its reason to "
        "results/tolerances.yaml."
    )


def against(params: Params, reference: str) -> pd.DataFrame:
    """Compare a profile's tables with committed ones.

    Args:
        params: The profile.
        reference: A folder of results such as another machine's `results/demo`, or a git
            revision such as `HEAD`.

    Returns:
        See `compare`.

    Raises:
        InputError: `reference` is neither, or has no tables of this profile.
    """
    if Path(reference).is_dir():
        return compare(params.results, Path(reference), tolerances())
    with tempfile.TemporaryDirectory() as folder:
        copy_committed(params.results, reference, Path(folder))
        return compare(params.results, Path(folder), tolerances())


def copy_committed(results: Path, revision: str, to: Path) -> None:
    """Write the tables of a results folder as a git revision has them.

    Args:
        results: The folder, inside a git working tree.
        revision: Such as `HEAD` or a tag.
        to: The folder that gets `tables/`.

    Raises:
        InputError: There is no such revision, or it has no tables there.
    """
    if not results.is_dir():
        raise InputError(f"There are no results at {results}: run `dvc repro` first.")
    try:
        commit = _git(
            results, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}"
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise InputError(f"{revision!r} is neither a folder nor a git revision here.") from error
    commit = commit.strip()
    listed = _git(results, "ls-tree", "--name-only", commit, "tables/").split("\n")
    names = [Path(line).name for line in listed if line.endswith(".csv")]
    if not names:
        raise InputError(f"Revision {revision} has no tables of {results.name}: name another.")
    for name in names:
        text = _git(results, "show", f"{commit}:./tables/{name}")
        outputs.write_text(to / "tables" / name, text)


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout
