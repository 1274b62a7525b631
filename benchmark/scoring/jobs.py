"""Scoring jobs: one chain, on one track, on one test input."""

import functools
from dataclasses import dataclass
from pathlib import Path

from benchmark import methods
from benchmark.core import jpeg, user_files
from benchmark.core.images import Bytes, to_float
from benchmark.core.types import Track
from benchmark.data import inputs
from benchmark.methods import assemble


@dataclass(frozen=True)
class Job:
    """Everything that a worker process needs to run a chain on an input.

    Attributes:
        chain: Methods, left to right.
        track: Track of the weights.
        trained: Folder of retrained weights.
        case: The input with its reference or labels.
    """

    chain: methods.Chain
    track: Track
    trained: Path
    case: inputs.EvaluationInput

    @property
    def label(self) -> str:
        """Label of the progress bar."""
        return f"{self.chain} ({self.track})"


@functools.lru_cache(maxsize=1)
def assembled(chain: methods.Chain, track: Track, trained: Path) -> tuple[methods.Step, ...]:
    """Build a chain with its weights; each process caches the chain that it built last."""
    return tuple(assemble.assemble(chain, track, trained))


def context_of(
    case: inputs.EvaluationInput, reference: Bytes | None = None
) -> methods.MethodContext:
    """Return the quantisation tables and reference that methods may receive with an input."""
    of_reference = None if reference is None else to_float(reference)
    tables = user_files.tables if case.own else jpeg.tables
    return methods.MethodContext(tables(case.input), of_reference)
