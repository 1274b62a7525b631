"""The dark-face benchmark: what a detector finds in the outputs of a chain."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark import faces, methods, weights
from benchmark.compression import Case
from benchmark.errors import InputError
from benchmark.images import read_uint8, to_float
from benchmark.journal import Journal, work_through
from benchmark.terms import Track


@dataclass(frozen=True)
class Job:
    """A chain with weights, and a detector, on one image; everything a worker process needs.

    Attributes:
        chain: Methods, left to right.
        track: Which weights.
        trained: Folder of retrained weights.
        case: The input.
        detector: A name in `faces.DETECTORS`.
    """

    chain: methods.Chain
    track: Track
    trained: Path
    case: Case
    detector: str


def file_name(track: Track, qf: int | None) -> str:
    """Return what the file of detections of a track and quality factor is called."""
    return f"{track}_qf{qf}.parquet" if qf else f"{track}_uncompressed.parquet"


def find_faces(job: Job) -> list[list[float]]:
    """Return the detections in one output: x0, y0, x1, y1 in pixels and the score, a list a box."""
    steps, detector = _ready(job.chain, job.track, job.trained, job.detector)
    output = methods.run(steps, read_uint8(job.case.input), "sound")
    found = detector(to_float(output))
    boxes: list[list[float]] = np.column_stack([found.boxes, found.scores]).tolist()
    return boxes


@functools.lru_cache(maxsize=1)
def _ready(
    chain: methods.Chain, track: Track, trained: Path, detector: str
) -> tuple[tuple[methods.Step, ...], faces.Detector]:
    """Build the chain and the detector once a process."""
    if detector not in faces.DETECTORS:
        raise InputError(
            f"Detector must be one of {', '.join(faces.DETECTORS)}, but got {detector!r}."
        )
    return tuple(weights.assemble(chain, track, trained)), faces.DETECTORS[detector]()


def detect(
    jobs: Sequence[Job], journal: Journal, processes: int = 1
) -> dict[int | None, dict[str, faces.Faces]]:
    """Return quality factor -> image -> detections of one chain with one kind of weights.

    Args:
        jobs: One an input, all of the same chain and track.
        journal: Results of an earlier, unfinished run.
        processes: How many images are worked on at a time.
    """
    if not jobs:
        return {}
    keys = [job.case.key() for job in jobs]
    label = f"faces in {jobs[0].chain} ({jobs[0].track})"
    values = work_through(jobs, keys, find_faces, journal, processes, label)
    found: dict[int | None, dict[str, faces.Faces]] = {}
    for job, value in zip(jobs, values, strict=True):
        numbers = np.array(value, np.float64).reshape(-1, 5)
        of_quality = found.setdefault(job.case.qf, {})
        of_quality[job.case.image] = faces.Faces(numbers[:, :4], numbers[:, 4])
    return found
