"""The control that is told the reference's brightness."""

import numpy as np
import pytest

from benchmark import methods

IMAGE = np.random.default_rng(0).uniform(0.05, 0.2, (9, 7, 3)).astype(np.float32)


def test_the_output_has_the_mean_of_the_reference():
    reference = np.full(IMAGE.shape, 0.3, np.float32)
    output = methods.find("oracle_gain")()(IMAGE, reference)
    assert output.mean() == pytest.approx(0.3, rel=1e-5)


def test_one_gain_serves_all_pixels_and_channels():
    output = methods.find("oracle_gain")()(IMAGE, np.full(IMAGE.shape, (0.5, 0.1, 0.2), np.float32))
    ratio = output / IMAGE
    assert ratio.max() == pytest.approx(ratio.min(), rel=1e-5)


def test_what_exceeds_white_is_clipped():
    output = methods.find("oracle_gain")()(IMAGE, np.ones(IMAGE.shape, np.float32))
    assert output.max() == 1
    assert output.mean() < 1


def test_a_black_image_stays_black():
    assert methods.find("oracle_gain")()(np.zeros_like(IMAGE), IMAGE).max() == 0


def test_its_title_says_that_it_uses_the_reference():
    assert methods.find("oracle_gain").title == "Oracle gain (uses reference)"
    assert methods.find("oracle_gain").needs == "reference"
