"""The scoring jobs of a profile, and the caches of their results."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from benchmark import ROOT, methods
from benchmark.core import code_digest
from benchmark.core.cache import ResultCache
from benchmark.core.errors import InputError
from benchmark.core.hashing import digest_values
from benchmark.core.params import Params
from benchmark.core.types import Track
from benchmark.data import compression, lists
from benchmark.data.evaluation import EvaluationInput
from benchmark.methods import records
from benchmark.scoring.jobs import Job, Work


def planned(params: Params, chain: str, listing: str) -> dict[Track, list[Job]]:
    """Return track -> scoring jobs of a chain in a profile.

    Args:
        params: The profile.
        chain: Name of one of its chains.
        listing: Name of a list of test inputs, `scores` or `faces`.
    """
    places = lists.PathResolver.of(params)
    jpegs = params.work / "jpeg" / "test"
    cases = compression.read_cases(jpegs / f"{listing}.csv", jpegs, places)
    record = _record(params, chain)
    parsed = methods.Chain.parse(chain, params.methods)
    return {
        track: [Job(parsed, track, params.weights, case) for case in cases]
        for track in get_args(Track)
        if track in record.tracks
    }


def work(
    params: Params,
    chains: Sequence[str],
    listing: str,
    kind: str,
    code: str,
    *depends: Any,
    chosen: Callable[[EvaluationInput], bool] = lambda _: True,
) -> dict[tuple[str, Track], Work]:
    """Return chain and track -> its jobs with their result cache, for all tracks it has.

    Args:
        params: The profile.
        chains: Names of its chains.
        listing: As in `planned`.
        kind: As in `journal`, like `code` and `depends`.
        code: Name of the module that computes the results.
        depends: Further values that the results depend on.
        chosen: Whether an input is among the jobs.
    """
    return {
        (chain, track): Work(
            [job for job in jobs if chosen(job.case)],
            journal(params, chain, track, kind, code, *depends),
        )
        for chain in chains
        for track, jobs in planned(params, chain, listing).items()
    }


def seed_work(
    params: Params, planned_work: Mapping[tuple[str, Track], Work], kind: str, code: str
) -> dict[tuple[str, int], Work]:
    """Return chain and further seed -> its jobs with the weights of that seed.

    Args:
        params: The profile.
        planned_work: What `work` returned for the same kind and code.
        kind: As in `journal`, like `code`.
        code: Name of the module that computes the results.
    """
    found = {}
    for (chain, track), (jobs, _) in planned_work.items():
        further = params.further_seeds(chain) if track == "retrained" else {}
        weights = _record(params, chain).seeds if further else {}
        for seed, folder in further.items():
            if str(seed) in weights:
                key = digest_values([digest(params, chain, track, code), weights[str(seed)]])
                of_seed = [replace(job, trained=folder) for job in jobs]
                found[chain, seed] = Work(of_seed, _cache(kind, key))
    return found


def _cache(kind: str, key: str) -> ResultCache:
    return ResultCache(ROOT / ".cache" / kind / f"{key[:32]}.jsonl")


def _record(params: Params, chain: str) -> records.ChainRecord:
    known = records.read(params.work)
    if chain not in known:
        raise InputError(f"Profile {params.profile} has no chain {chain!r}: it has {[*known]}.")
    return known[chain]


def journal(
    params: Params, chain: str, track: Track, kind: str, code: str, *depends: Any
) -> ResultCache:
    """Return the result cache of a chain, whose name changes with everything the results depend on.

    Args:
        params: The profile.
        chain: Name of one of its chains.
        track: Track of the weights.
        kind: Name of the folder of results: `scores`, `perception` or `faces`.
        code: Name of the module that computes them; its imports count as well.
        depends: Further values that the results depend on.
    """
    return _cache(kind, digest(params, chain, track, code, *depends))


def digest(params: Params, chain: str, track: Track, code: str, *depends: Any) -> str:
    """Return the SHA-256 of everything that results of a chain depend on; see `journal`."""
    record = _record(params, chain)
    made_of = [
        [name, step.code, record.tracks[track].get(name), record.settings[track].get(name)]
        for name, step in record.steps.items()
    ]
    return digest_values([chain, made_of, code_digest.of(code), depends])
