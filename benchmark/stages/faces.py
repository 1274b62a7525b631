"""Stage faces: does enhancement help a detector? A page, its numbers, and Fig. 12."""

import shutil

from benchmark import evidence, figures, grids, paper, stages, tables
from benchmark.detect import facepage, outputs
from benchmark.params import Params


def faces(params: Params) -> None:
    """Write `results/<profile>/faces`: page.md, against_raw.csv, protocols.csv.

    Fig. 12 shows photographs. Those of other people's data sets stay out of git: it is drawn into
    the profile's work folder, and beside the page for the built-in data alone.
    """
    folder, pictures = params.results / "faces", params.work / "pictures"
    for made in (folder, pictures):
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
    reason = evidence.no_faces(params)
    if reason:
        facepage.write(folder / "page.md", params.title, [reason], {})
        return
    resampling = tables.Resampling(params.seed, params.bootstrap)
    records, truth, found = (
        evidence.face_records(params),
        evidence.truth(params),
        evidence.found(params),
    )
    measured = facepage.measure(truth, found, records, resampling)
    others = {
        name: (evidence.detector(params, name), evidence.found(params, name))
        for name in params.detection.others
    }
    ceilings = facepage.ceilings(truth, others, records, params.detection.iou)
    cells = evidence.table(params, "table_7")
    facepage.write_all(
        folder,
        params.title,
        evidence.face_scope(params).about,
        measured,
        ceilings,
        cells,
        paper.cells(("VII",)),
    )
    for dataset in truth:
        for weights in grids.groups(records):
            drawn = outputs.fig_12(params, dataset, weights, found, truth[dataset])
            for place in [pictures, folder] if params.builtin else [pictures]:
                if drawn is not None:
                    name = f"fig_12_{dataset.lower()}_{weights}"
                    figures.save(drawn, place, name, photographs=True)


if __name__ == "__main__":
    stages.run(faces)
