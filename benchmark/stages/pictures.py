"""Stage pictures: one test image as every method leaves it (Figs. 1 and 7 to 10)."""

import shutil

from benchmark import evidence, figures, pictures, rows, showcase, stages
from benchmark.params import Params

SIDE = 48
"""Least side of the enlarged window in pixels; an eighth of the shorter side of a large image."""


def draw(params: Params) -> None:
    """Run the chains of every grid on one image and draw the grids."""
    folder = params.results / "pictures"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if not params.pictures:
        return
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
    box = showcase.most_blocking(dark, max(SIDE, min(dark.shape[:2]) // 8))
    first, last = pictures.ends(dark, reference, box)
    caption = (
        f"{dataset}, image {image}, JPEG quality factor {showcase.QF}: {showcase.RULE}. Orange: "
        f"{showcase.CROP_RULE}. Under each picture its PSNR / SSIM (protocol sound)."
    )
    for name, chains in grids.items():
        between = [pictures.panel(records[c]["title"], shown[c], box) for c in chains]
        figure = pictures.draw(pictures.TITLES[name], [first, *between, last], box, caption)
        figures.save(figure, folder, name)


if __name__ == "__main__":
    stages.run(draw)
