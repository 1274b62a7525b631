"""Perceptual distances of a chain's outputs, only at the profile's highest quality factor.

The networks take as long as many methods, and the paper's ablations use that quality factor too.
"""

from collections.abc import Sequence

from benchmark import methods
from benchmark.core.cache import ResultCache, cached_map
from benchmark.core.errors import InputError
from benchmark.core.images import read_uint8
from benchmark.core.types import Protocol
from benchmark.scoring import lpips_weights, perceptual
from benchmark.scoring.jobs import Job, assembled, context_of
from benchmark.scoring.results import Row
from benchmark.scoring.score import as_rows

PROTOCOL: Protocol = "sound"


def quality_factor(qfs: Sequence[int]) -> int:
    """Return the quality factor at which distances are measured, the highest of the profile."""
    return max(qfs)


def score(job: Job) -> dict[str, float]:
    """Compute metric -> perceptual distance of one output.

    Raises:
        InputError: There is no reference, or weights are absent.
    """
    if job.case.reference is None:
        raise InputError(f"{job.case.input} has no reference: perceptual distances need one.")
    reference = read_uint8(job.case.reference)
    steps = assembled(job.chain, job.track, job.trained)
    output = methods.run(
        steps, read_uint8(job.case.input), PROTOCOL, context_of(job.case, reference)
    )
    distances = {
        "st_lpips": perceptual.st_lpips(output, reference),
        "psnr_gtmean": perceptual.psnr_gtmean(output, reference),
    }
    if not lpips_weights.absence():
        distances["lpips"] = perceptual.lpips_distance(output, reference)
    return distances


def rows(profile: str, work: Sequence[Job], journal: ResultCache, processes: int = 1) -> list[Row]:
    """Return the result rows of one chain on one track; see `score.rows`."""
    if not work:
        return []
    keys = [f"{job.case.key()}|{lpips_weights.absence() == ''}" for job in work]
    values = cached_map(work, keys, score, journal, processes, work[0].label)
    return as_rows(profile, work, [{PROTOCOL: distances} for distances in values])
