"""Images that are shown are chosen by rules."""

import numpy as np
import pandas as pd
import pytest

from benchmark import methods
from benchmark.core.errors import InputError
from benchmark.core.images import write
from benchmark.data.evaluation import EvaluationInput
from benchmark.figures import selection
from benchmark.scoring import jobs, results
from tests.helpers.pictures import flat, photograph


def scored(values):
    made = [
        results.Row("demo", dataset, name, 90, "mlsm", "retrained", "psnr", "sound", value)
        for dataset, shift in (("LOL", 0.0), ("SICE", 5.0))
        for name, value in values.items()
        for value in [value + shift]
    ]
    return results.frame(made)


def test_one_image_is_the_median():
    made = scored({"a": 12.0, "b": 30.0, "c": 17.0})
    assert selection.pick(made, "LOL") == ["c"]


def test_three_images_are_spread_over_the_ranks_worst_first():
    made = scored({f"{n}": float(n) for n in range(12)})
    assert selection.pick(made, "SICE", count=3) == ["2", "6", "10"]


def test_rows_of_other_chains_metrics_and_quality_factors_do_not_choose():
    other = [
        results.Row("demo", "LOL", "b", 90, "gamma", "classical", "psnr", "sound", 1.0),
        results.Row("demo", "LOL", "b", 80, "mlsm", "retrained", "psnr", "sound", 1.0),
        results.Row("demo", "LOL", "b", None, "mlsm", "retrained", "psnr", "sound", 1.0),
        results.Row("demo", "LOL", "b", 90, "mlsm", "retrained", "ssim", "sound", 0.1),
    ]
    made = pd.concat([scored({"a": 12.0}), results.frame(other)], ignore_index=True)
    assert selection.pick(made, "LOL") == ["a"]


def test_a_set_without_scores_is_refused():
    with pytest.raises(InputError, match="LSRW has 0 images scored with mlsm"):
        selection.pick(scored({"a": 12.0}), "LSRW")


def test_the_window_with_block_edges_is_found():
    dark = flat(20, 64, 96)
    dark[32:48, 64:80] = np.kron(np.indices((2, 2)).sum(0) % 2, np.ones((8, 8)))[..., None] * 20
    box = selection.most_blocking(dark, 16)
    assert box == (32, 64, 16, 16)
    assert (box.cut(dark) == dark[32:48, 64:80]).all()


def test_an_image_smaller_than_the_window_is_shown_whole():
    assert selection.most_blocking(flat(9, 24, 40), 64) == (0, 0, 24, 40)


def test_a_dark_image_is_brightened_to_a_quarter_and_a_bright_one_left_alone():
    assert abs(int(selection.brightened(flat(4)).mean()) - 64) <= 1
    assert (selection.brightened(flat(200)) == 200).all()


def test_a_chain_is_run_and_measured_against_the_reference(tmp_path):
    normal = photograph(32, 40, 3)
    write(tmp_path / "normal.png", normal)
    write(tmp_path / "dark.png", normal // 4)
    case = EvaluationInput("LOL", "1", 90, tmp_path / "dark.png", tmp_path / "normal.png", None)
    identity = jobs.Job(methods.Chain.parse("identity"), "classical", tmp_path, case)
    shown = selection.run(identity, tmp_path / "identity")
    assert (shown.output == normal // 4).all()
    gamma = jobs.Job(methods.Chain.parse("gamma"), "classical", tmp_path, case)
    assert selection.run(gamma, tmp_path / "gamma").psnr > shown.psnr
