"""The dark-face benchmark: detect faces in the outputs of a chain."""

import functools
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from benchmark import methods
from benchmark.core.cache import ResultCache, cached_map
from benchmark.core.images import Bytes, read_uint8, to_float
from benchmark.core.types import Track
from benchmark.data.labels import boxes
from benchmark.faces import detectors
from benchmark.scoring.jobs import Job, assembled, context_of

Place: TypeAlias = tuple[str, int | None]
"""Data set and quality factor of the inputs; None stands for uncompressed inputs."""

DETECTOR = "detector.json"
"""Name of the file beside a chain's detections that identifies their detector."""


def file_name(dataset: str, track: Track, qf: int | None) -> str:
    """Return the file name of the detections on a set, track and quality factor."""
    return f"{dataset}_{track}_qf{qf}.parquet" if qf else f"{dataset}_{track}_uncompressed.parquet"


def output(job: Job) -> Bytes:
    """Return the output of a chain for an input, uint8 (H, W, 3)."""
    steps = assembled(job.chain, job.track, job.trained)
    reference = job.case.reference if needs_reference(job.chain) else None
    belongs = context_of(job.case, None if reference is None else read_uint8(reference))
    return methods.run(steps, read_uint8(job.case.input), "sound", belongs)


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
    jobs: Sequence[Job], detector: str, journal: ResultCache, processes: int = 1
) -> dict[Place, dict[str, boxes.Boxes]]:
    """Return (set, quality factor) -> image -> detections for one chain on one track.

    Sets without reference images are left out if the chain needs them.

    Args:
        jobs: One job per input, all of the same chain and track.
        detector: A name in `detectors.DETECTORS`.
        journal: Results of an earlier, unfinished run.
        processes: Number of processes.
    """
    chosen = [job for job in jobs if job.case.reference or not needs_reference(job.chain)]
    if not chosen:
        return {}
    keys = [job.case.key() for job in chosen]
    label = f"faces in {chosen[0].label}"
    work = functools.partial(find_faces, detector)
    values = cached_map(chosen, keys, work, journal, processes, label)
    by_place: dict[Place, dict[str, boxes.Boxes]] = {}
    for job, value in zip(chosen, values, strict=True):
        numbers = np.array(value, np.float64).reshape(-1, 5)
        of_place = by_place.setdefault((job.case.dataset, job.case.qf), {})
        of_place[job.case.image] = boxes.Boxes(numbers[:, :4], numbers[:, 4])
    return by_place
