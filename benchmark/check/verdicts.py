"""What a check found, for a pull request, and how new numbers are accepted."""

import math
import subprocess
from pathlib import Path

import pandas as pd

from benchmark.check import movements
from benchmark.check.cells import COUNT
from benchmark.core.errors import InputError
from benchmark.core.params import Params
from benchmark.tables.grid import DASH

MOST_LINES = 50
"""Of the summary's table of findings: a pull request shows no more than one can read."""
_HEADS = ("verdict", "method", "track", "cells", "in", "largest move")


def markdown(found: pd.DataFrame, profile: str, against: str, machines: str = "") -> str:
    """Return a check as a page for a pull request: verdict, findings, how far others moved.

    Args:
        found: From `benchmark.check.compare.compare`.
        profile: What was checked.
        against: With what.
        machines: From `benchmark.check.movements.machines`.
    """
    wrong = found[found["verdict"] != "ok"]
    good = len(found) - len(wrong)
    parts = [
        f"## Check of profile {profile}: {'passed' if wrong.empty else 'failed'}",
        f"{good} of {len(found)} cells agree with `{against}`.",
    ]
    if len(wrong):
        counted = wrong["verdict"].value_counts()
        told = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
        parts[-1] += f" Findings: {told}."
    parts += [machines] if machines else []
    if len(wrong):
        grouped = movements.groups(found)
        parts.append(_pipes(_HEADS, [_finding(group) for group in grouped[:MOST_LINES]]))
        if len(grouped) > MOST_LINES:
            parts.append(f"And {len(grouped) - MOST_LINES} more.")
    parts.append("How far cells moved, as a share of what is tolerated:")
    parts.append(_pipes(("track", "metric", "cells", "moved at all", "most"), _movement(found)))
    return "\n\n".join(parts) + "\n"


def _finding(group: movements.Group) -> list[str]:
    count = f"{group.cells} of {group.total}" if group.verdict == "moved" else str(group.cells)
    move = movements.moved(group.worst) if group.verdict == "moved" else DASH
    return [
        group.verdict,
        group.method,
        group.track or DASH,
        count,
        ", ".join(group.tables),
        move,
    ]


def _movement(found: pd.DataFrame) -> list[list[str]]:
    """Return a line a track and metric: cells, those that differ, the largest share used."""
    both = found.dropna(subset=["difference"])
    both = both.assign(metric=both["metric"].map(_kind))
    lines = []
    for (track, metric), group in both.groupby(["track", "metric"], sort=True):
        moved = group["difference"].abs()
        share = (moved / group["tolerance"]).fillna(0.0).max()  # 0/0: it did not move
        share = 1.0 if share == math.inf else share
        names = [str(track) or DASH, str(metric)]
        lines.append([*names, str(len(group)), str(int((moved > 0).sum())), f"{share:.0%}"])
    return lines


def _kind(metric: str) -> str:
    """Return what the cells of a metric are counted under: those of trainings by first and last."""
    first = metric.partition(" ")[0]
    return {COUNT: COUNT, "first": "first losses", "last": "last losses"}.get(first, metric)


def _pipes(heads: tuple[str, ...], rows: list[list[str]]) -> str:
    lines = [heads, ["--"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def accept(params: Params) -> list[str]:
    """Stage a profile's new results for the next commit.

    What belongs to a run is staged: results, trained weights that git holds, and `dvc.lock`. Other
    changes are refused, because results must follow from code that is committed.

    Args:
        params: The profile, inside a git working tree.

    Returns:
        Paths that are staged, seen from the root; none where nothing changed.

    Raises:
        InputError: Something else is changed or not under version control.
    """
    root, folder = params.results.parents[1], Path(params.params_file).parent
    own = [f"results/{params.profile}/", f"weights/{params.profile}/"]
    lock = (folder / "dvc.lock").as_posix()
    changed = _changed(root)
    elsewhere = [path for path in changed if path != lock and not path.startswith(tuple(own))]
    if elsewhere:
        shown = ", ".join(elsewhere[:5]) + (" ..." if len(elsewhere) > 5 else "")
        raise InputError(
            f"{len(elsewhere)} paths outside results/{params.profile} are changed ({shown}): "
            "commit or stash them, run the profile, then accept its results."
        )
    if changed:
        _git(root, "add", "--all", "--", *changed)
    return changed


def _changed(root: Path) -> list[str]:
    """Return every path that differs from the last commit, both names of a renamed one."""
    listed = _git(root, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames")
    return [entry[3:] for entry in listed.split("\0") if entry]


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=root, check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise InputError(f"{root} is not a git working tree that can be read: {error}.") from error
    return done.stdout
