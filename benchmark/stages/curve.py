"""Stage curve: quality against quality factors beyond those of the tables."""

import shutil

from benchmark import evidence, figures, jsonfile, outputs, qualitycurve, stages
from benchmark.params import Params


def curve(params: Params) -> None:
    """Measure the curve's chains at its quality factors, and draw them."""
    folder = params.results / "curve"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if not params.curve.chains:
        return
    cells = qualitycurve.measure(params, params.work / "curve")
    text = cells.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    outputs.write_text(folder / "curve.csv", text)
    styles = figures.styles(evidence.records(params))
    figures.save(qualitycurve.draw(cells, params, styles), folder, "curve")
    jsonfile.write(folder / "curve.json", qualitycurve.words(cells))


if __name__ == "__main__":
    stages.run(curve)
