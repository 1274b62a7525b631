"""Stages train, vae and mapping: a learned baseline, or one part of the paper's method."""

from typing import Any

from benchmark import ROOT, methods, stages
from benchmark.core.console import say
from benchmark.core.params import Params
from benchmark.data import lists, registry
from benchmark.methods import checkpoints
from benchmark.training import loop, plan

ALL = "all"
"""Trains every part of a method and keeps the last, which holds what it needs of the others."""


def train(params: Params, method: str, part: str) -> None:
    """Train a method; a killed training goes on where its last state was saved.

    The stage's outputs persist: weights whose record says that they are what this training would
    give stay as they are.
    """
    places = lists.PathResolver(tuple(registry.raw_roots(params.raw)), params.work)
    data = plan.TrainingData(
        params.work / "merge" / "train", params.work / "jpeg" / "train", places
    )
    last = "model" if part == ALL else part
    path = checkpoints.trained_path(params.weights, method, last)
    log_path = params.results / "training" / f"{path.stem}.csv"
    wanted = plan.identity(params, method, last, data)
    there = path.is_file() and log_path.is_file()
    if there and plan.is_trained(checkpoints.load(path, method, last), wanted):
        say(f"{path.name} is trained as asked: kept.")
        return
    state = ROOT / ".cache" / "training"
    log: list[dict[str, Any]]
    if part == ALL:
        checkpoint, log = plan.fit_all(params, method, data, state)
    else:
        names = plan.parts_before(methods.find(method), part)
        before = {
            name: checkpoints.load(
                checkpoints.trained_path(params.weights, method, name), method, name
            )
            for name in names
        }
        checkpoint, log = plan.train_part(params, method, part, data, state, before)
    loop.write_log(log_path, log)
    checkpoints.save(path, checkpoint)


if __name__ == "__main__":
    stages.run(train, "method", "part")
