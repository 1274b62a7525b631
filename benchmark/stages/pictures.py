"""Stage pictures: MLSM drawn (Figs. 4 to 6), and what methods make of a test image."""

import shutil
from pathlib import Path

from benchmark import (
    assembly,
    blueprint,
    enhancement,
    evidence,
    figures,
    methods,
    pictures,
    rows,
    showcase,
    stages,
)
from benchmark.params import Params

DETAIL = "mapping.levels.0"
"""The part of MLSM that is drawn from inside: the finest mapping network."""


def draw(params: Params) -> None:
    """Draw MLSM, and where the profile allows it, the grids of pictures."""
    folder = params.results / "pictures"
    shutil.rmtree(folder, ignore_errors=True)
    mlsm = methods.Chain.parse(showcase.CHAIN)
    network = enhancement.network_of(assembly.assemble(mlsm, "retrained", params.weights)[0])
    if network is not None:
        figures.save(blueprint.draw(network, DETAIL), folder, "architecture")
    if params.pictures:
        _draw_grids(params, folder)


def _draw_grids(params: Params, folder: Path) -> None:
    """Run the chains of every grid of Figs. 1 and 7 to 10 on one image."""
    dataset = params.merge.test[0]
    made = rows.read(params.work / "measured" / "rows" / f"{showcase.CHAIN}.parquet")
    image = showcase.pick(made, dataset)[0]
    records = evidence.records(params)
    grids = pictures.grids(records)
    shown = {}
    for chain in dict.fromkeys(chain for chains in grids.values() for chain in chains):
        job = showcase.planned(params, chain)[dataset, image]
        shown[chain] = showcase.run(job)
    dark, reference = showcase.inputs(job.case)
    box = pictures.window(dark)
    first, last = pictures.ends(dark, reference, box)
    caption = pictures.caption(dataset, image)
    for name, chains in grids.items():
        between = [pictures.panel(records[c]["title"], shown[c], box) for c in chains]
        figure = pictures.draw(pictures.TITLES[name], [first, *between, last], box, caption)
        figures.save(figure, folder, name, photographs=True)


if __name__ == "__main__":
    stages.run(draw)
