"""Stage figures: learning curves, quality against quality factor, precision-recall curves."""

import pandas as pd

from benchmark import evidence, figures, grids, stages, tables
from benchmark.params import Params

IOU = 0.5
"""Overlap of Fig. 11."""


def draw(params: Params) -> None:
    """Draw every figure of the profile."""
    folder = params.results / "figures"
    records = evidence.records(params)
    drawn = figures.styles(records)
    figures.save(figures.learning(evidence.logs(params)), folder, "learning")
    listed = [evidence.table(params, name) for name in grids.QUALITY]
    cells = pd.concat([table for table in listed if len(table)], ignore_index=True)
    sound = cells[cells["protocol"] == "sound"]
    for weights in grids.groups(records):
        chosen = sound[sound["track"].isin(["classical", weights])]
        figures.save(figures.quality(chosen, drawn), folder, f"quality_{weights}")
    if params.detection.chains:
        truth, found = evidence.truth(params), evidence.found(params)
        curves = tables.curves(truth, found, IOU)
        for qf in params.detection.qfs:
            for weights in grids.groups(evidence.face_scope(params).records):
                named = [
                    figures.Named(records[one.chain]["title"], records[one.chain]["order"], curve)
                    for one, curve in zip(found, curves, strict=True)
                    if one.qf == qf and one.track in ("classical", weights)
                ]
                figures.save(
                    figures.precision_recall(named, IOU, drawn), folder, f"fig_11_qf{qf}_{weights}"
                )


if __name__ == "__main__":
    stages.run(draw)
