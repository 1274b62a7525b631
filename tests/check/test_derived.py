"""Ranks and differences may move as far as the numbers they follow from let them."""

import pandas as pd
import pytest

from benchmark.check import derived

LIMITS = {"MLSM": 0.02, "A": 0.02, "B": 0.01, "C": 0.5}


def limit(track, metric, method):
    assert metric == "PSNR"
    return LIMITS[method]


def cell(table, method, metric, committed, qf="90", track="retrained"):
    row = {"table": table, "method": method, "dataset": "LOL", "qf": qf, "metric": metric}
    return row | {"protocol": "sound", "track": track, "committed": committed}


def numbers(values, qf="90"):
    return [cell("table_3", method, "PSNR", value, qf) for method, value in values.items()]


def test_a_difference_moves_as_far_as_both_of_its_methods():
    cells = pd.DataFrame(
        [*numbers({"MLSM": 20.0, "C": 19.0}), cell("statistics_mlsm", "C", "PSNR difference", 1.0)]
    )
    assert derived.tolerances(cells, limit).to_dict() == {2: pytest.approx(0.52)}


def test_a_rank_stands_still_where_no_method_is_within_reach():
    cells = pd.DataFrame(
        [
            *numbers({"MLSM": 20.0, "A": 19.9, "B": 18.0}),
            cell("statistics_ranks", "A", "rank of PSNR", 2.0, ""),
        ]
    )
    assert derived.tolerances(cells, limit).to_dict() == {3: 0.0}


def test_a_rank_moves_by_the_methods_within_reach_as_a_mean_over_columns():
    near, far = {"MLSM": 20.0, "A": 19.97, "C": 19.6}, {"MLSM": 20.0, "A": 15.0, "C": 10.0}
    ranked = cell("statistics_ranks", "A", "rank of PSNR", 2.0, "")
    cells = pd.DataFrame([*numbers(near), *numbers(far, "80"), ranked])
    # at QF 90 both others are within reach (0.03 <= 0.04, 0.37 <= 0.52), at QF 80 none
    assert derived.tolerances(cells, limit).to_dict() == {6: 1.0}


def test_what_is_measured_is_not_derived():
    assert derived.tolerances(pd.DataFrame(numbers({"A": 19.0})), limit).empty
