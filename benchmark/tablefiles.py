"""The files of a profile's tables: III, IV and VII, counts I and II, and the rows behind them."""

from pathlib import Path

import pandas as pd

from benchmark import evidence, grids, paper, rows, sheets, tables, typeset
from benchmark.params import Params
from benchmark.supplement import write_supplement


def write_all(params: Params, folder: Path) -> None:
    """Write every table that the profile has, and `rows.parquet` beside the folder."""
    resampling = tables.Resampling(params.seed, params.bootstrap)
    if params.merge.test:
        _write_quality(params, folder, resampling)
    if not evidence.no_faces(params):
        scope = evidence.face_scope(params)
        truth, found = evidence.truth(params), evidence.found(params)
        cells = tables.faces(truth, found, scope.records, params.detection.iou, resampling)
        _write(folder, "table_7", cells, scope, [])
    merged = pd.read_csv(params.work / "merge" / "counts.csv")
    for name, title, listed in evidence.COUNTED if len(merged) else ():
        counted = tables.counts(merged, listed, compare=bool(params.external))
        text, latex = typeset.counts(title, counted, [paper.TRAINING_NOTES[listed]])
        sheets.write(folder, sheets.Page(name, counted, text, latex))


def _write_quality(params: Params, folder: Path, resampling: tables.Resampling) -> None:
    """Write Tables III and IV, those of other inputs, and what rests on their rows."""
    made = evidence.image_rows(params)
    rows.write(params.results / "rows.parquet", made)
    scope = evidence.scope(params)
    cells = tables.quality(
        made, scope.records, scope.datasets, resampling, compare=bool(params.external)
    )
    for name, of_table in tables.split(cells).items():
        _write(folder, name, of_table, scope, evidence.notes(params))
    write_supplement(folder, params, made, scope)


def _write(
    folder: Path, name: str, cells: pd.DataFrame, scope: grids.Scope, notes: list[str]
) -> None:
    made = grids.build(name, cells, scope)
    text = typeset.markdown(grids.TITLES[name], made, notes)
    sheets.write(folder, sheets.Page(name, cells, text, typeset.latex(made)))
