"""The dark-face benchmark: what a detector finds in the outputs of a chain."""

import functools
from collections.abc import Sequence

import numpy as np

from benchmark import faces, methods
from benchmark.errors import InputError
from benchmark.images import read_uint8, to_float
from benchmark.jobs import Job, assembled, given
from benchmark.journal import Journal, work_through
from benchmark.terms import Track


def file_name(track: Track, qf: int | None) -> str:
    """Return what the file of detections of a track and quality factor is called."""
    return f"{track}_qf{qf}.parquet" if qf else f"{track}_uncompressed.parquet"


def find_faces(detector: str, job: Job) -> list[list[float]]:
    """Return the detections in one output: x0, y0, x1, y1 in pixels and the score, a list a box."""
    steps = assembled(job.chain, job.track, job.trained)
    output = methods.run(steps, read_uint8(job.case.input), "sound", given(job.case))
    found = ready(detector)(to_float(output))
    boxes: list[list[float]] = np.column_stack([found.boxes, found.scores]).tolist()
    return boxes


@functools.lru_cache(maxsize=1)
def ready(detector: str) -> faces.Detector:
    """Build a detector once a process.

    Raises:
        InputError: There is no detector of that name.
    """
    if detector not in faces.DETECTORS:
        raise InputError(
            f"Detector must be one of {', '.join(faces.DETECTORS)}, but got {detector!r}."
        )
    return faces.DETECTORS[detector]()


def detect(
    jobs: Sequence[Job], detector: str, journal: Journal, processes: int = 1
) -> dict[int | None, dict[str, faces.Faces]]:
    """Return quality factor -> image -> detections of one chain with one kind of weights.

    Args:
        jobs: One an input, all of the same chain and track.
        detector: A name in `faces.DETECTORS`.
        journal: Results of an earlier, unfinished run.
        processes: How many images are worked on at a time.
    """
    if not jobs:
        return {}
    keys = [job.case.key() for job in jobs]
    label = f"faces in {jobs[0].label}"
    work = functools.partial(find_faces, detector)
    values = work_through(jobs, keys, work, journal, processes, label)
    found: dict[int | None, dict[str, faces.Faces]] = {}
    for job, value in zip(jobs, values, strict=True):
        numbers = np.array(value, np.float64).reshape(-1, 5)
        of_quality = found.setdefault(job.case.qf, {})
        of_quality[job.case.image] = faces.Faces(numbers[:, :4], numbers[:, 4])
    return found
