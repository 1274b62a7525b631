"""One chain with weights on one input, and all of them that a profile asks for."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from benchmark import (
    ROOT,
    compression,
    datasets,
    jpeg,
    jsonfile,
    merge,
    methods,
    provenance,
    userfiles,
    weights,
)
from benchmark.digests import digest_values
from benchmark.errors import InputError
from benchmark.images import Bytes, to_float
from benchmark.journal import Journal
from benchmark.params import Params
from benchmark.terms import Track


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
    case: compression.Case

    @property
    def label(self) -> str:
        """What a progress bar says."""
        return f"{self.chain} ({self.track})"


@functools.lru_cache(maxsize=1)
def assembled(chain: methods.Chain, track: Track, trained: Path) -> tuple[methods.Step, ...]:
    """Build a chain once a process."""
    return tuple(weights.assemble(chain, track, trained))


def given(case: compression.Case, reference: Bytes | None = None) -> methods.Given:
    """Return what belongs to an input for the methods that need it."""
    of_reference = None if reference is None else to_float(reference)
    tables = userfiles.tables if case.own else jpeg.tables
    return methods.Given(tables(case.input), of_reference)


def planned(params: Params, chain: str, listing: str) -> dict[Track, list[Job]]:
    """Return a chain's jobs in a profile, for every kind of weights it has there.

    Args:
        params: The profile.
        chain: One of its chains.
        listing: Name of a list of test inputs: `scores` or `faces`.
    """
    places = merge.Places(tuple(datasets.raw_roots(params.raw)), params.work)
    jpegs = params.work / "jpeg" / "test"
    cases = compression.read_cases(jpegs / f"{listing}.csv", jpegs, places)
    record = _record(params, chain)
    parsed = methods.Chain.parse(chain, params.methods)
    return {
        track: [Job(parsed, track, params.weights, case) for case in cases]
        for track in get_args(Track)
        if track in record["tracks"]
    }


def _record(params: Params, chain: str) -> dict[str, Any]:
    records = jsonfile.read(params.work / "chains.json")
    if chain not in records:
        raise InputError(f"Profile {params.profile} has no chain {chain!r}: it has {[*records]}.")
    found: dict[str, Any] = records[chain]
    return found


def journal(params: Params, chain: str, kind: str, *depends: object) -> Journal:
    """Return the journal of a chain's results, found again as long as nothing they depend on moves.

    Args:
        params: The profile.
        chain: One of its chains.
        kind: Folder name of the results: `scores` or `faces`.
        depends: What the results depend on besides the chain's methods and weights; a name of a
            module stands for its source.
    """
    code = [part for part in depends if isinstance(part, str) and part.startswith("benchmark.")]
    other = [part for part in depends if part not in code]
    key = digest_values([_record(params, chain), provenance.files_digest(code), other])
    return Journal(ROOT / ".cache" / kind / f"{key[:32]}.jsonl")
