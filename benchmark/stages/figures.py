"""Stage figures: learning curves, quality against quality factor, precision-recall curves."""

import shutil
from pathlib import Path

import pandas as pd

from benchmark import stages
from benchmark.core.params import Params
from benchmark.faces import average_precision
from benchmark.figures import style
from benchmark.figures.comparison import compare
from benchmark.methods.records import shown_tracks
from benchmark.tables import grid, load

IOU = 0.5  # least overlap of a hit in Fig. 11


def draw(params: Params) -> None:
    """Draw every figure of the profile."""
    folder = params.results / "figures"
    shutil.rmtree(folder, ignore_errors=True)
    drawn = style.styles(load.every_record(params))
    logs = load.logs(params)
    if logs:
        style.save(style.learning(logs), folder, "learning")
    if params.merge.test:
        _draw_quality(params, drawn, folder)
    if not load.no_faces(params):
        _draw_faces(params, drawn, folder)


def _draw_quality(params: Params, drawn: style.Styles, folder: Path) -> None:
    listed = [load.chain_cells(params, name) for name in grid.QUALITY]
    cells = pd.concat([table for table in listed if len(table)], ignore_index=True)
    sound = cells[cells["protocol"] == "sound"]
    for track in shown_tracks(load.records(params)):
        chosen = sound[sound["track"].isin(["classical", track])]
        style.save(style.quality(chosen, drawn), folder, f"quality_{track}")
    compare(params, sound, drawn, folder)


def _draw_faces(params: Params, drawn: style.Styles, folder: Path) -> None:
    truth, records, entries = load.truth(params), load.face_records(params), load.found(params)
    curves = [average_precision.evaluate(truth[e.dataset], e.detections, IOU) for e in entries]
    for dataset in truth:
        for qf in load.face_qfs(params):
            for track in shown_tracks(records):
                shown = {
                    entry.chain: curve
                    for entry, curve in zip(entries, curves, strict=True)
                    if (entry.dataset, entry.qf) == (dataset, qf)
                    if entry.track in ("classical", track)
                }
                figure = style.precision_recall(shown, IOU, drawn)
                style.save(figure, folder, load.face_figure(qf, track, dataset))


if __name__ == "__main__":
    stages.run(draw)
