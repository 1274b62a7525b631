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
    records = evidence.face_records(params) | evidence.records(params)
    drawn = figures.styles(records)
    logs = evidence.logs(params)
    if logs:
        figures.save(figures.learning(logs), folder, "learning")
    if params.merge.test:
        _draw_quality(params, drawn, folder)
    if not evidence.no_faces(params):
        _draw_faces(params, drawn, folder)


def _draw_quality(params: Params, drawn: figures.Styles, folder: Path) -> None:
    listed = [evidence.table(params, name) for name in grids.QUALITY]
    cells = pd.concat([table for table in listed if len(table)], ignore_index=True)
    sound = cells[cells["protocol"] == "sound"]
    for weights in grids.groups(evidence.records(params)):
        chosen = sound[sound["track"].isin(["classical", weights])]
        figures.save(figures.quality(chosen, drawn), folder, f"quality_{weights}")
    compare(params, sound, drawn, folder)


def _draw_faces(params: Params, drawn: figures.Styles, folder: Path) -> None:
    truth, records = evidence.truth(params), evidence.face_records(params)
    found = evidence.found(params)
    curves = [detection.evaluate(truth[one.dataset], one.detections, IOU) for one in found]
    for dataset in truth:
        for qf in evidence.face_qfs(params):
            for weights in grids.groups(records):
                named = [
                    figures.Named(records[one.chain]["title"], records[one.chain]["order"], curve)
                    for one, curve in zip(found, curves, strict=True)
                    if (one.dataset, one.qf) == (dataset, qf)
                    if one.track in ("classical", weights)
                ]
                figure = figures.precision_recall(named, IOU, drawn)
                figures.save(figure, folder, evidence.face_figure(qf, weights, dataset))


if __name__ == "__main__":
    stages.run(draw)
