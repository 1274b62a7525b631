"""Score a chain on test inputs (decode, enhance, measure), resumable after every image."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark.core import images, user_files
from benchmark.core.errors import InputError
from benchmark.core.images import Bytes
from benchmark.core.types import Protocol
from benchmark.data.evaluation import EvaluationInput
from benchmark.scoring import metrics
from benchmark.scoring.jobs import Job, Work, measure_all, outputs
from benchmark.scoring.results import PROTOCOLS, Row


def score(job: Job) -> dict[Protocol, dict[str, float]]:
    """Compute protocol -> metric -> value of one output; no `sound` where a pair was refused.

    Raises:
        InputError: The input and its reference differ in size, or weights are absent.
    """
    if job.case.reference is None:
        raise InputError(f"{job.case.input} has no reference: full-reference metrics need one.")
    pixels, reference = read_pair(job.case.input, job.case.reference, job.case.own)
    made = outputs(job, pixels, PROTOCOLS, reference)
    found: dict[Protocol, dict[str, float]] = {}
    found["paper"] = metrics.measure(made["paper"], reference, "paper")
    if not job.case.refused:
        found["sound"] = metrics.measure(*aligned(job.case, made["sound"], reference), "sound")
    return found


def aligned(case: EvaluationInput, output: Bytes, reference: Bytes) -> tuple[Bytes, Bytes]:
    """Return an output and its reference as protocol `sound` compares them.

    Args:
        case: The input; registration did not refuse it.
        output: uint8 (H, W, 3).
        reference: The normal-light image as published, the same shape.

    Returns:
        Both as they are, or cropped to what the registered normal-light image shows, from the first
        whole 8x8 block of the JPEG file on, since metrics of blocking count from the corner.
    """
    if case.registered is None:
        return output, reference
    down, right = -case.top % metrics.BLOCK, -case.left % metrics.BLOCK
    registered = images.read_uint8(case.registered)[down:, right:]
    height, width = registered.shape[:2]
    top, left = case.top + down, case.left + right
    return output[top : top + height, left : left + width], registered


def read_pair(source: Path, reference: Path, own: bool) -> tuple[Bytes, Bytes]:
    """Read an input and its reference, which may be files of a user's `own`.

    Raises:
        InputError: An image cannot be read, or they differ in size.
    """
    read = user_files.read if own else images.read_uint8
    pixels, target = read(source), read(reference)
    if pixels.shape != target.shape:
        sizes = " and ".join(f"{a.shape[1]}x{a.shape[0]}" for a in (pixels, target))
        raise InputError(
            f"{source} and its reference {reference} are {sizes} pixels, expected one size: "
            "crop them to it."
        )
    return pixels, target


def rows(profile: str, work: Sequence[Work], processes: int = 1) -> list[list[Row]]:
    """Return the result rows of each chain on its track.

    Args:
        profile: Name of the profile.
        work: Jobs of chains, with the results of an earlier, unfinished run.
        processes: Number of processes.
    """
    values = measure_all(work, score, processes, "scoring")
    return [
        as_rows(profile, jobs, of_jobs) for (jobs, _), of_jobs in zip(work, values, strict=True)
    ]


def as_rows(
    profile: str, jobs: Sequence[Job], values: Sequence[Mapping[Protocol, Mapping[str, float]]]
) -> list[Row]:
    """Convert measured values to result rows.

    Args:
        profile: Name of the profile.
        jobs: One job per input.
        values: Protocol -> metric -> value, one entry per job.
    """
    return [
        Row(
            profile=profile,
            dataset=job.case.dataset,
            image=job.case.image,
            qf=job.case.qf,
            chain=str(job.chain),
            track=job.track,
            metric=metric,
            protocol=protocol,
            value=float(value),
        )
        for job, found in zip(jobs, values, strict=True)
        for protocol in PROTOCOLS
        for metric, value in found.get(protocol, {}).items()
    ]
