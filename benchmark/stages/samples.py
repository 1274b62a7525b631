"""Stage samples: every chain's output on a few test images, for the report."""

from benchmark import stages
from benchmark.core.params import Params
from benchmark.figures import report_images
from benchmark.scoring import results


def make(params: Params) -> None:
    """Write the pictures that the report compares; none where the profile names no quantile."""
    rows = results.frame([])
    if params.chains:
        folder = params.work / "measured" / "rows"
        rows = results.read(folder / f"{report_images.guide(params)}.parquet")
    report_images.make(params, rows, params.work / "samples")


if __name__ == "__main__":
    stages.run(make)
