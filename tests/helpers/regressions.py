"""Plant regressions in copies of the suite and see whether `check` finds what they moved.

    OMP_NUM_THREADS=1 python -m tests.helpers.regressions > perf/regressions.md
    OMP_NUM_THREADS=1 python -m tests.helpers.regressions --json FILE

A tiny profile is run once. Then each mutant of `mutants.MUTANTS` gets a copy of code and results,
in which the steps that it touches are run again, in a process forked from this one, so that
libraries are loaded once. What comes out is compared with the first run as `mlsm-bench check` does.
"""

import argparse
import importlib
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml

from benchmark.check import compare, movements
from tests.helpers import copies
from tests.helpers.mutants import MUTANTS, Mutant

LIBRARIES = (
    "lightning_fabric",
    "mahotas",
    "PIL.Image",
    "scipy.ndimage",
    "scipy.stats",
    "skimage.transform",
    "torchvision",
)
"""Loaded before any process is forked."""
CODE = ("benchmark", "baselines", "mlsm", "studies")
ONE = {"steps": 3, "batch": 2, "crop": 32}
PROFILE: dict[str, Any] = {
    "sets": ["LOL", "LSRW", "SICE", "DARKFACE", "WIDER"],
    "qfs": [60],
    "train_qfs": [60],
    "uncompressed": True,
    "training": {
        "unet": ONE | {"steps": 6, "rate_factor": 40.0, "settings": {"width": 4}},
        "edsr": ONE | {"settings": {"width": 4, "blocks": 1}},
        "qcn": ONE | {"steps": 6, "rate_factor": 100.0, "settings": {"width": 8, "blocks": 1}},
        "zero_dce": ONE | {"crop": 48, "settings": {"width": 4}},
        "mlsm": ONE
        | {
            "crop": 64,
            "settings": {"width": 4},
            "parts": dict.fromkeys(
                ("vae_dark", "vae_normal"), ONE | {"crop": 64, "rate_factor": 30.0}
            ),
        },
    },
    "chains": [
        "identity", "clahe", "unet", "qcn", "zero_dce", "edsr+clahe", "clahe+edsr", "mlsm",
    ],
    "perceived": ["identity"],
    "bootstrap": 100,
}  # fmt: skip
PARTS: dict[str, dict[str, Any]] = {
    "merge": {
        "vae_dark": ["LOL", "LSRW"],
        "vae_normal": ["LOL"],
        "mapping_pairs": ["LOL", "LSRW"],
        "test": ["LOL", "SICE"],
        "resize_test": {"SICE": [120, 90]},
    },
    "detection": {"chains": ["identity"], "every": 2, "uncompressed": []},
}


class Outcome(NamedTuple):
    """What became of a mutant.

    Attributes:
        about: Which one.
        error: What it failed with, where it did not come as far as a check.
        findings: (method, metric, verdict) of every cell that does not agree.
        lines: What `mlsm-bench check` would print.
        seconds: Its copy, its steps and the comparison.
    """

    about: str
    error: str
    findings: list[tuple[str, str, str]]
    lines: list[str]
    seconds: float


def _steps() -> dict[str, list[Callable[[], None]]]:
    """Return the steps of the pipeline, from the copy that this process has changed into."""
    chosen = importlib.import_module("benchmark.core.params").load(Path("params.yaml"))

    def stage(name: str, function: str, *arguments: str) -> Callable[[], None]:
        found = getattr(importlib.import_module(f"benchmark.stages.{name}"), function)
        return partial(found, chosen, *arguments)

    return {
        "raw": [stage("raw", "raw")],
        "inventory": [stage("inventory", "take")],
        "pairs": [stage("pairs", "register")],
        "prepare": [stage("prepare", "prepare")],
        "merge": [stage("merge", "merge_lists")],
        "compress": [stage("compress", "compress", split) for split in ("test", "train")],
        **{f"train {name}": [stage("train", "train", (name,))] for name in chosen.training},
        "score": [stage("chains", "chains"), stage("score", "score")],
        "detect": [stage("detect", "detect")],
        "perceive": [stage("perceive", "perceive")],
        "tables": [stage("tables", "write_tables")],
    }


def run(folder: Path, steps: Sequence[str]) -> str:
    """Run steps of a copy, all where none is named, in a process of their own.

    Returns:
        What they failed with, "" where they did not.
    """
    report = folder / "report.txt"
    child = os.fork()
    if child == 0:
        try:
            _run_here(folder, steps)
        except BaseException:  # whatever a mutant raises is what the table says of it
            report.write_text(traceback.format_exc())
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        return f"its process ended with status {status}"
    return report.read_text() if report.is_file() else ""


def _run_here(folder: Path, steps: Sequence[str]) -> None:
    os.chdir(folder)
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    for name in [name for name in sys.modules if name.partition(".")[0] in CODE]:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    torch.set_num_threads(1)
    known = _steps()
    for step in steps or known:
        for work in known[step]:
            work()


def first(folder: Path) -> str:
    """Make a copy with the tiny profile and run all of it; returns what it failed with."""
    copies.write(folder, **PROFILE)
    path = folder / "params.yaml"
    content = yaml.safe_load(path.read_text())
    for section, entries in PARTS.items():
        content[section] |= entries
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    shutil.rmtree(folder / "results" / "demo")
    return run(folder, ())


def plant(mutant: Mutant, base: Path, folder: Path) -> None:
    """Copy a run and change its code.

    Raises:
        ValueError: The text is not there once.
    """
    for name in CODE:
        shutil.copytree(base / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("data/work", "results/demo", "weights/demo"):
        shutil.copytree(base / name, folder / name)
    for name in ("data/raw", "results/paper"):
        (folder / name).symlink_to(base / name)
    shutil.copy(base / "params.yaml", folder)
    for step in mutant.steps:
        trained = step.removeprefix("train ")
        if trained != step:
            (folder / "weights" / "demo" / f"{trained}.pt").unlink()
    if mutant.file:
        path = folder / mutant.file
        text = path.read_text()
        if text.count(mutant.old) != 1:
            raise ValueError(missing(mutant))
        path.write_text(text.replace(mutant.old, mutant.new))


def missing(mutant: Mutant) -> str:
    """Return what to say of a mutant whose text is not there once."""
    return (
        f"{mutant.file} does not hold {mutant.old!r} exactly once, which the planted regression "
        f"{mutant.about!r} replaces: give it the text of today in tests/helpers/mutants.py."
    )


UNCHANGED = Mutant("nothing: run again", "", "", "", ("train unet", "score", "tables"), "", "")


def outcomes(mutants: Sequence[Mutant]) -> list[Outcome]:
    """Run the tiny profile, then every mutant; the first outcome is that of unchanged code."""
    for name in LIBRARIES:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary) / "base"
        base.mkdir()
        started = time.monotonic()
        error = first(base)
        if error:
            raise RuntimeError(f"The tiny profile failed: {error}")
        print(f"base {time.monotonic() - started:.0f} s", file=sys.stderr)
        return [_outcome(mutant, base, Path(temporary)) for mutant in (UNCHANGED, *mutants)]


def _outcome(mutant: Mutant, base: Path, temporary: Path) -> Outcome:
    started = time.monotonic()
    folder = temporary / "mutant"
    shutil.rmtree(folder, ignore_errors=True)
    plant(mutant, base, folder)
    error = run(folder, mutant.steps)
    findings: list[tuple[str, str, str]] = []
    lines: list[str] = []
    if not error:
        results = Path("results") / "demo"
        found = compare.compare(folder / results, base / results, compare.tolerances())
        wrong = found[found["verdict"] != "ok"]
        who = wrong["method"].where(wrong["method"] != "", wrong["table"])
        findings = list(zip(who, wrong["metric"], wrong["verdict"], strict=True))
        lines = movements.lines(movements.groups(found))
    seconds = time.monotonic() - started
    print(f"{seconds:4.0f} s {mutant.about}: {lines[:1] or error[-300:]}", file=sys.stderr)
    return Outcome(mutant.about, error, findings, lines, seconds)


def page(made: Sequence[Outcome]) -> str:
    """Return outcomes as a page."""
    rows = [
        ("planted", "in", "cells", "methods", "what `check` says first of the one it must name")
    ]
    rows.append(("--", "--", "--:", "--:", "--"))
    for mutant, one in zip((UNCHANGED, *MUTANTS), made, strict=True):
        named = [line for line in one.lines if f" {mutant.method} " in line.replace(":", " ")]
        says = named[0] if named else (one.error.strip().splitlines() or ["nothing"])[-1]
        counts = (str(len(one.findings)), str(len({who for who, _, _ in one.findings})))
        place = f"`{mutant.file}`" if mutant.file else "-"
        rows.append((one.about, place, *counts, " ".join(says.split())))
    caught = sum(bool(one.findings) for one in made[1:])
    return (
        "# Planted regressions\n\n"
        "Made by `python -m tests.helpers.regressions > perf/regressions.md`: a tiny profile is\n"
        "run once, then with each change of the suite's code in `tests/helpers/mutants.py`, and\n"
        "compared as `mlsm-bench check` does, with the project's "
        f"tolerances.\n`check` finds {caught} of {len(made) - 1}, and nothing where nothing was "
        "changed.\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, help="write outcomes as JSON")
    parser.add_argument("--only", nargs="+", help="words of mutants to run")
    asked = parser.parse_args()
    chosen = [m for m in MUTANTS if not asked.only or any(w in m.about for w in asked.only)]
    made = outcomes(chosen)
    if asked.json:
        asked.json.write_text(json.dumps([one._asdict() for one in made]))
    if not asked.only:
        print(page(made), end="")


if __name__ == "__main__":
    main()
