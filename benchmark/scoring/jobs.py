"""One chain with weights on one input, and all of them that a profile asks for."""

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
        track: Which weights.
        trained: Folder of retrained weights.
        case: The input and its reference or labels.
    """

    chain: methods.Chain
    track: Track
    trained: Path
    case: inputs.EvaluationInput

    @property
    def label(self) -> str:
        """What a progress bar says."""
        return f"{self.chain} ({self.track})"


@functools.lru_cache(maxsize=1)
def assembled(chain: methods.Chain, track: Track, trained: Path) -> tuple[methods.Step, ...]:
    """Build a chain once a process."""
    return tuple(assemble.assemble(chain, track, trained))


def context_of(
    case: inputs.EvaluationInput, reference: Bytes | None = None
) -> methods.MethodContext:
    """Return what belongs to an input for the methods that need it."""
    of_reference = None if reference is None else to_float(reference)
    tables = user_files.tables if case.own else jpeg.tables
    return methods.MethodContext(tables(case.input), of_reference)
