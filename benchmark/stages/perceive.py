"""Stage perceive: perceptual distances of chains' outputs at the highest quality factor.

One stage for all of them: the networks are loaded once, and images that are measured already are
found in the cache.
"""

from benchmark import stages
from benchmark.core.params import Params
from benchmark.scoring import lpips_weights, perception, plan, results


def perceive(params: Params) -> None:
    """Measure each chain on every track it has; finished images survive a kill."""
    folder = stages.emptied(params.work / "measured" / "perception")
    work = plan.work(
        params,
        params.perceived_chains,
        "scores",
        "perception",
        perception.__name__,
        lpips_weights.absence() == "",
        chosen=lambda case: case.qf == perception.quality_factor(params.qfs),
    )
    rows = perception.rows(params.profile, list(work.values()), params.jobs)
    named = [(chain, own) for (chain, _), own in zip(work, rows, strict=True)]
    results.write_chains(folder, params.perceived_chains, named)


if __name__ == "__main__":
    stages.run(perceive)
