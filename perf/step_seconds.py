"""Time the training steps of a profile's recipes on this machine: `mlsm-bench plan` reads them.

    python perf/step_seconds.py --profile paper

Crops are noise: a step takes as long whatever it sees. Parts that are built on others get these as
they are before training. Writes `results/<profile>/step_seconds.csv`: method, part, seconds a step
(the shortest of three after one that warms up, or the only one where it takes long), threads and
device. Run it on a machine that does nothing else: it says so where other programs were running,
and then writes nothing.
"""

import argparse
import os
import time
from collections.abc import Sequence
from typing import Any

import lightning_fabric
import numpy as np
import pandas as pd
import torch

from benchmark import ROOT, methods
from benchmark.check import plan
from benchmark.core import environment, params
from benchmark.core.params import Params
from benchmark.training import Batch, Recipe, crops, fit
from benchmark.training.loop import Run, _Loop
from benchmark.training.plan import parts_before

REPEATS = 3
UNUSED = ROOT / ".cache" / "unused"
SLOW_SECONDS = 5.0
"""A first step that takes longer is the only one: warming up is a small part of it."""


def parts(chosen: Params, names: Sequence[str] | None) -> list[tuple[str, str, Recipe]]:
    """Return every part of some methods, or of all that the profile trains, with its recipe."""
    made = []
    for name in names or chosen.training:
        plugin = methods.find(name)
        states: dict[str, Any] = {}
        for part in plugin.parts or ("model",):
            wanted = chosen.training_of(name, part)
            before = {key: states[key] for key in parts_before(plugin, part)}
            budget = Run(1, 0, UNUSED, precision=wanted.precision or chosen.precision)
            recipe = fit.recipe(plugin, part, before, wanted, budget)
            states[part] = recipe.network.state_dict()
            made.append((name, part, recipe))
    return made


def batch(recipe: Recipe, qfs: list[int]) -> Batch:
    random, shape = np.random.default_rng(0), (recipe.crop, recipe.crop, 3)
    images = [
        (
            random.integers(0, 76, shape, np.uint8),
            random.integers(0, 256, shape, np.uint8),
            qfs[index % len(qfs)],
        )
        for index in range(recipe.batch)
    ]
    return crops.batch(images, recipe.whole)


def seconds(recipe: Recipe, qfs: list[int], fabric: lightning_fabric.Fabric) -> float:
    """Return the shortest of `REPEATS` steps after one that does not count, or the slow first."""
    looped = _Loop(recipe, Run(1_000_000, 0, UNUSED), fabric)
    seen = batch(recipe, qfs)
    seen = Batch(*(part.to(fabric.device) for part in seen))
    times = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        looped.advance(seen)
        if fabric.device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
        if times[0] > SLOW_SECONDS:
            break
    return min(times[1:] or times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--profile", default="paper")
    parser.add_argument("--methods", nargs="+", help="which; times of others stay in the file")
    asked = parser.parse_args()
    chosen = params.load(params.profile_path(asked.profile))
    if chosen.threads is not None:
        torch.set_num_threads(chosen.threads)
    fabric = lightning_fabric.Fabric(devices=1)
    where = str(environment.environment()["cpu"])
    if fabric.device.type == "cuda":
        where = torch.cuda.get_device_name()
    rows, cores = [], os.cpu_count() or 1
    for name, part, recipe in parts(chosen, asked.methods):
        taken = seconds(recipe, chosen.train_qfs, fabric)
        rows.append((name, part, round(taken, 5), torch.get_num_threads(), where))
        print(f"{name:<16}{part:<16}{taken:>10.4f} s a step", flush=True)
    busy = os.getloadavg()[0]
    if busy > cores:
        raise SystemExit(f"{busy:.1f} programs wanted {cores} cores: measure on an idle machine.")
    frame = pd.DataFrame(rows, columns=["method", "part", "seconds", "threads", "device"])
    path = chosen.results / plan.STEP_SECONDS
    if asked.methods and path.is_file():
        known = pd.read_csv(path)
        frame = pd.concat([known[~known["method"].isin(asked.methods)], frame])
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, lineterminator="\n")
    print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
