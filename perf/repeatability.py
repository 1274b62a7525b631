"""Measure how far a profile's numbers move between CPUs, and write what `check` allows from that.

    python perf/repeatability.py [--profile demo] [--against HEAD] [--write]

Trains and scores every chain again under each condition of `benchmark.check.repeat` (instruction
sets of older CPUs, other code of the linear algebra, two threads), each in a process of its own on
a copy of the code, and compares all cells with the results of `--against`. Writes the largest move
by method as perf/repeatability.md and, with `--write`, results/tolerances.yaml: its first part, up
to the mark, is kept, and what follows the mark is written anew. Needs `dvc repro` of the profile.
"""

import argparse
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from benchmark import ROOT
from benchmark.check import compare, repeat, repeatability
from benchmark.core import environment, params

PAGE = ROOT / "perf" / "repeatability.md"
MARK = "# Measured by perf/repeatability.py; the rest of this file is written by it.\n"


def measured(profile: str, against: str, conditions: list[str], jobs: int, cells: Path) -> None:
    """Repeat the profile under every condition; each leaves a file of its cells in a folder."""
    chosen = params.load(params.profile_path(profile))

    def one(condition: str) -> None:
        folder = Path(tempfile.mkdtemp())
        start = time.monotonic()
        try:
            found = repeat.repeat(chosen, condition, folder, (), against)
        finally:
            shutil.rmtree(folder)
        found.to_csv(cells / f"{condition}.csv", index=False)
        moved = int((found["verdict"] != "ok").sum())
        seconds = time.monotonic() - start
        print(
            f"{condition}: {moved} of {len(found)} cells beyond tolerance, {seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, conditions))


def page(found: dict[str, pd.DataFrame], profile: str, against: str) -> str:
    """Return the Markdown page: conditions, verdicts, largest move by method."""
    machine = environment.environment()
    libraries = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    moves = repeatability.moves(found)
    lines = [
        "# How far numbers move between machines",
        "",
        f"Made by `python perf/repeatability.py --profile {profile}` on {machine['cpu']}",
        f"({machine['cores']} cores, {machine['vectors']}; {libraries}).",
        "Every chain is trained and scored again under each condition and compared with the",
        "committed results, cell by cell; fewer cells: of some of the chains.",
        "",
        "| condition | what differs | cells | moved at all | beyond tolerance |",
        "| -- | -- | -- | -- | -- |",
    ]
    for name, cells in found.items():
        moved = int((cells["difference"].abs() > 0).sum())
        wrong = int((cells["verdict"] != "ok").sum())
        about = repeat.CONDITIONS[name].about
        lines.append(f"| {name} | {about} | {len(cells)} | {moved} | {wrong} |")
    lines += [
        "",
        "The largest move of any cell by method, over all conditions. `loss`: of the terms of its",
        "training, as a share of the term. `most under`: the condition of PSNR's largest move.",
        "",
        repeatability.table(moves),
    ]
    return "\n".join(lines) + "\n"


def tolerances(found: dict[str, pd.DataFrame]) -> str:
    """Return results/tolerances.yaml with the measured entries written anew."""
    kept = compare.TOLERANCES.read_text(encoding="utf-8").partition(MARK)[0]
    entries = repeatability.allowed(repeatability.moves(found))
    return kept + MARK + repeatability.as_yaml(entries)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--profile", default="demo", help="whose numbers")
    parser.add_argument("--against", default="HEAD", help="a git revision or a folder of results")
    every = [name for name in repeat.CONDITIONS if name != "native"]
    parser.add_argument("--conditions", nargs="+", choices=repeat.CONDITIONS, default=every)
    parser.add_argument("--jobs", type=int, default=1, help="conditions at a time")
    parser.add_argument("--cells", type=Path, help="folder of cells, read where they are there")
    parser.add_argument("--write", action="store_true", help="write results/tolerances.yaml too")
    asked = parser.parse_args()
    folder = asked.cells or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in asked.conditions if not (folder / f"{name}.csv").is_file()]
    measured(asked.profile, asked.against, missing, asked.jobs, folder)
    found = {
        name: pd.read_csv(
            folder / f"{name}.csv", keep_default_na=False, na_values={"difference": ""}
        )
        for name in asked.conditions
    }
    if asked.write:
        compare.TOLERANCES.write_text(tolerances(found), encoding="utf-8", newline="\n")
        for cells in found.values():
            limits = compare.limits(cells, compare.tolerances())
            cells["verdict"] = cells["verdict"].mask(cells["difference"].abs() <= limits, "ok")
    PAGE.write_text(page(found, asked.profile, asked.against), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
