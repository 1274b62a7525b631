"""Score a chain on test inputs (decode, enhance, measure), resumable after every image."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark import methods
from benchmark.core import images, user_files
from benchmark.core.cache import ResultCache, cached_map
from benchmark.core.errors import InputError
from benchmark.core.images import Bytes
from benchmark.core.types import Protocol
from benchmark.scoring import metrics
from benchmark.scoring.jobs import Job, assembled, context_of
from benchmark.scoring.results import PROTOCOLS, Row


def score(job: Job) -> dict[Protocol, dict[str, float]]:
    """Compute protocol -> metric -> value of one output.

    Raises:
        InputError: The input and its reference differ in size, or weights are absent.
    """
    if job.case.reference is None:
        raise InputError(f"{job.case.input} has no reference: full-reference metrics need one.")
    steps = assembled(job.chain, job.track, job.trained)
    pixels, reference = read_pair(job.case.input, job.case.reference, job.case.own)
    outputs = methods.outputs(steps, pixels, PROTOCOLS, context_of(job.case, reference))
    return {
        protocol: metrics.measure(output, reference, protocol)
        for protocol, output in outputs.items()
    }


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


def rows(profile: str, jobs: Sequence[Job], journal: ResultCache, processes: int = 1) -> list[Row]:
    """Return the result rows of one chain on one track.

    Args:
        profile: Name of the profile.
        jobs: One job per input, all of the same chain and track.
        journal: Results of an earlier, unfinished run.
        processes: Number of processes.
    """
    if not jobs:
        return []
    keys = [job.case.key() for job in jobs]
    values = cached_map(jobs, keys, score, journal, processes, jobs[0].label)
    return as_rows(profile, jobs, values)


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
