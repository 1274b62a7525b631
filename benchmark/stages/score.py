"""Stage score: every chain on every test image at every quality factor.

One stage and one pool of processes for all of them: what chains have in common that begin alike
runs once per image, and images that are measured already are found in the cache, so another chain
costs its own images alone.
"""

from benchmark import stages
from benchmark.core.params import Params
from benchmark.scoring import plan, results, seeds
from benchmark.scoring import score as scoring


def score(params: Params) -> None:
    """Score each chain on every track it has; finished images survive a kill."""
    folder = stages.emptied(params.work / "measured" / "rows")
    work = plan.work(params, params.chains, "scores", "scores", scoring.__name__)
    further = plan.seed_work(params, work, "scores", scoring.__name__)
    rows = scoring.rows(params.profile, [*work.values(), *further.values()], params.jobs)
    by_track = dict(zip(work, rows[: len(work)], strict=True))
    by_seed = dict(zip(further, rows[len(work) :], strict=True))
    for chain in dict.fromkeys(chain for chain, _ in further):
        own = {params.seed: by_track[chain, "retrained"]}
        own |= {seed: listed for (name, seed), listed in by_seed.items() if name == chain}
        seeds.write(folder / seeds.FOLDER / f"{chain}.parquet", own)
        by_track[chain, "retrained"] = seeds.averaged(own)
    named = [(chain, listed) for (chain, _), listed in by_track.items()]
    results.write_chains(folder, params.chains, named)


if __name__ == "__main__":
    stages.run(score)
