"""Stages train, vae and mapping: one part of a learned method."""

from benchmark import ROOT, datasets, fitting, loop, merge, stages, weights
from benchmark.params import Params


def train(params: Params, method: str, part: str) -> None:
    """Train one part of a method; a killed training goes on where its last state was saved."""
    places = merge.Places(tuple(datasets.raw_roots(params.raw)), params.work)
    data = fitting.Data(params.work / "merge" / "train", params.work / "jpeg" / "train", places)
    state = ROOT / ".cache" / "training"
    checkpoint, log = fitting.fit(params, method, part, data, state)
    path = weights.trained_path(params.weights, method, part)
    loop.write_log(params.results / "training" / f"{path.stem}.csv", log)
    weights.save(path, checkpoint)


if __name__ == "__main__":
    stages.run(train, "method", "part")
