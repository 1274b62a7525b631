"""Outputs that pages show, kept so that a page is made again without running the methods."""

from pathlib import Path

from benchmark import ROOT
from benchmark.core import images
from benchmark.core.hashing import digest_values
from benchmark.core.images import Bytes, read_uint8
from benchmark.core.params import Params
from benchmark.core.types import Track
from benchmark.scoring import jobs, plan
from benchmark.scoring.jobs import Job


def folder(params: Params, chain: str, track: Track) -> Path:
    """Return where a chain's outputs are kept; it changes with all that they depend on."""
    return ROOT / ".cache" / "outputs" / plan.digest(params, chain, track, jobs.__name__)[:32]


def output(job: Job, kept: Path) -> Bytes:
    """Return the output of protocol `sound` for an input, uint8 (H, W, 3).

    Args:
        job: The chain and the input.
        kept: From `folder`; the output is read from there, or written there.

    Raises:
        InputError: A method needs a reference and there is none, or weights are absent.
    """
    path = kept / f"{digest_values(job.case.key())[:32]}.png"
    if path.is_file():
        return read_uint8(path)
    reference = None if job.case.reference is None else read_uint8(job.case.reference)
    pixels = jobs.outputs(job, read_uint8(job.case.input), ("sound",), reference)["sound"]
    images.write(path, pixels)
    return pixels
