import numpy as np
import pytest

from benchmark.registration import dense, features
from tests.helpers.dark_pair import corner_error_px, planes


def test_flattening_removes_slow_changes_of_light() -> None:
    plane = np.random.default_rng(0).random((80, 120)) * 0.5
    lit = plane + np.linspace(0.0, 0.5, 120)
    kept = np.corrcoef(
        dense.flatten(plane)[8:-8, 8:-8].ravel(), dense.flatten(lit)[8:-8, 8:-8].ravel()
    )
    assert kept[0, 1] > 0.999


def test_the_dense_step_sharpens_what_keypoints_found() -> None:
    pairs = features.matches(*planes(), max_keypoints=2000, ratio=0.8)
    start = features.consensus(pairs, 2.5, 1000, 0.999, seed=0)
    dark, normal = (dense.flatten(plane) for plane in planes())
    fit = dense.refine(dark, dense.template(normal), start, "similarity")
    assert fit.correlation > 0.7
    assert corner_error_px(fit.matrix) < min(0.2, corner_error_px(start))


@pytest.mark.parametrize("model", dense.PARAMETERS)
def test_the_dense_step_stays_in_its_family(model: str) -> None:
    dark, normal = (dense.flatten(plane) for plane in planes())
    matrix = dense.refine(dark, dense.template(normal), np.eye(3), model).matrix
    if model != "homography":
        assert np.allclose(matrix[2], [0, 0, 1])
        assert matrix[0, 0] == pytest.approx(matrix[1, 1])
        assert matrix[0, 1] == pytest.approx(-matrix[1, 0])
    if model == "translation":
        assert np.allclose(matrix[:2, :2], np.eye(2))


def test_an_alignment_that_leaves_the_image_says_so_and_keeps_its_start() -> None:
    dark, normal = (dense.flatten(plane) for plane in planes())
    far = np.array([[1.0, 0, 400], [0, 1, 0], [0, 0, 1]])
    fit = dense.refine(dark, dense.template(normal), far, "similarity")
    assert fit.correlation == -1.0
    assert np.array_equal(fit.matrix, far)
