from functools import cache

import numpy as np
import pytest
import skimage.data
from scipy import ndimage

from benchmark.core import images
from benchmark.registration import features
from benchmark.registration.features import Matches, Plane
from benchmark.registration.geometry import corners, transform

TRUTH = np.array([[1.008, -0.013, 4.2], [0.013, 1.008, -3.3], [0, 0, 1]])


@cache
def planes() -> tuple[Plane, Plane]:
    """A dark, noisy photograph and its normal-light image, which TRUTH maps onto it."""
    whole = images.to_float(skimage.data.coffee())
    rows, columns = np.mgrid[:340, :540]
    x, y = transform(TRUTH, np.stack([columns.ravel(), rows.ravel()], axis=1) * 1.0).T + 30
    moved = [ndimage.map_coordinates(whole[..., c], (y, x), order=3) for c in range(3)]
    normal = np.clip(np.stack(moved, axis=-1), 0, 1).reshape(340, 540, 3).astype(np.float32)
    noise = np.random.default_rng(0).normal(0.0, 0.006, normal.shape)
    dark = images.to_float(images.to_uint8((whole[30:370, 30:570] * 0.08 + noise).astype("f4")))
    return features.normalise(dark, 1.25, 0.4), features.normalise(normal, 1.25, 0.4)


def corner_error_px(matrix: features.Matrix) -> float:
    at = corners((340, 540))
    return float(np.linalg.norm(transform(matrix, at) - transform(TRUTH, at), axis=1).max())


def test_normalising_gives_dark_and_bright_copies_one_median() -> None:
    photograph = images.to_float(skimage.data.coffee())
    for gain in (1.0, 0.3, 0.05):
        plane = features.normalise(photograph * np.float32(gain), 1.25, 0.4)
        assert np.median(plane) == pytest.approx(0.4, abs=1e-6)
        assert plane.min() >= 0.0
        assert plane.max() <= 1.0


def test_a_constant_image_is_normalised_to_zero() -> None:
    assert not features.normalise(np.full((9, 9, 3), 0.5, np.float32), 1.25, 0.4).any()


def test_flattening_removes_slow_changes_of_light() -> None:
    plane = np.random.default_rng(0).random((80, 120)) * 0.5
    lit = plane + np.linspace(0.0, 0.5, 120)
    kept = np.corrcoef(
        features.flatten(plane)[8:-8, 8:-8].ravel(), features.flatten(lit)[8:-8, 8:-8].ravel()
    )
    assert kept[0, 1] > 0.999


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


def test_the_dense_step_sharpens_what_keypoints_found() -> None:
    pairs = features.matches(*planes(), max_keypoints=2000, ratio=0.8)
    start = features.consensus(pairs, 2.5, 1000, 0.999, seed=0)
    dark, normal = (features.flatten(plane) for plane in planes())
    fit = features.refine(dark, features.template(normal), start, "similarity")
    assert fit.correlation > 0.7
    assert corner_error_px(fit.matrix) < min(0.2, corner_error_px(start))


@pytest.mark.parametrize("model", features.PARAMETERS)
def test_the_dense_step_stays_in_its_family(model: str) -> None:
    dark, normal = (features.flatten(plane) for plane in planes())
    matrix = features.refine(dark, features.template(normal), np.eye(3), model).matrix
    if model != "homography":
        assert np.allclose(matrix[2], [0, 0, 1])
        assert matrix[0, 0] == pytest.approx(matrix[1, 1])
        assert matrix[0, 1] == pytest.approx(-matrix[1, 0])
    if model == "translation":
        assert np.allclose(matrix[:2, :2], np.eye(2))


def test_an_alignment_that_leaves_the_image_says_so_and_keeps_its_start() -> None:
    dark, normal = (features.flatten(plane) for plane in planes())
    far = np.array([[1.0, 0, 400], [0, 1, 0], [0, 0, 1]])
    fit = features.refine(dark, features.template(normal), far, "similarity")
    assert fit.correlation == -1.0
    assert np.array_equal(fit.matrix, far)
