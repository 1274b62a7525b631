"""The files of a profile's tables: III, IV and VII, counts I and II, and the rows behind them."""

from pathlib import Path

import pandas as pd

from benchmark.core import reported
from benchmark.core.params import Params
from benchmark.scoring import results, seeds
from benchmark.tables import cells, grid, load, output, render
from benchmark.tables.supplement import write_supplement


def write_all(params: Params, folder: Path) -> None:
    """Write every table that the profile has, and `rows.parquet` beside the folder."""
    resampling = cells.BootstrapSettings(params.seed, params.bootstrap)
    if params.merge.test:
        _write_quality(params, folder, resampling)
    else:
        results.write(params.results / "rows.parquet", results.frame([]))
        seeds.write_all(params.results / seeds.FILE, pd.DataFrame(columns=seeds.COLUMNS))
    if not load.no_faces(params):
        scope = load.face_scope(params)
        truth, detection_sets = load.truth(params), load.found(params)
        table = cells.faces(truth, detection_sets, scope.records, params.detection.iou, resampling)
        _write(folder, "table_7", table, scope, [])
    merged = pd.read_csv(params.work / "merge" / "counts.csv")
    for name, title, listed in load.COUNTED if len(merged) else ():
        counted = cells.counts(merged, listed, compare=bool(params.external))
        text, latex = render.counts(title, counted, [reported.TRAINING_NOTES[listed]])
        output.write(folder, output.Page(name, counted, text, latex))


def _write_quality(params: Params, folder: Path, resampling: cells.BootstrapSettings) -> None:
    """Write Tables III and IV, those of other inputs, and the tables that rest on the same rows."""
    rows = load.image_rows(params)
    results.write(params.results / "rows.parquet", rows)
    seeds.write_all(params.results / seeds.FILE, load.seed_rows(params))
    scope = load.scope(params)
    table = cells.quality(
        rows, scope.records, scope.datasets, resampling, compare=bool(params.external)
    )
    for name, part in cells.split(table).items():
        _write(folder, name, part, scope, load.notes(params))
    write_supplement(folder, params, rows, scope)


def _write(
    folder: Path, name: str, table: pd.DataFrame, scope: grid.Scope, notes: list[str]
) -> None:
    grids = grid.build(name, table, scope)
    text = render.markdown(grid.TITLES[name], grids, notes)
    output.write(folder, output.Page(name, table[cells.COLUMNS], text, render.latex(grids)))
