"""Stage pictures: MLSM drawn (Figs. 4 to 6), and what methods make of a test image."""

import shutil
from pathlib import Path

from benchmark import methods, stages
from benchmark.core.params import Params
from benchmark.figures import image_grids, network_diagram, selection, style
from benchmark.methods import assemble
from benchmark.photographs import enhance
from benchmark.scoring import kept_outputs, results
from benchmark.tables import load

DETAIL = "mapping.levels.0"
"""The part of MLSM that is drawn from inside: the finest mapping network."""


def draw(params: Params) -> None:
    """Draw MLSM, and where the profile allows it, the grids of pictures."""
    folder = params.results / "pictures"
    shutil.rmtree(folder, ignore_errors=True)
    mlsm = methods.Chain.parse(selection.CHAIN)
    network = enhance.network_of(assemble.assemble(mlsm, "retrained", params.weights)[0])
    if network is not None:
        style.save(network_diagram.draw(network, DETAIL), folder, "architecture")
    if params.pictures:
        _draw_grids(params, folder)


def _draw_grids(params: Params, folder: Path) -> None:
    """Run the chains of every grid of Figs. 1 and 7 to 10 on one image."""
    dataset = params.merge.test[0]
    rows = results.read(params.work / "measured" / "rows" / f"{selection.CHAIN}.parquet")
    image = selection.pick(rows, dataset)[0]
    records = load.records(params)
    grids = image_grids.grids(records)
    shown = {}
    for chain in dict.fromkeys(chain for chains in grids.values() for chain in chains):
        job = selection.planned(params, chain)[dataset, image]
        kept = kept_outputs.folder(params, chain, job.track)
        shown[chain] = selection.run(job, kept)
    dark, reference = selection.inputs(job.case)
    box = image_grids.window(dark)
    first, last = image_grids.ends(dark, reference, box)
    caption = image_grids.caption(dataset, image)
    for name, chains in grids.items():
        between = [image_grids.panel(records[c].title, shown[c], box) for c in chains]
        figure = image_grids.draw(image_grids.TITLES[name], [first, *between, last], box, caption)
        style.save(figure, folder, name, photographs=True)


if __name__ == "__main__":
    stages.run(draw)
