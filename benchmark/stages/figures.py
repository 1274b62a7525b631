"""Stage figures: learning curves, quality against quality factor, precision-recall curves."""

import shutil
from functools import partial

from benchmark import stages
from benchmark.core import parallel
from benchmark.core.params import Params
from benchmark.figures import kinds


def draw(params: Params) -> None:
    """Draw every figure of the profile."""
    folder = params.results / "figures"
    shutil.rmtree(folder, ignore_errors=True)
    work = [partial(kind, params, folder) for kind in kinds.KINDS]
    for _ in parallel.map_parallel(_call, work, params.jobs, "figures", "kind"):
        pass


def _call(kind: "partial[None]") -> None:
    kind()


if __name__ == "__main__":
    stages.run(draw)
