"""The claims judged by what a profile's run left on disk."""

from typing import Any

import pandas as pd

from benchmark import evidence, jsonfile, rows, statistics
from benchmark.claims import language, page
from benchmark.claims.faces import FaceCurves
from benchmark.claims.sources import Measured, Source
from benchmark.comparison import scores
from benchmark.errors import InputError
from benchmark.params import Params
from benchmark.tables import Resampling


def judged(params: Params) -> list[dict[str, Any]]:
    """Return every claim with its verdicts in the paper and in a profile's run.

    Raises:
        InputError: The profile has no results.
    """
    return page.records(language.read(), sources(params))


def sources(params: Params) -> dict[str, Source]:
    """Return the numbers of a run, by kind of weights.

    They come from `rows.parquet` and `provenance.json` in the profile's results; detections of
    faces are read where the pipeline has left them on this machine.
    """
    record = params.results / "provenance.json"
    if not record.is_file():
        raise InputError(f"There are no results at {record}: run `dvc repro` for this profile.")
    stored = jsonfile.read(record)["chains"]  # in a clone without the pipeline's files, too
    chains = {chain: stored[chain] for chain in params.chains if chain in stored}
    made = rows.read(params.results / "rows.parquet")
    resampling = Resampling(params.seed, params.bootstrap)
    return {
        field.weights: Measured(made, chains, field, resampling, _curves(params, field))
        for field in scores.fields(chains)
    }


def _curves(params: Params, field: scores.Field) -> FaceCurves | None:
    folder = params.work / "measured" / "faces"
    if not params.detection.chains or not folder.is_dir() or evidence.no_faces(params):
        return None
    resampling = Resampling(params.seed, params.bootstrap)
    truth = evidence.truth(params)
    dataset = next(iter(truth))  # the paper has one
    found = [one for one in evidence.found(params) if one.dataset == dataset]
    return FaceCurves(truth[dataset], found, field, resampling)


def notes(params: Params, made: pd.DataFrame) -> list[str]:
    """Return what a reader must know of a run: its data and its number of images."""
    said = [f"Profile `{params.profile}`: {params.title}."]
    if params.builtin:
        said.append(
            "Its images are miniatures that this suite makes: the verdicts show that the machinery "
            "runs, and say nothing about the paper."
        )
    for dataset, group in made.groupby("dataset", sort=False):
        warned = statistics.warning(int(group["image"].nunique()))
        said += [f"{dataset}: {warned}."] if warned else []
    return said
