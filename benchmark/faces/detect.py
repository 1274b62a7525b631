"""The dark-face benchmark: detect faces in the outputs of a chain."""

import functools
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from benchmark import methods
from benchmark.core.images import Bytes, read_uint8, to_float
from benchmark.core.types import Track
from benchmark.data.labels import boxes
from benchmark.faces import detectors
from benchmark.scoring.jobs import Job, Work, measure_all, outputs

Place: TypeAlias = tuple[str, int | None]
"""Data set and quality factor of the inputs; None stands for uncompressed inputs."""

DETECTOR = "detector.json"
"""Name of the file beside a chain's detections that identifies their detector."""


def file_name(dataset: str, track: Track, qf: int | None) -> str:
    """Return the file name of the detections on a set, track and quality factor."""
    return f"{dataset}_{track}_qf{qf}.parquet" if qf else f"{dataset}_{track}_uncompressed.parquet"


def output(job: Job) -> Bytes:
    """Return the output of a chain for an input, uint8 (H, W, 3)."""
    needed = job.case.reference if needs_reference(job.chain) else None
    reference = None if needed is None else read_uint8(needed)
    return outputs(job, read_uint8(job.case.input), ("sound",), reference)["sound"]


def find_faces(detector: str, job: Job) -> list[list[float]]:
    """Detect faces in one output; one list x0, y0, x1, y1 (pixels), score per box."""
    detections = ready(detector)(to_float(output(job)))
    rows: list[list[float]] = np.column_stack([detections.boxes, detections.scores]).tolist()
    return rows


def needs_reference(chain: methods.Chain) -> bool:
    """Return True if a step of the chain needs the reference image."""
    return any(step.needs == "reference" for step in chain.plugins)


@functools.lru_cache(maxsize=1)
def ready(detector: str) -> boxes.Detector:
    """Build a detector, once per process.

    Raises:
        InputError: There is no detector of this name, or its weights are missing.
    """
    return detectors.detector(detector)


def detect(
    work: Sequence[Work], detector: str, processes: int = 1
) -> list[dict[Place, dict[str, boxes.Boxes]]]:
    """Return (set, quality factor) -> image -> detections, for each chain on its track.

    Sets without reference images are left out if the chain needs them.

    Args:
        work: Jobs of chains, with the results of an earlier, unfinished run.
        detector: A name in `detectors.DETECTORS`.
        processes: Number of processes.
    """
    chosen = [
        Work([job for job in jobs if job.case.reference or not needs_reference(job.chain)], cache)
        for jobs, cache in work
    ]
    find = functools.partial(find_faces, detector)
    values = measure_all(chosen, find, processes, f"faces by {detector}")
    return [_by_place(jobs, of_jobs) for (jobs, _), of_jobs in zip(chosen, values, strict=True)]


def _by_place(
    jobs: Sequence[Job], values: Sequence[list[list[float]]]
) -> dict[Place, dict[str, boxes.Boxes]]:
    by_place: dict[Place, dict[str, boxes.Boxes]] = {}
    for job, value in zip(jobs, values, strict=True):
        numbers = np.array(value, np.float64).reshape(-1, 5)
        of_place = by_place.setdefault((job.case.dataset, job.case.qf), {})
        of_place[job.case.image] = boxes.Boxes(numbers[:, :4], numbers[:, 4])
    return by_place
