"""Stage score: every chain on every test image at every quality factor.

One stage for all of them: processes and libraries are started once, and images that are measured
already are found in the cache, so another chain costs its own images alone.
"""

from benchmark import stages
from benchmark.core.params import Params
from benchmark.scoring import plan, results
from benchmark.scoring import score as scoring


def score(params: Params) -> None:
    """Score each chain on every track it has; finished images survive a kill."""
    folder = stages.emptied(params.work / "measured" / "rows")
    for chain in params.chains:
        rows: list[results.Row] = []
        for track, work in plan.planned(params, chain, "scores").items():
            journal = plan.journal(params, chain, track, "scores", scoring.__name__)
            rows += scoring.rows(params.profile, work, journal, params.jobs)
        results.write(folder / f"{chain}.parquet", results.frame(rows))


if __name__ == "__main__":
    stages.run(score)
