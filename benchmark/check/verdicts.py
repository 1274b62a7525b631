"""Render the result of a check as Markdown, and stage accepted results in git."""

import math
import subprocess
from pathlib import Path

import pandas as pd

from benchmark.check import movements
from benchmark.check.cells import COUNT
from benchmark.core.environment import git
from benchmark.core.errors import InputError
from benchmark.core.markdown import pipes
from benchmark.core.params import Params
from benchmark.tables.grid import DASH

MOST_LINES = 50
"""Largest number of lines in the summary's table of findings, to keep it readable."""
_HEADS = ("verdict", "method", "track", "cells", "in", "largest move")


def markdown(compared: pd.DataFrame, profile: str, against: str, machines: str = "") -> str:
    """Return a page for a pull request: verdict, findings, and how far other cells moved.

    Args:
        compared: Result of `benchmark.check.compare.compare`.
        profile: Name of the checked profile.
        against: Name of the reference.
        machines: Result of `benchmark.check.movements.machines`.
    """
    wrong = compared[compared["verdict"] != "ok"]
    good = len(compared) - len(wrong)
    parts = [
        f"## Check of profile {profile}: {'passed' if wrong.empty else 'failed'}",
        f"{good} of {len(compared)} cells agree with `{against}`.",
    ]
    if len(wrong):
        counted = wrong["verdict"].value_counts()
        counts = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
        parts[-1] += f" Findings: {counts}."
    parts += [machines] if machines else []
    if len(wrong):
        grouped = movements.groups(compared)
        parts.append(pipes(_HEADS, [_finding(group) for group in grouped[:MOST_LINES]]))
        if len(grouped) > MOST_LINES:
            parts.append(f"And {len(grouped) - MOST_LINES} more.")
    parts.append("How far cells moved, as a share of what is tolerated:")
    parts.append(pipes(("track", "metric", "cells", "moved at all", "most"), _movement(compared)))
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


def _movement(compared: pd.DataFrame) -> list[list[str]]:
    """Return one line per track and metric: cells, changed cells, largest share of a tolerance."""
    both = compared.dropna(subset=["difference"])
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
    """Return the kind under which a metric's cells are counted, such as `first losses`."""
    first = metric.partition(" ")[0]
    return {COUNT: COUNT, "first": "first losses", "last": "last losses"}.get(first, metric)


def accept(params: Params) -> list[str]:
    """Stage a profile's new results for the next commit.

    Files of a run are staged: results, trained weights that are in git, and `dvc.lock`. Other
    changes are refused, because results must follow from committed code.

    Args:
        params: The profile, inside a git working tree.

    Returns:
        Staged paths relative to the root; empty if nothing changed.

    Raises:
        InputError: Other files are changed or not under version control.
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
        git(root, "add", "--all", "--", *changed)
    return changed


def _changed(root: Path) -> list[str]:
    """Return every path that differs from the last commit, with both names of a renamed file."""
    try:
        listed = git(root, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames")
    except (OSError, subprocess.CalledProcessError) as error:
        raise InputError(f"{root} is not a git working tree that can be read: {error}.") from error
    return [entry[3:] for entry in listed.split("\0") if entry]
