"""Perceptual distances of a chain's outputs, only at the profile's highest quality factor.

The networks take as long as many methods, and the paper's ablations use that quality factor too.
"""

from collections.abc import Sequence

from benchmark.core.errors import InputError
from benchmark.core.images import read_uint8
from benchmark.core.types import Protocol
from benchmark.scoring import lpips_weights, perceptual
from benchmark.scoring.jobs import Job, Work, measure_all, outputs
from benchmark.scoring.results import Row
from benchmark.scoring.score import aligned, as_rows

PROTOCOL: Protocol = "sound"


def quality_factor(qfs: Sequence[int]) -> int:
    """Return the quality factor at which distances are measured, the highest of the profile."""
    return max(qfs)


def score(job: Job) -> dict[str, float]:
    """Compute metric -> perceptual distance of one output; none where a pair was refused.

    Raises:
        InputError: There is no reference, or weights are absent.
    """
    if job.case.reference is None:
        raise InputError(f"{job.case.input} has no reference: perceptual distances need one.")
    reference = read_uint8(job.case.reference)
    if job.case.refused:
        return {}
    output = outputs(job, read_uint8(job.case.input), (PROTOCOL,), reference)[PROTOCOL]
    output, reference = aligned(job.case, output, reference)
    distances = {
        "st_lpips": perceptual.st_lpips(output, reference),
        "psnr_gtmean": perceptual.psnr_gtmean(output, reference),
    }
    if not lpips_weights.absence():
        distances["lpips"] = perceptual.lpips_distance(output, reference)
    return distances


def rows(profile: str, work: Sequence[Work], processes: int = 1) -> list[list[Row]]:
    """Return the result rows of each chain on its track; see `score.rows`."""
    values = measure_all(work, score, processes, "perceptual distances")
    return [
        as_rows(profile, jobs, [{PROTOCOL: distances} for distances in of_jobs])
        for (jobs, _), of_jobs in zip(work, values, strict=True)
    ]
