"""Compare results with committed ones: which numbers moved, how far, and whether that is tolerated.

The comparison covers numbers that follow from data, code and weights: tables and training losses.
Times and costs depend on the machine and are left out.
"""

import contextlib
import math
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from benchmark import ROOT
from benchmark.check import cells, derived
from benchmark.core import files
from benchmark.core.environment import git
from benchmark.core.errors import InputError
from benchmark.core.params import Params
from benchmark.tables.cells import KEYS

TOLERANCES = ROOT / "results" / "tolerances.yaml"
COLUMNS = ["table", *KEYS, "ours", "committed", "difference", "tolerance", "verdict"]
OF_ALL_CHAINS = ("statistics_ranks",)
"""Tables in which every number depends on the list of chains of a profile."""


class Tolerance(BaseModel):
    """Tolerance: how far a number may move before the check fails."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    track: str
    """A track, or `*`."""
    metrics: list[str]
    """Metrics as in the tables, with `*` and `?` as in file names; `images` for counts. For those
    of trainings see `benchmark.check.cells.read`."""
    methods: list[str] = ["*"]
    """Methods and chains as in the tables, or names of training logs, with `*` and `?`."""
    tolerance: Annotated[float, Field(ge=0.0)]
    """Absolute tolerance in the metric's unit."""
    relative: Annotated[float, Field(ge=0.0)] = 0.0
    """Additional tolerance as a share of the committed number."""
    reason: Annotated[str, Field(min_length=10)]

    def limit(self, committed: float) -> float:
        """Return how far a committed number may move, in its metric's unit."""
        if self.relative == 0.0 or not math.isfinite(committed):
            return self.tolerance
        return self.tolerance + self.relative * abs(committed)


def tolerances(path: Path = TOLERANCES) -> list[Tolerance]:
    """Read the tolerances, of which the first that matches a track, metric and method applies.

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
        Columns `COLUMNS`, one row per cell of `benchmark.check.cells.read`; `verdict` is ok, moved,
        missing (only in `reference`) or new (only in `ours`).

    Raises:
        InputError: A folder has no tables, or a metric has no tolerance.
    """
    keys = ["table", *KEYS]
    mine = cells.read(ours).rename(columns={"number": "ours"})
    theirs = cells.read(reference).rename(columns={"number": "committed"})
    joined = mine.merge(theirs, on=keys, how="outer", indicator="side")
    joined["tolerance"] = limits(joined, allowed)
    equal = joined["ours"] == joined["committed"]  # infinite ones too
    joined["difference"] = (joined["ours"] - joined["committed"]).mask(equal, 0.0)
    near = joined["difference"].abs() <= joined["tolerance"]
    verdicts = {"left_only": "new", "right_only": "missing", "both": "moved"}
    joined["verdict"] = joined["side"].astype(str).map(verdicts).mask(near, "ok")
    return joined[COLUMNS]


def limits(joined: pd.DataFrame, allowed: Sequence[Tolerance]) -> pd.Series:
    """Return the tolerance of each committed number.

    Args:
        joined: Cells with the columns of `COLUMNS` up to `committed`.
        allowed: From `tolerances`.

    Raises:
        InputError: A metric has no tolerance.
    """
    named = list(zip(joined["track"], joined["metric"], joined["method"], strict=True))
    entries = {
        key: tolerance_of(*key, allowed)
        for key in dict.fromkeys(named)
        if not derived.is_derived(key[1])
    }
    own = [
        entries[key].limit(number) if key in entries else math.nan
        for key, number in zip(named, joined["committed"], strict=True)
    ]
    limits_of_own = pd.Series(own, joined.index, dtype="float64")
    return limits_of_own.fillna(derived.tolerances(joined, _limit(allowed)))


def _limit(allowed: Sequence[Tolerance]) -> derived.Limit:
    """Return the tolerance function that `benchmark.check.derived` takes."""
    return lambda track, metric, method: tolerance_of(track, metric, method, allowed).tolerance


def tolerance_of(track: str, metric: str, method: str, allowed: Sequence[Tolerance]) -> Tolerance:
    """Return the tolerance that applies to a number.

    Args:
        track: Track as in the tables, or "" in tables without tracks.
        metric: Metric as in the tables; counts of images all match `benchmark.check.cells.COUNT`.
        method: Method as in the tables, or "" in tables without methods.
        allowed: From `tolerances`.

    Raises:
        InputError: No tolerance matches.
    """
    name = cells.COUNT if metric.startswith(cells.COUNT) else metric
    for entry in allowed:
        if (
            entry.track in (track, "*")
            and any(fnmatchcase(name, pattern) for pattern in entry.metrics)
            and any(fnmatchcase(method, pattern) for pattern in entry.methods)
        ):
            return entry
    raise InputError(
        f"No tolerance names metric {name} of track {track or 'none'}: add one with its reason to "
        "results/tolerances.yaml."
    )


def against(params: Params, reference: str, ours: Path | None = None) -> pd.DataFrame:
    """Compare a profile's results with committed ones.

    Args:
        params: The profile.
        reference: See `committed`.
        ours: A folder of results to compare in place of the profile's.

    Returns:
        See `compare`.

    Raises:
        InputError: `reference` is neither a folder nor a revision, or has no tables of this
            profile.
    """
    with committed(params, reference) as folder:
        return compare(ours or params.results, folder, tolerances())


@contextlib.contextmanager
def committed(params: Params, reference: str) -> Iterator[Path]:
    """Yield the folder of results that a profile is compared with.

    Args:
        params: The profile.
        reference: A folder of results such as another machine's `results/demo`, or a git
            revision such as `HEAD`.

    Raises:
        InputError: `reference` is neither, or has no tables of this profile.
    """
    if Path(reference).is_dir():
        yield Path(reference)
        return
    with tempfile.TemporaryDirectory() as folder:
        copy_committed(params.results, reference, Path(folder))
        yield Path(folder)


def copy_committed(results: Path, revision: str, to: Path) -> None:
    """Copy the compared files of a results folder from a git revision.

    Args:
        results: The folder, inside a git working tree.
        revision: Git revision, such as `HEAD` or a tag.
        to: Folder that receives `tables/`, `training/` and `provenance.json`, if committed.

    Raises:
        InputError: There is no such revision, or it has no tables there.
    """
    if not results.is_dir():
        raise InputError(f"There are no results at {results}: run `dvc repro` first.")
    try:
        commit = git(results, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    except (OSError, subprocess.CalledProcessError) as error:
        raise InputError(f"{revision!r} is neither a folder nor a git revision here.") from error
    commit = commit.strip()
    below = ("tables/", f"{cells.TRAINING}/", "provenance.json")
    listed = git(results, "ls-tree", "-r", "--name-only", commit, *below).splitlines()
    names = [name for name in listed if name.endswith((".csv", ".json"))]
    if not any(name.startswith("tables/") for name in names):
        raise InputError(f"Revision {revision} has no tables of {results.name}: name another.")
    for name in names:
        text = git(results, "show", f"{commit}:./{name}")
        files.write_text(to / name, text)
