"""Stage score: every chain on every test image at every quality factor.

One stage and one pool of processes for all of them: what chains have in common that begin alike
runs once per image, and images that are measured already are found in the cache, so another chain
costs its own images alone.
"""

from benchmark import stages
from benchmark.core.params import Params
from benchmark.scoring import plan, results
from benchmark.scoring import score as scoring


def score(params: Params) -> None:
    """Score each chain on every track it has; finished images survive a kill."""
    folder = stages.emptied(params.work / "measured" / "rows")
    work = plan.work(params, params.chains, "scores", "scores", scoring.__name__)
    rows = scoring.rows(params.profile, list(work.values()), params.jobs)
    named = [(chain, own) for (chain, _), own in zip(work, rows, strict=True)]
    results.write_chains(folder, params.chains, named)


if __name__ == "__main__":
    stages.run(score)
