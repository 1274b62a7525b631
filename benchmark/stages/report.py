"""Stage report: everything above on one HTML page."""

import pandas as pd

from benchmark import evidence, grids, jsonfile, paper, report, stages, tables
from benchmark.params import Params
from benchmark.report import Content, Picture


def write_report(params: Params) -> None:
    """Write `report.html` of the profile."""
    scope = evidence.scope(params)
    faces = evidence.table(params, "table_7")
    content = Content(
        profile=params.profile,
        title=params.title,
        facts=evidence.facts(params),
        notes=evidence.notes(params),
        quality=report.quality_grids(
            {name: evidence.table(params, name) for name in grids.QUALITY}, scope
        ),
        faces=grids.build("table_7", faces, evidence.face_scope(params)) if len(faces) else [],
        no_faces=evidence.no_faces(params),
        counts=[
            (title, paper.TRAINING_NOTES[listed], evidence.table(params, name))
            for name, title, listed in evidence.COUNTED
        ],
        pictures=pictures(params),
        absences=evidence.absences(params),
        training=report.trained(
            evidence.logs(params),
            evidence.records(params),
            pd.concat([evidence.table(params, name) for name in tables.QFS]),
        ),
        provenance=jsonfile.read(params.results / "provenance.json"),
    )
    path = params.results / "report.html"
    path.write_text(report.render(content), encoding="utf-8", newline="\n")


def pictures(params: Params) -> list[Picture]:
    """Return the profile's figures with what they show in words."""
    cells = {name: evidence.table(params, name) for name in (*grids.QUALITY, "table_7")}
    described = [("learning", *report.describe_learning(evidence.logs(params)))]
    for weights in grids.groups(evidence.records(params)):
        described.append((f"quality_{weights}", *report.describe_quality(cells, weights)))
    for qf in [] if evidence.no_faces(params) else evidence.face_qfs(params):
        for weights in grids.groups(evidence.face_scope(params).records):
            name = evidence.face_figure(qf, weights)
            described.append((name, *report.describe_faces(cells["table_7"], qf, weights)))
    folder = params.results / "figures"
    return [
        Picture(name, (folder / f"{name}.png").read_bytes(), alt, caption)
        for name, alt, caption in described
    ]


if __name__ == "__main__":
    stages.run(write_report)
