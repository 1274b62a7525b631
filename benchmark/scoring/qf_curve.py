"""Quality of outputs over the quality factor of the input, including untrained ones.

The tables contain the four quality factors of the paper, but in practice a model meets others. The
curve uses the test images, metrics and code of the tables, with protocol `sound`.
"""

from pathlib import Path

import pandas as pd

from benchmark import methods
from benchmark.core import files
from benchmark.core.params import Params
from benchmark.core.types import Track
from benchmark.data import compression, lists, manifest
from benchmark.data.evaluation import EvaluationInput
from benchmark.scoring import jobs, plan, results, score

COLUMNS = ["dataset", "chain", "track", "qf", "metric", "n", "value"]
METRICS = ("psnr", "ssim", "bef")


def cases(params: Params, folder: Path) -> list[EvaluationInput]:
    """Compress every test image at every quality factor of the curve.

    Args:
        params: The profile.
        folder: Folder of the JPEG files; existing files are kept.
    """
    places = lists.PathResolver.of(params)
    tests = params.work / "merge" / "test"
    tests_of: dict[str, pd.DataFrame] = {
        name: manifest.read_manifest(tests / f"{name}.csv") for name in params.merge.test
    }
    cells = [cell for listed in tests_of.values() for cell in listed["dark"]]
    compression.compress(cells, params.curve.qfs, places, folder, params.jobs)
    registrations = compression.read_registrations(params.work / "prepared", tests_of)
    listed = compression.cases(tests_of, params.curve.qfs, registrations)
    files.write_text(folder / "curve.csv", listed.to_csv(index=False, lineterminator="\n"))
    return compression.read_cases(folder / "curve.csv", folder, places)


def measure(params: Params, folder: Path) -> pd.DataFrame:
    """Measure every chain of the curve and return the means over images, with `COLUMNS`.

    Learned chains are measured with retrained weights. An interrupted run is resumed.
    """
    inputs = cases(params, folder)
    work = []
    for text in params.curve.chains:
        chain = methods.Chain.parse(text, params.methods)
        track: Track = "retrained" if chain.learned else "classical"
        own = [jobs.Job(chain, track, params.weights, case) for case in inputs]
        work.append(jobs.Work(own, plan.journal(params, text, track, "scores", score.__name__)))
    rows = score.rows(params.profile, work, params.jobs)
    means = results.means(results.frame(row for of_chain in rows for row in of_chain))
    kept = means[(means["protocol"] == "sound") & means["metric"].isin(METRICS)]
    return kept[COLUMNS].reset_index(drop=True)
