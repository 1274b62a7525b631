"""Stage curve: quality against quality factors beyond those of the tables."""

from benchmark import stages
from benchmark.core import files, jsonfile
from benchmark.core.params import Params
from benchmark.figures import qf_curve as figure
from benchmark.figures import style
from benchmark.scoring import qf_curve
from benchmark.tables import load


def curve(params: Params) -> None:
    """Measure the curve's chains at its quality factors, and draw them."""
    folder = stages.emptied(params.results / "curve")
    if not params.curve.chains:
        return
    cells = qf_curve.measure(params, params.work / "curve")
    text = cells.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    files.write_text(folder / "curve.csv", text)
    styles = style.styles(load.every_record(params))
    style.save(figure.draw(cells, params, styles), folder, "curve")
    jsonfile.write(folder / "curve.json", figure.words(cells))


if __name__ == "__main__":
    stages.run(curve)
