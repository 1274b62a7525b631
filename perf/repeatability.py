"""Measure how far retrained numbers move between runs, thread counts and seeds.

    OMP_NUM_THREADS=1 python perf/repeatability.py > perf/repeatability.md

Trains a few methods of the demo profile at a share of their budgets, each four times: as a
reference, again with everything equal, with two threads instead of one, and with another seed.
Needs `dvc repro compress` of the demo. Prints, by method, the largest difference of a table's cell
(a mean over the images of a test set at QF 90, protocol sound) from the reference; what
`results/tolerances.yaml` allows on the track `retrained` rests on it.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import torch

from benchmark import compression, datasets, fitting, merge, methods, params, rows, weights
from benchmark.jobs import Job
from benchmark.journal import Journal
from benchmark.params import Params
from benchmark.scoring import rows as scored

METHODS = ("zero_dce", "unet", "edsr")
QF = 90
RUNS: Mapping[str, tuple[int, int]] = {
    "again": (1, 0),
    "two threads": (2, 0),
    "another seed": (1, 1),
}
"""What differs from the reference -> threads, and what is added to the seed."""
METRICS = ("psnr", "psnr_b", "ssim", "ssim_rgb", "bef")


def changed(chosen: Params, method: str, steps: int, threads: int, seed: int) -> Params:
    wanted = chosen.training[method].model_copy(update={"steps": steps})
    return chosen.model_copy(
        update={
            "training": {method: wanted},
            "threads": threads,
            "seed": chosen.seed + seed,
        }
    )


def cells(chosen: Params, method: str, folder: Path) -> pd.DataFrame:
    """Train a method and return the means of its test images, a row a set and metric."""
    places = merge.Places(tuple(datasets.raw_roots(chosen.raw)), chosen.work)
    data = fitting.Data(chosen.work / "merge" / "train", chosen.work / "jpeg" / "train", places)
    checkpoint, _ = fitting.fit_all(chosen, method, data, folder / "state")
    weights.save(weights.trained_path(folder, method), checkpoint)
    jpegs = chosen.work / "jpeg" / "test"
    chain = methods.Chain((method,))
    jobs = [
        Job(chain, "retrained", folder, case)
        for case in compression.read_cases(jpegs / "scores.csv", jpegs, places)
        if case.qf == QF
    ]
    torch.set_num_threads(1)
    means = rows.means(rows.frame(scored("demo", jobs, Journal(None))))
    return means[means["protocol"] == "sound"].set_index(["dataset", "metric"])[["value"]]


def run(chosen: Params, method: str, steps: int, threads: int, seed: int) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        return cells(changed(chosen, method, steps, threads, seed), method, Path(folder))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--share", type=float, default=0.5, help="of the demo's steps")
    share = parser.parse_args().share
    chosen = params.load(params.profile_path("demo"))
    print("| method | steps | differs | " + " | ".join(METRICS) + " |")
    print("| -- " * (3 + len(METRICS)) + "|")
    start = time.monotonic()
    for method in METHODS:
        steps = max(20, round(share * chosen.training[method].steps))
        reference = run(chosen, method, steps, 1, 0)
        for what, (threads, seed) in RUNS.items():
            moved = (run(chosen, method, steps, threads, seed) - reference).abs()
            most = moved["value"].groupby("metric").max()
            told = " | ".join(f"{most[metric]:.2g}" for metric in METRICS)
            print(f"| {method} | {steps} | {what} | {told} |", flush=True)
    print(f"\nTook {time.monotonic() - start:.0f} s.")


if __name__ == "__main__":
    main()
