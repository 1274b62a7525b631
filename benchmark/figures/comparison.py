"""The figures of a profile that compare methods: average ranks, and quality against cost."""

from pathlib import Path

import pandas as pd

from benchmark.core.params import Params
from benchmark.core.types import Track
from benchmark.figures import comparison_plots, style
from benchmark.figures.comparison_plots import Point
from benchmark.figures.style import Styles
from benchmark.methods.records import shown_tracks
from benchmark.scoring import results
from benchmark.tables import cost_table, load, ranks


def compare(params: Params, sound: pd.DataFrame, drawn: Styles, folder: Path) -> None:
    """Write `critical_difference_*` and `quality_cost_*` of a profile.

    Args:
        params: The profile; the stages tables and costs have run.
        sound: Cells of its quality tables, protocol `sound`.
        drawn: From `style.styles`.
        folder: Folder of the figures.
    """
    records = load.records(params)
    rows = results.read(params.results / "rows.parquet")
    for ranking in ranks.rankings(rows, records):
        figure = comparison_plots.critical_difference(ranking, drawn)
        name = f"critical_difference_{ranking.metric.lower()}_{ranking.track}"
        style.save(figure, folder, name)
    costs = cost_table.read(params)
    for track in shown_tracks(records):
        points = _points(params, sound, costs, track)
        if points:
            qf = max(params.qfs)
            where = f"mean over {', '.join(params.merge.test)} at QF {qf}"
            figure = comparison_plots.quality_against_cost(points, where, drawn)
            style.save(figure, folder, f"quality_cost_{track}")


def _points(params: Params, sound: pd.DataFrame, costs: pd.DataFrame, track: Track) -> list[Point]:
    """Return a point for each chain that was scored and measured on one track.

    Variants of MLSM cost the same as MLSM and are left out; Tables V and VI compare them.
    """
    records = load.records(params)
    at = (sound["qf"] == max(params.qfs)) & (sound["metric"] == "PSNR")
    chosen = sound[at & sound["track"].isin(["classical", track])]
    means = chosen.groupby("chain", sort=False)["value"].mean()
    points = []
    for chain, cost in cost_table.chain_costs(costs, records, track).items():
        left_out = records[chain].uses_reference or style.is_variant(chain)
        if chain in means.index and not left_out:
            points.append(Point(chain, float(means[chain]), *cost))
    return points
