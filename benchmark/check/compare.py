"""Ours against committed results: what moved, by how much, and whether that is tolerated.

Compared are numbers that follow from data, code and weights: tables, and the losses of trainings.
Times and costs are those of a machine and are left out.
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
from benchmark.core.errors import InputError
from benchmark.core.params import Params
from benchmark.tables.cells import KEYS

TOLERANCES = ROOT / "results" / "tolerances.yaml"
COLUMNS = ["table", *KEYS, "ours", "committed", "difference", "tolerance", "verdict"]
OF_ALL_CHAINS = ("statistics_ranks",)
"""Tables in which every number depends on which chains a profile has."""


class Tolerance(BaseModel):
    """How far a number may move before the check fails."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    track: str
    """A track, or `*`."""
    metrics: list[str]
    """As tables spell them, with `*` and `?` as in file names; `images` for counts. Of trainings:
    see `benchmark.check.cells.read`."""
    methods: list[str] = ["*"]
    """Methods and chains as tables spell them, or names of training logs, with `*` and `?`."""
    tolerance: Annotated[float, Field(ge=0.0)]
    """In the metric's unit."""
    relative: Annotated[float, Field(ge=0.0)] = 0.0
    """Share of the committed number that is tolerated besides."""
    reason: Annotated[str, Field(min_length=10)]

    def limit(self, committed: float) -> float:
        """Return how far a committed number may move, in its metric's unit."""
        if self.relative == 0.0 or not math.isfinite(committed):
            return self.tolerance
        return self.tolerance + self.relative * abs(committed)


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
        Columns `COLUMNS`, a row a cell of `benchmark.check.cells.read`; `verdict` is ok, moved,
        missing (committed alone) or new (ours alone).

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
    """Return how far each committed number may move.

    Args:
        joined: Columns of `COLUMNS` up to `committed`.
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
    found = pd.Series(own, joined.index, dtype="float64")
    return found.fillna(derived.tolerances(joined, _limit(allowed)))


def _limit(allowed: Sequence[Tolerance]) -> derived.Limit:
    """Return how far a measured number may move, as `benchmark.check.derived` asks for it."""
    return lambda track, metric, method: tolerance_of(track, metric, method, allowed).tolerance


def tolerance_of(track: str, metric: str, method: str, allowed: Sequence[Tolerance]) -> Tolerance:
    """Return what says how far a number may move.

    Args:
        track: As tables spell it, or "" in tables without tracks.
        metric: As tables spell it; all that count images are `benchmark.check.cells.COUNT`.
        method: As tables spell it, or "" in tables without methods.
        allowed: From `tolerances`.

    Raises:
        InputError: Nothing names it.
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
        InputError: `reference` is neither, or has no tables of this profile.
    """
    with committed(params, reference) as folder:
        return compare(ours or params.results, folder, tolerances())


@contextlib.contextmanager
def committed(params: Params, reference: str) -> Iterator[Path]:
    """Give the folder of results that a profile is compared with.

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
    """Write what is compared of a results folder as a git revision has it.

    Args:
        results: The folder, inside a git working tree.
        revision: Such as `HEAD` or a tag.
        to: The folder that gets `tables/`, `training/` and `provenance.json`, as far as committed.

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
    below = ("tables/", f"{cells.TRAINING}/", "provenance.json")
    listed = _git(results, "ls-tree", "--name-only", commit, *below).splitlines()
    names = [name for name in listed if name.endswith((".csv", ".json"))]
    if not any(name.startswith("tables/") for name in names):
        raise InputError(f"Revision {revision} has no tables of {results.name}: name another.")
    for name in names:
        text = _git(results, "show", f"{commit}:./{name}")
        files.write_text(to / name, text)


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout
