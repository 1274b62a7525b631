"""Scoring jobs: one chain, on one track, on one test input."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmark import methods
from benchmark.core import jpeg, parallel, user_files
from benchmark.core.cache import ResultCache
from benchmark.core.images import Bytes, to_float
from benchmark.core.types import Protocol, Track
from benchmark.data import evaluation
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
    case: evaluation.EvaluationInput


class Work(NamedTuple):
    """Jobs of one chain on one track, with the results that are there already.

    Attributes:
        jobs: One job per input.
        cache: Results by the key of the input; new ones are added.
    """

    jobs: Sequence[Job]
    cache: ResultCache


def measure_all(
    work: Sequence[Work], measure: Callable[[Job], Any], processes: int, label: str
) -> list[list[Any]]:
    """Return `measure(job)` for every job, computing only the results that the caches lack.

    Jobs on one input whose chains begin with the same step go to one process, one after the other,
    so that `outputs` runs that step once. All jobs share one pool of processes.

    Args:
        work: Any number of chains and tracks.
        measure: A function that can be pickled and returns values that JSON can hold.
        processes: Number of processes.
        label: Label of the progress bar.

    Returns:
        One list of results per entry of `work`, in the order of its jobs.
    """
    keys: dict[evaluation.EvaluationInput, str] = {}
    together: dict[tuple[Any, ...], dict[tuple[int, str], Job]] = {}
    for index, (jobs, cache) in enumerate(work):
        for job in jobs:
            if job.case not in keys:
                keys[job.case] = job.case.key()
            key = keys[job.case]
            if key not in cache.done:
                group = together.setdefault((job.chain.first(1), job.track, job.case), {})
                group[index, key] = job
    groups = [tuple(group.values()) for group in together.values()]
    results = parallel.map_parallel(functools.partial(_each, measure), groups, processes, label)
    for group, values in zip(together.values(), results, strict=True):
        for (index, key), value in zip(group, values, strict=True):
            work[index].cache.add(key, value)
    return [[cache.done[keys[job.case]] for job in jobs] for jobs, cache in work]


def _each(measure: Callable[[Job], Any], jobs: Sequence[Job]) -> list[Any]:
    return [measure(job) for job in jobs]


def assembled(chain: methods.Chain, track: Track, trained: Path) -> tuple[methods.Step, ...]:
    """Build a chain with its weights; each process keeps the methods that it built last.

    Raises:
        InputError: Weights are absent or broken.
    """
    singles = [methods.Chain((name,), chain.settings) for name in chain.steps]
    return tuple(_step(single.first(1), track, trained) for single in singles)


@functools.lru_cache(maxsize=16)
def _step(single: methods.Chain, track: Track, trained: Path) -> methods.Step:
    (step,) = assemble.assemble(single, track, trained)
    return step


def outputs(
    job: Job, pixels: Bytes, protocols: tuple[Protocol, ...], reference: Bytes | None = None
) -> Mapping[Protocol, Bytes]:
    """Return what a job's chain makes of its input under each protocol.

    What chains have in common that begin alike runs once, if a process takes them one after the
    other on the same input.

    Args:
        job: The chain, and the input with the context that methods may need.
        pixels: The decoded input, uint8 (H, W, 3).
        protocols: See `methods.run`.
        reference: The normal-light image, for methods that need it.
    """
    before = _latest(job.track, job.trained, job.case.key(), protocols)
    context = context_of(job.case, reference)
    current: Mapping[Protocol, Bytes] = dict.fromkeys(protocols, pixels)
    for count, step in enumerate(assembled(job.chain, job.track, job.trained), 1):
        head = job.chain.first(count)
        if head not in before:
            before[head] = methods.advance(step, current, context)
        current = before[head]
    return current


@functools.lru_cache(maxsize=1)
def _latest(*_: object) -> dict[methods.Chain, dict[Protocol, Bytes]]:
    """Return the outputs of the chains that ran on an input; another input begins anew."""
    return {}


def context_of(
    case: evaluation.EvaluationInput, reference: Bytes | None = None
) -> methods.MethodContext:
    """Return the quantisation tables and reference that methods may receive with an input."""
    of_reference = None if reference is None else to_float(reference)
    tables = user_files.tables if case.own else jpeg.tables
    return methods.MethodContext(tables(case.input), of_reference)
