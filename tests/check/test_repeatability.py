"""Tolerances follow from how far numbers moved."""

import pandas as pd
import pytest

from benchmark.check import compare, repeatability
from benchmark.check.repeatability import Move


def cells(*rows):
    named = ["table", "method", "metric", "track", "committed", "difference"]
    return pd.DataFrame([dict(zip(named, row, strict=True)) for row in rows])


def test_the_largest_move_over_conditions_is_kept_with_its_condition():
    found = repeatability.moves(
        {
            "sse4": cells(
                ("table_3", "SCI", "PSNR", "retrained", 15.0, -0.004),
                ("table_3", "SCI", "PSNR-GT-mean", "retrained", 20.0, 0.001),
                ("table_3", "SCI", "images of PSNR", "retrained", 4.0, 0.0),
            ),
            "threads": cells(("table_3", "SCI", "PSNR", "retrained", 15.0, 0.003)),
        }
    )
    assert found == [Move("SCI", "retrained", "PSNR", 0.004, "sse4", 2)]


def test_terms_of_losses_move_as_a_share_of_themselves():
    found = repeatability.moves(
        {"sse4": cells(("training", "sci", "last train/fidelity", "retrained", 0.5, 1e-6 + 0.005))}
    )
    assert found[0].group == "loss"
    assert found[0].most == pytest.approx(0.01)


def test_a_method_that_moves_further_than_the_aim_gets_three_times_its_move():
    made = repeatability.allowed([Move("LLFlow", "retrained", "PSNR", 0.011, "sse4", 60)])
    assert made[0].methods == ["LLFlow"]
    assert made[0].tolerance == 0.04
    assert made[0].reason == "Moved by 0.011 dB under condition sse4; 3 times that."
    assert compare.tolerance_of("retrained", "PSNR", "LLFlow", made).tolerance == 0.04
    assert compare.tolerance_of("retrained", "PSNR", "UNet", made).tolerance == 0.02


def test_a_method_that_stands_still_gets_the_aim_of_its_track():
    made = repeatability.allowed([Move("LIME", "classical", "PSNR", 0.0004, "avx2", 60)])
    assert compare.tolerance_of("classical", "PSNR", "LIME", made).tolerance == 0.002
    assert "largest move of any method was 0.0004" in made[0].reason


def test_written_tolerances_are_read_back(tmp_path):
    made = repeatability.allowed([Move("sci", "retrained", "loss", 0.0021, "sse4", 8)])
    path = tmp_path / "tolerances.yaml"
    path.write_text(repeatability.as_yaml(made))
    assert compare.tolerances(path) == made
    assert compare.tolerance_of("retrained", "last train/fidelity", "sci", made).relative == 0.007


def test_the_table_has_a_row_a_method_and_says_what_moved_it():
    text = repeatability.table(
        [
            Move("LIME", "classical", "PSNR", 0.0, "sse4", 60),
            Move("SCI", "retrained", "PSNR", 0.0041, "sse4", 60),
            Move("SCI", "retrained", "SSIM", 2e-5, "threads", 60),
        ],
        {"sse4": "SSE 4"},
    )
    assert "| LIME | classical | 0 | – | – | – | – | – | – | – |" in text
    assert "| SCI | retrained | 0.0041 | – | 2e-05 | – | – | – | – | SSE 4 |" in text
