"""Stage perceive: perceptual distances of one chain's outputs at the highest quality factor."""

from benchmark import jobs, perception, rows, stages
from benchmark.params import Params

CODE = ("benchmark.likeness", "benchmark.methods", "benchmark.images", "benchmark.perception")


def perceive(params: Params, chain: str) -> None:
    """Measure a chain with every kind of weights it has; finished images survive a kill."""
    made: list[rows.Row] = []
    for track, planned in jobs.planned(params, chain, "scores").items():
        work = [job for job in planned if job.case.qf == perception.quality_factor(params)]
        journal = jobs.journal(params, chain, "perception", track, *CODE)
        made += perception.rows(params.profile, work, journal, params.jobs)
    path = params.work / "measured" / "perception" / f"{chain}.parquet"
    rows.write(path, rows.frame(made))


if __name__ == "__main__":
    stages.run(perceive, "chain")
