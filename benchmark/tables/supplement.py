"""Tables of a profile beside III, IV and VII: ablations, perception, statistics, bit rates."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from benchmark.core import jpeg, statistics
from benchmark.core.params import Params
from benchmark.data import compression, evaluation, lists
from benchmark.scoring import lpips_weights, results
from benchmark.tables import (
    ablations,
    bitrates,
    cells,
    grid,
    load,
    output,
    paired_differences,
    ranks,
    render,
    seeds,
)
from benchmark.tables.grid import Scope
from benchmark.tables.output import Page

PERCEPTION_NOTES = (
    "At the highest quality factor of the profile alone, protocol `sound`. ST-LPIPS: LPIPS on a "
    "shift-tolerant AlexNet (Ghildyal and Liu 2022). MLSM, EnlightenGAN and others may train on "
    "features of networks akin to it, which favours them here.",
    "PSNR-GT-mean is a marked extra: every output is first given the mean brightness of its "
    "reference, which no user can do. Use it to see what a method loses besides exposure, and not "
    "to rank methods.",
)


def pages(params: Params, rows: pd.DataFrame, scope: Scope) -> Iterator[Page]:
    """Yield every further table of a profile.

    Args:
        params: The profile.
        rows: Rows of its chains (`load.image_rows`).
        scope: What its tables of image quality hold.

    Raises:
        InputError: The stage perceive has not run.
    """
    resampling = cells.BootstrapSettings(params.seed, params.bootstrap)
    for name in ablations.TABLES:
        table = ablations.cells(name, rows, scope, resampling, bool(params.external))
        if len(table):
            yield _grids(name, table, ablations.scope(name, scope), _few(table))
    if params.perceived_chains:
        perceived = perception_rows(params)
        chosen = {name: scope.records[name] for name in params.perceived_chains}
        table = cells.quality(perceived, scope.records, scope.datasets, resampling, compare=False)
        missing = lpips_weights.absence() if "LPIPS" not in set(table["metric"]) else ""
        notes = [*PERCEPTION_NOTES, *([f"LPIPS has no column here: {missing}."] if missing else [])]
        yield _grids("table_perception", table, replace(scope, records=chosen), notes)
    scores = seeds.Scores(load.seed_rows(params))
    yield from seeds.pages(scores, scope.records)
    yield from paired_differences.pages(
        paired_differences.differences(rows, scope.records, resampling, scores)
    )
    yield from ranks.pages(ranks.rankings(rows, scope.records), scope.records)
    encoder = jpeg.encoder()
    sizes = bitrates.measure(_cases(params))
    yield from bitrates.pages(sizes, f"{encoder.library}, chroma {encoder.subsampling}")


def write_supplement(folder: Path, params: Params, rows: pd.DataFrame, scope: Scope) -> None:
    """Write every further table of a profile into a folder; see `pages`."""
    for page in pages(params, rows, scope):
        output.write(folder, page)


def perception_rows(params: Params) -> pd.DataFrame:
    """Return the perceptual distances of the profile's chains."""
    folder = params.work / "measured" / "perception"
    return pd.concat(
        [results.read(folder / f"{chain}.parquet") for chain in params.perceived_chains],
        ignore_index=True,
    )


def _cases(params: Params) -> list[evaluation.EvaluationInput]:
    places = lists.PathResolver.of(params)
    jpegs = params.work / "jpeg" / "test"
    return compression.read_cases(jpegs / "scores.csv", jpegs, places)


def _grids(name: str, table: pd.DataFrame, scope: Scope, notes: list[str]) -> Page:
    grids = grid.build(name, table, scope)
    text = render.markdown(grid.TITLES[name], grids, notes)
    return output.Page(name, table[cells.COLUMNS], text, render.latex(grids))


def _few(table: pd.DataFrame) -> list[str]:
    """Return warnings about sets of few images."""
    counts = {str(d): int(n) for d, n in table.groupby("dataset")["n"].max().items()}
    warned = {dataset: statistics.warning(n) for dataset, n in counts.items()}
    return [f"{dataset}: {text}." for dataset, text in warned.items() if text]
