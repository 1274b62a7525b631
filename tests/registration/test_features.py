import numpy as np
import pytest
import skimage.data

from benchmark.core import images
from benchmark.registration import features
from benchmark.registration.features import Matches
from benchmark.registration.geometry import transform
from tests.helpers.dark_pair import TRUTH, corner_error_px, planes


def test_normalising_gives_dark_and_bright_copies_one_median() -> None:
    photograph = images.to_float(skimage.data.coffee())
    for gain in (1.0, 0.3, 0.05):
        plane = features.normalise(photograph * np.float32(gain), 1.25, 0.4)
        assert np.median(plane) == pytest.approx(0.4, abs=1e-6)
        assert plane.min() >= 0.0
        assert plane.max() <= 1.0


def test_a_constant_image_is_normalised_to_zero() -> None:
    assert not features.normalise(np.full((9, 9, 3), 0.5, np.float32), 1.25, 0.4).any()


def test_most_matches_of_a_dark_photograph_are_true() -> None:
    found = features.matches(*planes(), max_keypoints=2000, ratio=0.8)
    assert len(found.normal) >= 60
    assert np.mean(features.transfer_error(TRUTH, found) < 2.5) > 0.5


def test_matches_are_one_to_one() -> None:
    found = features.matches(*planes(), max_keypoints=2000, ratio=0.8)
    for side in found:
        assert len(np.unique(side, axis=0)) == len(side)


def test_consensus_withstands_two_thirds_of_outliers() -> None:
    rng = np.random.default_rng(0)
    normal = rng.random((150, 2)) * (540, 340)
    dark = np.where(
        np.arange(150)[:, None] < 50, transform(TRUTH, normal), rng.random((150, 2)) * 340
    )
    found = features.consensus(Matches(normal, dark), 2.5, 1000, 0.999, seed=1)
    assert corner_error_px(found) < 0.5


def test_points_that_fall_into_one_place_are_no_consensus() -> None:
    normal = np.random.default_rng(0).random((40, 2)) * 300
    found = features.consensus(Matches(normal, np.full((40, 2), 150.0)), 2.5, 200, 0.999, seed=0)
    assert np.array_equal(found, np.eye(3))
