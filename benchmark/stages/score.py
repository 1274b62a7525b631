"""Stage score: every chain on every test image at every quality factor.

One stage for all of them: processes and libraries are started once, and images that are measured
already are found in the cache, so another chain costs its own images alone.
"""

import shutil

from benchmark import plan, rows, scoring, stages
from benchmark.params import Params


def score(params: Params) -> None:
    """Score each chain with every kind of weights it has; finished images survive a kill."""
    folder = params.work / "measured" / "rows"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for chain in params.chains:
        made: list[rows.Row] = []
        for track, work in plan.planned(params, chain, "scores").items():
            journal = plan.journal(params, chain, track, "scores", scoring.__name__)
            made += scoring.rows(params.profile, work, journal, params.jobs)
        rows.write(folder / f"{chain}.parquet", rows.frame(made))


if __name__ == "__main__":
    stages.run(score)
