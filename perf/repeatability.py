"""Measure how far retrained numbers move between runs, instructions, thread counts and seeds.

    python perf/repeatability.py > perf/repeatability.md

Trains a few methods of the demo profile at a share of their budgets, each several times: as a
reference, again with everything equal, with the vector instructions of an older CPU, with two
threads instead of one, and with another seed. Each training is a process of its own. Needs `dvc
repro compress` of the demo. Prints, by method, the largest difference of a table's cell (a mean
over the images of a test set at QF 90, protocol sound) from the reference; what
`results/tolerances.yaml` allows on the track `retrained` rests on it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmark import compression, datasets, fitting, merge, methods, params, rows, weights
from benchmark.jobs import Job
from benchmark.journal import Journal
from benchmark.params import Params
from benchmark.scoring import rows as scored

METHODS = ("zero_dce", "unet", "edsr", "enlightengan", "mlsm_level1")
"""One of each kind: without a reference, paired, a deblocker, adversarial, the paper's method."""
QF = 90
METRICS = ("psnr", "psnr_b", "ssim", "ssim_rgb", "bef")
OLD = {
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
}
"""Keeps torch and its libraries to instructions of 2008: sums are made in another order."""


class Change(NamedTuple):
    """What sets a training apart from the reference."""

    threads: int = 1
    seed: int = 0
    environment: Mapping[str, str] = {}


RUNS: Mapping[str, Change] = {
    "nothing: run again": Change(),
    "instructions of an older CPU": Change(environment=OLD),
    "two threads": Change(threads=2),
    "another seed": Change(seed=1),
}


def cells(chosen: Params, method: str, folder: Path) -> dict[str, dict[str, float]]:
    """Train a method and return the means of its test images: metric -> set -> value."""
    places = merge.Places(tuple(datasets.raw_roots(chosen.raw)), chosen.work)
    data = fitting.Data(chosen.work / "merge" / "train", chosen.work / "jpeg" / "train", places)
    checkpoint, _ = fitting.fit_all(chosen, method, data, folder / "state")
    weights.save(weights.trained_path(folder, method), checkpoint)
    jpegs = chosen.work / "jpeg" / "test"
    jobs = [
        Job(methods.Chain((method,)), "retrained", folder, case)
        for case in compression.read_cases(jpegs / "scores.csv", jpegs, places)
        if case.qf == QF
    ]
    means = rows.means(rows.frame(scored("demo", jobs, Journal(None))))
    sound = means[means["protocol"] == "sound"]
    return {
        str(metric): dict(zip(group["dataset"], group["value"], strict=True))
        for metric, group in sound.groupby("metric")
    }


def run(method: str, steps: int, change: Change) -> dict[str, dict[str, float]]:
    """Train and score in a process of its own."""
    options = [f"{value}" for value in (method, steps, change.threads, change.seed)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(change.threads))
    done = subprocess.run(
        [sys.executable, __file__, "--one", *options],
        env=os.environ | threads | {"OMP_WAIT_POLICY": "PASSIVE"} | change.environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    return found


def one(method: str, steps: int, threads: int, seed: int) -> None:
    """Print the means of one training as JSON."""
    chosen = params.load(params.profile_path("demo"))
    wanted = chosen.training[method].model_copy(update={"steps": steps})
    update = {"training": {method: wanted}, "threads": threads, "seed": chosen.seed + seed}
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(cells(chosen.model_copy(update=update), method, Path(folder))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--share", type=float, default=1.0, help="of the demo's steps")
    parser.add_argument("--methods", nargs="+", default=METHODS, help="which methods")
    parser.add_argument("--runs", nargs="+", choices=RUNS, default=list(RUNS), help="what differs")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(asked.one[0], *map(int, asked.one[1:]))
        return
    chosen = params.load(params.profile_path("demo"))
    print("| method | steps | what differs | " + " | ".join(METRICS) + " |")
    print("| -- " * (3 + len(METRICS)) + "|")
    start = time.monotonic()
    for method in asked.methods:
        steps = max(20, round(asked.share * chosen.training[method].steps))
        reference = run(method, steps, Change())
        for what in asked.runs:
            moved = run(method, steps, RUNS[what])
            most = {
                metric: max(abs(moved[metric][k] - v) for k, v in reference[metric].items())
                for metric in METRICS
            }
            told = " | ".join(f"{most[metric]:.2g}" for metric in METRICS)
            print(f"| {method} | {steps} | {what} | {told} |", flush=True)
    print(f"\nTook {time.monotonic() - start:.0f} s.")


if __name__ == "__main__":
    main()
