"""Stage train: every learned method of the profile, on as many processes as it has jobs.

Weights whose record says that they are what this training would give stay as they are.
"""

import contextlib
import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from benchmark import ROOT, stages
from benchmark.core import parallel
from benchmark.core.console import say
from benchmark.core.params import Params
from benchmark.methods import checkpoints
from benchmark.training import loop, plan


def train(params: Params, names: Sequence[str] | None = None) -> None:
    """Train the profile's methods, or only some; a killed training goes on where it stopped.

    Files appear as soon as a method is trained. Where several are trained at a time, progress is
    not shown: lines would overwrite each other.
    """
    own = params.weights.with_name(params.profile)  # empty where another profile's weights serve
    for place in (own, params.results / "training"):
        place.mkdir(parents=True, exist_ok=True)
    chosen = plan.trainings(params, names)
    jobs = min(params.jobs, max(len(chosen), 1)) if params.devices == 1 else 1
    work: Callable[[tuple[str, int]], Any] = partial(_train if jobs < 2 else _train_quietly, params)
    for _ in parallel.map_parallel(work, chosen, jobs, "training", "method"):
        pass


def _train_quietly(params: Params, chosen: tuple[str, int]) -> None:
    with contextlib.redirect_stderr(io.StringIO()):
        _train(params, chosen)


def _train(params: Params, chosen: tuple[str, int]) -> None:
    method, seed = chosen
    folder = params.seed_folder(params.weights, seed)
    logs = params.seed_folder(params.results / "training", seed)
    name = method if seed == params.seed else f"{method} with seed {seed}"
    data, own = plan.training_data(params), params.model_copy(update={"seed": seed})
    kept = plan.trained_already(own, method, data, folder, logs)
    if "model" in kept:
        say(f"{name} is trained as asked: kept.")
        return
    trained, log = plan.train_method(own, method, data, ROOT / ".cache" / "training", kept)
    loop.write_log(logs / f"{method}.csv", log)
    say(f"{name} is trained.")
    for part, checkpoint in trained.items():
        checkpoints.save(checkpoints.trained_path(folder, method, part), checkpoint)


if __name__ == "__main__":
    stages.run(train)
