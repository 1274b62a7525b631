"""Stage faces: does enhancement help a detector? A page, its numbers, and Fig. 12."""

import shutil

from benchmark import stages
from benchmark.core import reported
from benchmark.core.params import Params
from benchmark.figures import face_outputs, style
from benchmark.methods.records import shown_tracks
from benchmark.tables import cells, face_page, load


def faces(params: Params) -> None:
    """Write `results/<profile>/faces`: page.md, against_raw.csv, protocols.csv.

    Fig. 12 shows photographs. Those of other people's data sets stay out of git: it is drawn into
    the profile's work folder, and beside the page for the built-in data alone.
    """
    folder, pictures = params.results / "faces", params.work / "pictures"
    for output in (folder, pictures):
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(parents=True)
    reason = load.no_faces(params)
    if reason:
        face_page.write(folder / "page.md", params.title, [reason], {})
        return
    resampling = cells.BootstrapSettings(params.seed, params.bootstrap)
    records, truth, detection_sets = (
        load.face_records(params),
        load.truth(params),
        load.found(params),
    )
    measured = face_page.measure(truth, detection_sets, records, resampling)
    others = {
        name: (load.detector(params, name), load.found(params, name))
        for name in params.detection.others
    }
    ceilings = face_page.ceilings(truth, others, records, params.detection.iou)
    face_page.write_all(
        folder,
        params.title,
        load.face_scope(params).about,
        measured,
        ceilings,
        reported.cells(("VII",)),
    )
    for dataset in truth:
        for track in shown_tracks(records):
            drawn = face_outputs.fig_12(params, dataset, track, detection_sets, truth[dataset])
            for place in [pictures, folder] if params.builtin else [pictures]:
                if drawn is not None:
                    name = f"fig_12_{dataset.lower()}_{track}"
                    style.save(drawn, place, name, photographs=True)


if __name__ == "__main__":
    stages.run(faces)
