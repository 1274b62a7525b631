"""The claims judged by the files of a profile's run."""

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
from benchmark.scoring import seeds as seed_rows
from benchmark.tables import competitors, load, seeds
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
    rows = results.read(params.results / "rows.parquet")
    resampling = BootstrapSettings(params.seed, params.bootstrap)
    scores = seeds.Scores(seed_rows.read_all(params.results / seed_rows.FILE))
    return {
        field.track: Measured(rows, chains, field, resampling, _curves(params, field), scores)
        for field in competitors.fields(chains)
    }


def _curves(params: Params, field: competitors.Competitors) -> FaceCurves | None:
    folder = params.work / "measured" / "faces"
    if not params.detection.chains or not folder.is_dir() or load.no_faces(params):
        return None
    resampling = BootstrapSettings(params.seed, params.bootstrap)
    truth = load.truth(params)
    dataset = next(iter(truth))  # the paper has one
    detection_sets = [entry for entry in load.found(params) if entry.dataset == dataset]
    return FaceCurves(truth[dataset], detection_sets, field, resampling)


def notes(params: Params, rows: pd.DataFrame) -> list[str]:
    """Return notes for a reader on a run: its data and its number of images."""
    sentences = [f"Profile `{params.profile}`: {params.title}."]
    if params.builtin:
        sentences.append(
            "Its images are miniatures that this suite makes: the verdicts show that the machinery "
            "runs, and say nothing about the paper."
        )
    for dataset, group in rows.groupby("dataset", sort=False):
        warned = statistics.warning(int(group["image"].nunique()))
        sentences += [f"{dataset}: {warned}."] if warned else []
    return sentences
