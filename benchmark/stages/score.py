"""Stage score: one chain on every test image at every quality factor."""

from benchmark import jobs, rows, scoring, stages
from benchmark.params import Params

CODE = ("benchmark.metrics", "benchmark.methods", "benchmark.images", "benchmark.scoring")


def score(params: Params, chain: str) -> None:
    """Score a chain with every kind of weights it has; finished images survive a kill."""
    made: list[rows.Row] = []
    for track, work in jobs.planned(params, chain, "scores").items():
        journal = jobs.journal(params, chain, "scores", track, *CODE)
        made += scoring.rows(params.profile, work, journal, params.jobs)
    rows.write(params.work / "measured" / "rows" / f"{chain}.parquet", rows.frame(made))


if __name__ == "__main__":
    stages.run(score, "chain")
