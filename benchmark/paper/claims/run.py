"""The claims judged by what a profile's run left on disk."""

from typing import Any

import pandas as pd

from benchmark.core import jsonfile, statistics
from benchmark.core.errors import InputError
from benchmark.core.params import Params
from benchmark.methods import records
from benchmark.paper.claims import page, schema
from benchmark.paper.claims.face_sources import FaceCurves
from benchmark.paper.claims.sources import Measured, Source
from benchmark.scoring import results
from benchmark.tables import competitors, load
from benchmark.tables.cells import BootstrapSettings


def judged(params: Params) -> list[dict[str, Any]]:
    """Return every claim with its verdicts in the paper and in a profile's run.

    Raises:
        InputError: The profile has no results.
    """
    return page.records(schema.read(), sources(params))


def sources(params: Params) -> dict[str, Source]:
    """Return the numbers of a run, by track.

    They come from `rows.parquet` and `provenance.json` in the profile's results; detections of
    faces are read where the pipeline has left them on this machine.
    """
    record = params.results / "provenance.json"
    if not record.is_file():
        raise InputError(f"There are no results at {record}: run `dvc repro` for this profile.")
    # Read from the results, which a clone without the pipeline's files holds, too.
    stored = records.from_plain(jsonfile.read(record)["chains"])
    chains = {chain: stored[chain] for chain in params.chains if chain in stored}
    made = results.read(params.results / "rows.parquet")
    resampling = BootstrapSettings(params.seed, params.bootstrap)
    return {
        field.track: Measured(made, chains, field, resampling, _curves(params, field))
        for field in competitors.fields(chains)
    }


def _curves(params: Params, field: competitors.Competitors) -> FaceCurves | None:
    folder = params.work / "measured" / "faces"
    if not params.detection.chains or not folder.is_dir() or load.no_faces(params):
        return None
    resampling = BootstrapSettings(params.seed, params.bootstrap)
    truth = load.truth(params)
    dataset = next(iter(truth))  # the paper has one
    found = [one for one in load.found(params) if one.dataset == dataset]
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
