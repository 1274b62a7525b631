"""Stage figures: learning curves, quality against quality factor, precision-recall curves."""

import shutil
from pathlib import Path

import pandas as pd

from benchmark import detection, evidence, figures, grids, stages
from benchmark.comparison.drawing import compare
from benchmark.params import Params

IOU = 0.5
"""Overlap of Fig. 11."""


def draw(params: Params) -> None:
    """Draw every figure of the profile."""
    folder = params.results / "figures"
    shutil.rmtree(folder, ignore_errors=True)
    records = evidence.records(params)
    drawn = figures.styles(records)
    figures.save(figures.learning(evidence.logs(params)), folder, "learning")
    listed = [evidence.table(params, name) for name in grids.QUALITY]
    cells = pd.concat([table for table in listed if len(table)], ignore_index=True)
    sound = cells[cells["protocol"] == "sound"]
    for weights in grids.groups(records):
        chosen = sound[sound["track"].isin(["classical", weights])]
        figures.save(figures.quality(chosen, drawn), folder, f"quality_{weights}")
    compare(params, sound, drawn, folder)
    if not evidence.no_faces(params):
        _draw_faces(params, drawn, folder)


def _draw_faces(params: Params, drawn: figures.Styles, folder: Path) -> None:
    truth, scope = evidence.truth(params), evidence.face_scope(params)
    found = evidence.found(params)
    curves = [detection.evaluate(truth, one.detections, IOU) for one in found]
    for qf in evidence.face_qfs(params):
        for weights in grids.groups(scope.records):
            named = [
                figures.Named(record["title"], record["order"], curve)
                for one, curve in zip(found, curves, strict=True)
                for record in [scope.records[one.chain]]
                if one.qf == qf and one.track in ("classical", weights)
            ]
            figure = figures.precision_recall(named, IOU, drawn)
            figures.save(figure, folder, evidence.face_figure(qf, weights))


if __name__ == "__main__":
    stages.run(draw)
