"""Scores of one chain on test inputs: decode, enhance, measure; resumable after every image."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark import methods, metrics, terms, weights
from benchmark.compression import Case
from benchmark.errors import InputError
from benchmark.images import read_uint8
from benchmark.journal import Journal, work_through
from benchmark.rows import PROTOCOLS, Row


@dataclass(frozen=True)
class Job:
    """A chain with weights on one input; everything a worker process needs.

    Attributes:
        chain: Methods, left to right.
        track: Which weights.
        trained: Folder of retrained weights.
        case: The input and its reference.
    """

    chain: methods.Chain
    track: terms.Track
    trained: Path
    case: Case


def score(job: Job) -> dict[str, dict[str, float]]:
    """Return protocol -> metric -> value of one output.

    Raises:
        InputError: The input and its reference differ in size, or weights are absent.
    """
    if job.case.reference is None:
        raise InputError(f"{job.case.input} has no reference: full-reference metrics need one.")
    steps = assembled(job.chain, job.track, job.trained)
    pixels, reference = read_uint8(job.case.input), read_uint8(job.case.reference)
    if pixels.shape != reference.shape:
        sizes = " and ".join(f"{a.shape[1]}x{a.shape[0]}" for a in (pixels, reference))
        raise InputError(
            f"{job.case.input} and its reference {job.case.reference} are {sizes} pixels, "
            "expected one size: crop them to it."
        )
    sound = methods.run(steps, pixels, "sound")
    special = methods.writes_specially(steps)
    paper = methods.run(steps, pixels, "paper") if special else sound
    return {
        "sound": metrics.measure(sound, reference, "sound"),
        "paper": metrics.measure(paper, reference, "paper"),
    }


@functools.lru_cache(maxsize=1)
def assembled(chain: methods.Chain, track: terms.Track, trained: Path) -> tuple[methods.Step, ...]:
    """Build a chain once a process."""
    return tuple(weights.assemble(chain, track, trained))


def rows(profile: str, jobs: Sequence[Job], journal: Journal, processes: int = 1) -> list[Row]:
    """Return the result rows of one chain with one kind of weights.

    Args:
        profile: Name of the profile.
        jobs: One an input, all of the same chain and track.
        journal: Results of an earlier, unfinished run.
        processes: How many images are worked on at a time.
    """
    if not jobs:
        return []
    keys = [job.case.key() for job in jobs]
    label = f"{jobs[0].chain} ({jobs[0].track})"
    values = work_through(jobs, keys, score, journal, processes, label)
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
        for metric, value in found[protocol].items()
    ]
