"""Stage samples: every chain's output on a few test images, for the report."""

from benchmark import rows, samples, stages
from benchmark.params import Params


def make(params: Params) -> None:
    """Write the pictures that the report compares; none where the profile names no quantile."""
    path = params.work / "measured" / "rows" / f"{samples.guide(params)}.parquet"
    samples.make(params, rows.read(path), params.work / "samples")


if __name__ == "__main__":
    stages.run(make)
