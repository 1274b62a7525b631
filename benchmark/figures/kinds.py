"""A profile's curves by kind: learning, quality, faces; each kind is drawn on its own."""

from pathlib import Path

import pandas as pd

from benchmark.core.params import Params
from benchmark.faces import average_precision
from benchmark.figures import style
from benchmark.figures.comparison import compare
from benchmark.methods.records import shown_tracks
from benchmark.tables import grid, load

IOU = 0.5
"""Least overlap of a hit in Fig. 11."""


def draw_learning(params: Params, folder: Path) -> None:
    """Draw the learning curves of all trained parts."""
    logs = load.logs(params)
    if logs:
        style.save(style.learning(logs), folder, "learning")


def draw_quality(params: Params, folder: Path) -> None:
    """Draw quality against quality factor and cost, and average ranks."""
    if not params.merge.test:
        return
    drawn = style.styles(load.every_record(params))
    listed = [load.chain_cells(params, name) for name in grid.QUALITY]
    cells = pd.concat([table for table in listed if len(table)], ignore_index=True)
    sound = cells[cells["protocol"] == "sound"]
    for track in shown_tracks(load.records(params)):
        chosen = sound[sound["track"].isin(["classical", track])]
        style.save(style.quality(chosen, drawn), folder, f"quality_{track}")
    compare(params, sound, drawn, folder)


def draw_faces(params: Params, folder: Path) -> None:
    """Draw precision and recall of the detector on every chain's outputs (Fig. 11)."""
    if load.no_faces(params):
        return
    drawn = style.styles(load.every_record(params))
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


KINDS = (draw_quality, draw_learning, draw_faces)
"""Functions of a profile and a folder that draw one kind each, the longest first."""
