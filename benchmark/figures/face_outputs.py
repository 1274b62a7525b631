"""Fig. 12: outputs of chains on dark faces, with the boxes that the detector found."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from benchmark import methods
from benchmark.core.images import Bytes
from benchmark.core.params import Params
from benchmark.core.types import Track
from benchmark.data.labels.boxes import Boxes
from benchmark.faces import average_precision, detect
from benchmark.figures import face_grid
from benchmark.scoring import kept_outputs, plan
from benchmark.tables.cells import DetectionSet

IOU = 0.5
"""Least overlap of a hit in Fig. 12."""
ROWS, BEST = 3, 3
"""Images shown, and methods shown besides the raw image, the paper's method and the reference."""


def shown_chains(aps: Mapping[str, float], controls: Sequence[str]) -> list[str]:
    """Return which chains the figure shows: raw, best ones, the paper's method, the reference.

    Args:
        aps: Chain -> AP, of one set, quality factor and track.
        controls: Chains that use the reference image.
    """
    rivals = [chain for chain in aps if chain not in (*controls, "identity", "mlsm")]
    best = sorted(rivals, key=lambda chain: -aps[chain])[:BEST]
    order = ["identity", *best, "mlsm", "reference"]
    return [chain for chain in order if chain in aps]


def fig_12(
    params: Params,
    dataset: str,
    track: Track,
    detection_sets: Sequence[DetectionSet],
    truth: Mapping[str, Boxes],
) -> Figure | None:
    """Draw the grid of one set at the profile's first quality factor.

    Args:
        params: The profile, whose test inputs are there.
        dataset: Raw set.
        track: That of learned methods.
        detection_sets: What the detector found.
        truth: Labelled faces of the set.

    Returns:
        None where no image of the set has a fitting number of faces.
    """
    qf = params.detection.qfs[0]
    of_set = [
        entry
        for entry in detection_sets
        if (entry.dataset, entry.qf) == (dataset, qf) and entry.track in (track, "classical")
    ]
    curves = {
        entry.chain: average_precision.evaluate(truth, entry.detections, IOU) for entry in of_set
    }
    parsed = {entry.chain: methods.Chain.parse(entry.chain, params.methods) for entry in of_set}
    controls = [name for name, chain in parsed.items() if detect.needs_reference(chain)]
    chains = shown_chains({name: curve.ap for name, curve in curves.items()}, controls)
    images = face_grid.chosen(truth, ROWS)
    if not images or not chains:
        return None
    detected = {entry.chain: entry for entry in of_set}
    rows: list[list[face_grid.Shown]] = [[] for _ in images]
    for name in chains:
        least = face_grid.threshold(curves[name])
        pixels = _outputs(params, detected[name], images)
        for row, image in zip(rows, images, strict=True):
            boxes = detected[name].detections[image]
            verdict = face_grid.judge(truth[image], boxes, IOU, least)
            row.append(face_grid.Shown(parsed[name].title, pixels[image], verdict))
    return face_grid.grid(rows, IOU)


def _outputs(params: Params, entry: DetectionSet, images: Sequence[str]) -> dict[str, Bytes]:
    planned = plan.planned(params, entry.chain, "faces")
    return {
        job.case.image: kept_outputs.output(
            job, kept_outputs.folder(params, entry.chain, entry.track)
        )
        for track, listed in planned.items()
        if track == entry.track
        for job in listed
        if (job.case.dataset, job.case.qf) == (entry.dataset, entry.qf) and job.case.image in images
    }
