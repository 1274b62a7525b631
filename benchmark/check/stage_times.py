"""Seconds and memory of every stage that ran, kept in `.cache/stage_times`."""

import json
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmark import ROOT
from benchmark.core import files

FOLDER = ROOT / ".cache" / "stage_times"


class StageTime(NamedTuple):
    """One run of a stage.

    Attributes:
        stage: Name of its module, with its options: `compress train`.
        ended: Unix time at its end.
        seconds: Wall time of its process, from its start on.
        cpu_seconds: Processor time of its process and all that it waited for.
        peak_mib: Largest memory of a single one of these processes.
    """

    stage: str
    ended: float
    seconds: float
    cpu_seconds: float
    peak_mib: float


@contextmanager
def measured(profile: str, stage: str) -> Iterator[None]:
    """Add this process to the times of a profile when the block ends without an error."""
    yield
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    unit = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, Linux KiB
    now = time.time()
    run = StageTime(
        stage,
        now,
        round(now - psutil.Process().create_time(), 2),
        round(sum(usage.ru_utime + usage.ru_stime for usage in usages), 2),
        round(max(usage.ru_maxrss for usage in usages) / unit, 1),
    )
    files.append(_file(profile), f"{json.dumps(run)}\n".encode())


def since(profile: str, start: float) -> list[StageTime]:
    """Return the runs of a profile's stages that ended after a Unix time, in order."""
    path = _file(profile)
    if not path.is_file():
        return []
    runs = [StageTime(*json.loads(line)) for line in path.read_text().splitlines() if line]
    return [run for run in runs if run.ended >= start]


def table(runs: Sequence[StageTime], seconds: float) -> list[str]:
    """Return the lines of a table of runs, longest first, and what is left of the whole time.

    Example:
        >>> for line in table([StageTime("score", 9.0, 6.0, 11.0, 512.0)], 8.0):
        ...     print(line)
        stage            wall s    CPU s  peak MiB
        score               6.0     11.0       512
        DVC itself          2.0
    """
    if not runs:
        return []
    lines = [f"{'stage':<15}{'wall s':>8}{'CPU s':>9}{'peak MiB':>10}"]
    for run in sorted(runs, key=lambda run: -run.seconds):
        lines.append(
            f"{run.stage:<15}{run.seconds:>8.1f}{run.cpu_seconds:>9.1f}{run.peak_mib:>10.0f}"
        )
    rest = seconds - sum(run.seconds for run in runs)
    return [*lines, f"{'DVC itself':<15}{rest:>8.1f}"]


def _file(profile: str) -> Path:
    return FOLDER / f"{profile}.jsonl"
