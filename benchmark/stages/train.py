"""Stage train: every learned method of the profile, the paper's and the baselines' alike.

One stage for all of them: methods are trained on as many processes as the profile has jobs.
Weights whose record says that they are what this training would give stay as they are.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmark import ROOT, stages
from benchmark.core import parallel
from benchmark.core.console import say
from benchmark.core.params import Params
from benchmark.data import lists, registry
from benchmark.methods import checkpoints
from benchmark.training import loop, plan


def train(params: Params, names: tuple[str, ...] = ()) -> None:
    """Train the profile's methods, or the named ones; a killed training goes on where it stopped.

    A method's files are written as soon as it is trained.
    """
    folder, logs = params.weights, params.results / "training"
    for place in (folder, logs):
        place.mkdir(parents=True, exist_ok=True)
    work: Callable[[str], Any] = partial(_train, params)
    chosen = list(names or params.training)
    jobs = params.jobs if params.devices == 1 else 1
    for _ in parallel.map_parallel(work, chosen, jobs, "training", "method"):
        pass


def _train(params: Params, method: str) -> None:
    places = lists.PathResolver(tuple(registry.raw_roots(params.raw)), params.work)
    data = plan.TrainingData(
        params.work / "merge" / "train", params.work / "jpeg" / "train", places
    )
    logs = params.results / "training"
    kept = plan.trained_already(params, method, data, params.weights, logs)
    if "model" in kept:
        say(f"{method} is trained as asked: kept.")
        return
    made, log = plan.train_method(params, method, data, ROOT / ".cache" / "training", kept)
    loop.write_log(logs / f"{method}.csv", log)
    for part, checkpoint in made.items():
        checkpoints.save(checkpoints.trained_path(params.weights, method, part), checkpoint)


if __name__ == "__main__":
    stages.run(train)
