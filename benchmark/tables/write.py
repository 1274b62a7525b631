"""The files of a profile's tables: III, IV and VII, counts I and II, and the rows behind them."""

from pathlib import Path

import pandas as pd

from benchmark.core import reported
from benchmark.core.params import Params
from benchmark.scoring import results
from benchmark.tables import cells as tables
from benchmark.tables import grid, load, output, render
from benchmark.tables.supplement import write_supplement


def write_all(params: Params, folder: Path) -> None:
    """Write every table that the profile has, and `rows.parquet` beside the folder."""
    resampling = tables.BootstrapSettings(params.seed, params.bootstrap)
    if params.merge.test:
        _write_quality(params, folder, resampling)
    else:
        results.write(params.results / "rows.parquet", results.frame([]))
    if not load.no_faces(params):
        scope = load.face_scope(params)
        truth, found = load.truth(params), load.found(params)
        cells = tables.faces(truth, found, scope.records, params.detection.iou, resampling)
        _write(folder, "table_7", cells, scope, [])
    merged = pd.read_csv(params.work / "merge" / "counts.csv")
    for name, title, listed in load.COUNTED if len(merged) else ():
        counted = tables.counts(merged, listed, compare=bool(params.external))
        text, latex = render.counts(title, counted, [reported.TRAINING_NOTES[listed]])
        output.write(folder, output.Page(name, counted, text, latex))


def _write_quality(params: Params, folder: Path, resampling: tables.BootstrapSettings) -> None:
    """Write Tables III and IV, those of other inputs, and what rests on their rows."""
    made = load.image_rows(params)
    results.write(params.results / "rows.parquet", made)
    scope = load.scope(params)
    cells = tables.quality(
        made, scope.records, scope.datasets, resampling, compare=bool(params.external)
    )
    for name, of_table in tables.split(cells).items():
        _write(folder, name, of_table, scope, load.notes(params))
    write_supplement(folder, params, made, scope)


def _write(
    folder: Path, name: str, cells: pd.DataFrame, scope: grid.Scope, notes: list[str]
) -> None:
    made = grid.build(name, cells, scope)
    text = render.markdown(grid.TITLES[name], made, notes)
    output.write(folder, output.Page(name, cells[tables.COLUMNS], text, render.latex(made)))
