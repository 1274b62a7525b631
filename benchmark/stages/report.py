"""Stage report: everything above on one HTML page."""

import pandas as pd

from benchmark import stages
from benchmark.core import files, jsonfile, reported
from benchmark.core.errors import InputError
from benchmark.core.params import Params
from benchmark.report import captions, data, page, sources, training
from benchmark.report.page import Content
from benchmark.scoring import results
from benchmark.tables import cells, grid, load


def write_report(params: Params) -> None:
    """Write `report.html` of the profile."""
    quality_cells = {name: load.chain_cells(params, name) for name in grid.QUALITY}
    more = {name: load.chain_cells(params, name) for name in sources.MORE_QUALITY}
    faces = load.chain_cells(params, "table_7")
    quality = data.results(sources.joined(quality_cells | more), load.scope(params))
    rows = results.read(params.results / "rows.parquet")
    qfs = [*params.qfs, *([None] if params.uncompressed else [])]
    content = Content(
        profile=params.profile,
        title=params.title,
        facts=load.facts(params),
        notes=load.notes(params),
        quality=quality,
        faces=data.results(faces, load.face_scope(params)) if len(faces) else {},
        no_faces=load.no_faces(params),
        images=data.images(rows, quality["lines"], qfs),
        samples=sources.pictures_to_compare(params.work / "samples"),
        counts=[
            (title, reported.TRAINING_NOTES[listed], load.table(params, name))
            for name, title, listed in load.COUNTED
        ],
        pictures=captions.pictures(
            params.results / "figures", sources.described(params, quality_cells, faces)
        )
        + captions.pictures(params.results / "curve", ()),
        findings=sources.findings(),
        documents=sources.documents(params.results, params.profile),
        absences=load.absences(params),
        training=training.trained(
            load.logs(params),
            load.records(params),
            pd.concat([load.chain_cells(params, name) for name in cells.QFS]),
        ),
        tables=sorted(path.stem for path in (params.results / "tables").glob("*.csv")),
        provenance=jsonfile.read(params.results / "provenance.json"),
    )
    text = page.render(content)
    if len(text.encode()) > page.LARGEST_BYTES:
        raise InputError(f"The report has {len(text.encode()):,} bytes: name fewer previews.")
    files.write_text(params.results / "report.html", text)


if __name__ == "__main__":
    stages.run(write_report)
