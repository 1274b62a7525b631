"""Seconds and memory of every stage that ran, kept in `.cache/stage_times`."""

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmark import ROOT
from benchmark.core import environment, files

FOLDER = ROOT / ".cache" / "stage_times"


class StageTime(NamedTuple):
    """One run of a stage.

    Attributes:
        stage: Name of its module, with its options: `compress train`.
        ended: Unix time at its end.
        seconds: Wall time of its process, from its start on.
        cpu_seconds: Processor time of its process and of all that it started.
        peak_mib: Largest memory of one of these processes, of those that live at the end.
    """

    stage: str
    ended: float
    seconds: float
    cpu_seconds: float
    peak_mib: float


@contextlib.contextmanager
def measured(profile: str, stage: str) -> Iterator[None]:
    """Add this process to the times of a profile when the block ends without an error."""
    yield
    own = psutil.Process()
    cpu, peaks = [sum(own.cpu_times()[:4])], [environment.peak_mib()]
    for worker in own.children(recursive=True):  # pools end only with this process
        with contextlib.suppress(psutil.Error, OSError):
            cpu.append(sum(worker.cpu_times()[:4]))
            peaks.append(environment.peak_mib(worker.pid))
    now = time.time()
    seconds = now - own.create_time()
    run = StageTime(stage, now, round(seconds, 2), round(sum(cpu), 2), round(max(peaks), 1))
    files.append(_file(profile), f"{json.dumps(run)}\n".encode())


def since(profile: str, start: float) -> list[StageTime]:
    """Return the runs of a profile's stages that ended after a Unix time, in order."""
    path = _file(profile)
    if not path.is_file():
        return []
    runs = []
    for line in path.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError, TypeError):  # a line that was cut as it was written
            runs.append(StageTime(*json.loads(line)))
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
