"""Stage tables: every table as numbers and for reading, all rows, and how they were made."""

import shutil
from pathlib import Path

import pandas as pd

from benchmark import evidence, grids, jsonfile, paper, provenance, rows, stages, tables, typeset
from benchmark.digests import digest_values
from benchmark.params import Params


def write_tables(params: Params) -> None:
    """Write the tables, `rows.parquet` and `provenance.json`."""
    folder = params.results / "tables"
    shutil.rmtree(folder, ignore_errors=True)  # no table of an earlier profile stays behind
    folder.mkdir(parents=True)
    resampling = tables.Resampling(params.seed, params.bootstrap)
    if params.merge.test:
        _write_quality(params, folder, resampling)
    if not evidence.no_faces(params):
        scope, ious = evidence.face_scope(params), params.detection.iou
        found = evidence.truth(params), evidence.found(params)
        _write(folder / "table_7", tables.faces(*found, scope.records, ious, resampling), scope, [])
    merged = pd.read_csv(params.work / "merge" / "counts.csv")
    for name, title, listed in evidence.COUNTED if len(merged) else ():
        counted = tables.counts(merged, listed, compare=bool(params.external))
        text, latex = typeset.counts(title, counted, [paper.TRAINING_NOTES[listed]])
        _write_three(folder / name, counted, text, latex)
    record = provenance.environment() | {"commit": provenance.commit()}
    record["params"] = digest_values(params.model_dump(mode="json"))
    chains = evidence.face_records(params) | evidence.records(params)
    jsonfile.write(params.results / "provenance.json", record | {"chains": chains})


def _write_quality(params: Params, folder: Path, resampling: tables.Resampling) -> None:
    """Write Tables III and IV, those of other inputs, and the rows behind them."""
    made = evidence.image_rows(params)
    rows.write(params.results / "rows.parquet", made)
    scope = evidence.scope(params)
    cells = tables.quality(
        made, scope.records, scope.datasets, resampling, compare=bool(params.external)
    )
    for name, of_table in tables.split(cells).items():
        _write(folder / name, of_table, scope, evidence.notes(params))


def _write(path: Path, cells: pd.DataFrame, scope: grids.Scope, notes: list[str]) -> None:
    made = grids.build(path.name, cells, scope)
    text = typeset.markdown(grids.TITLES[path.name], made, notes)
    _write_three(path, cells, text, typeset.latex(made))


def _write_three(path: Path, numbers: pd.DataFrame, text: str, latex: str) -> None:
    for ending, content in (("csv", tables.csv_text(numbers)), ("md", text), ("tex", latex)):
        path.with_suffix(f".{ending}").write_text(content, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    stages.run(write_tables)
