"""Stage report: everything above on one HTML page."""

import pandas as pd

from benchmark import evidence, grids, jsonfile, outputs, paper, rows, stages, tables
from benchmark.errors import InputError
from benchmark.params import Params
from benchmark.report import captions, page, payload, sources, trainings
from benchmark.report.page import Content


def write_report(params: Params) -> None:
    """Write `report.html` of the profile."""
    cells = {name: evidence.table(params, name) for name in grids.QUALITY}
    more = {name: evidence.table(params, name) for name in sources.MORE_QUALITY}
    faces = evidence.table(params, "table_7")
    quality = payload.results(sources.joined(cells | more), evidence.scope(params))
    made = rows.read(params.results / "rows.parquet")
    qfs = [*params.qfs, *([None] if params.uncompressed else [])]
    content = Content(
        profile=params.profile,
        title=params.title,
        facts=evidence.facts(params),
        notes=evidence.notes(params),
        quality=quality,
        faces=payload.results(faces, evidence.face_scope(params)) if len(faces) else {},
        no_faces=evidence.no_faces(params),
        images=payload.images(made, quality["lines"], qfs),
        samples=sources.pictures_to_compare(params.work / "samples"),
        counts=[
            (title, paper.TRAINING_NOTES[listed], evidence.table(params, name))
            for name, title, listed in evidence.COUNTED
        ],
        pictures=captions.pictures(
            params.results / "figures", sources.described(params, cells, faces)
        )
        + captions.pictures(params.results / "curve", ()),
        findings=sources.findings(),
        documents=sources.documents(params.results, params.profile),
        absences=evidence.absences(params),
        training=trainings.trained(
            evidence.logs(params),
            evidence.records(params),
            pd.concat([evidence.table(params, name) for name in tables.QFS]),
        ),
        tables=sorted(path.stem for path in (params.results / "tables").glob("*.csv")),
        provenance=jsonfile.read(params.results / "provenance.json"),
    )
    text = page.render(content)
    if len(text.encode()) > page.LARGEST_BYTES:
        raise InputError(f"The report has {len(text.encode()):,} bytes: name fewer previews.")
    outputs.write_text(params.results / "report.html", text)


if __name__ == "__main__":
    stages.run(write_report)
