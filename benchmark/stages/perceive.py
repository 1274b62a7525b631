"""Stage perceive: perceptual distances of chains' outputs at the highest quality factor.

One stage for all of them: the networks are loaded once, and images that are measured already are
found in the cache.
"""

from benchmark import stages
from benchmark.core.params import Params
from benchmark.scoring import perception, plan, results


def perceive(params: Params) -> None:
    """Measure each chain on every track it has; finished images survive a kill."""
    folder = stages.emptied(params.work / "measured" / "perception")
    for chain in params.perceived_chains:
        rows: list[results.Row] = []
        for track, planned in plan.planned(params, chain, "scores").items():
            work = [job for job in planned if job.case.qf == perception.quality_factor(params.qfs)]
            journal = plan.journal(params, chain, track, "perception", perception.__name__)
            rows += perception.rows(params.profile, work, journal, params.jobs)
        results.write(folder / f"{chain}.parquet", results.frame(rows))


if __name__ == "__main__":
    stages.run(perceive)
