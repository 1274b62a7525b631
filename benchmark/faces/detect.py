"""The dark-face benchmark: what a detector finds in the outputs of a chain."""

import functools
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from benchmark import methods
from benchmark.core.cache import ResultCache, cached_map
from benchmark.core.images import Bytes, read_uint8, to_float
from benchmark.core.types import Track
from benchmark.data.labels import boxes as faces
from benchmark.faces import detectors
from benchmark.scoring.jobs import Job, assembled, context_of

Place: TypeAlias = tuple[str, int | None]
"""Data set and quality factor of the inputs, None for uncompressed ones."""

DETECTOR = "detector.json"
"""File beside a chain's detections that says which detector found them."""


def file_name(dataset: str, track: Track, qf: int | None) -> str:
    """Return what the file of detections of a set, track and quality factor is called."""
    return f"{dataset}_{track}_qf{qf}.parquet" if qf else f"{dataset}_{track}_uncompressed.parquet"


def output(job: Job) -> Bytes:
    """Return what a chain makes of an input: uint8 (H, W, 3)."""
    steps = assembled(job.chain, job.track, job.trained)
    told = job.case.reference if needs_reference(job.chain) else None
    belongs = context_of(job.case, None if told is None else read_uint8(told))
    return methods.run(steps, read_uint8(job.case.input), "sound", belongs)


def find_faces(detector: str, job: Job) -> list[list[float]]:
    """Return the detections in one output: x0, y0, x1, y1 in pixels and the score, a list a box."""
    found = ready(detector)(to_float(output(job)))
    boxes: list[list[float]] = np.column_stack([found.boxes, found.scores]).tolist()
    return boxes


def needs_reference(chain: methods.Chain) -> bool:
    """Whether a chain is told of the answer, so that it can run only where there is one."""
    return any(step.needs == "reference" for step in chain.plugins)


@functools.lru_cache(maxsize=1)
def ready(detector: str) -> faces.Detector:
    """Build a detector once a process.

    Raises:
        InputError: There is no detector of that name, or it lacks its weights.
    """
    return detectors.detector(detector)


def detect(
    jobs: Sequence[Job], detector: str, journal: ResultCache, processes: int = 1
) -> dict[Place, dict[str, faces.Boxes]]:
    """Return set and quality factor -> image -> detections of one chain on one track.

    A set whose images have no references is left out where the chain needs them.

    Args:
        jobs: One an input, all of the same chain and track.
        detector: A name in `detectors.DETECTORS`.
        journal: Results of an earlier, unfinished run.
        processes: How many images are worked on at a time.
    """
    chosen = [job for job in jobs if job.case.reference or not needs_reference(job.chain)]
    if not chosen:
        return {}
    keys = [job.case.key() for job in chosen]
    label = f"faces in {chosen[0].label}"
    work = functools.partial(find_faces, detector)
    values = cached_map(chosen, keys, work, journal, processes, label)
    found: dict[Place, dict[str, faces.Boxes]] = {}
    for job, value in zip(chosen, values, strict=True):
        numbers = np.array(value, np.float64).reshape(-1, 5)
        of_place = found.setdefault((job.case.dataset, job.case.qf), {})
        of_place[job.case.image] = faces.Boxes(numbers[:, :4], numbers[:, 4])
    return found
