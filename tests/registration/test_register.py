import os
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from scipy import ndimage

from benchmark.core import images
from benchmark.core.images import Image
from benchmark.data import registry
from benchmark.registration import criteria, dense, features
from benchmark.registration.criteria import Measurements, RegistrationSettings
from benchmark.registration.geometry import corners, largest_rectangle, transform, valid_mask, warp
from benchmark.registration.register import (
    Model,
    Registration,
    align,
    apply,
    judge,
    normalised,
    register,
)

SETTINGS = RegistrationSettings()
MARGIN = 30
GOOD = Measurements(
    matches=120,
    cells=9,
    inliers=80,
    inlier_ratio=0.67,
    rmse_px=1.1,
    perspective=0.002,
    determinant=1.01,
    displacement=0.01,
    overlap=0.97,
    gradient_gain=0.2,
    residual_px=0.1,
    structure=0.95,
)
MATRICES = {
    "translation": [[1, 0, 5.3], [0, 1, -3.6], [0, 0, 1]],
    "similarity": [[1.012, -0.02, 3.1], [0.02, 1.012, -6.4], [0, 0, 1]],
    "homography": [[1.01, -0.012, 1.5], [0.015, 0.99, -2.5], [1.4e-5, -1.2e-5, 1]],
}


@cache
def scene(name: str) -> Image:
    photograph = np.ascontiguousarray(getattr(skimage.data, name)()[:400, :512])
    return images.to_float(photograph)


def darkened(image: Image, seed: int) -> Image:
    """A tenth of the light, noise of 1.5 of 255 levels, 8 bits."""
    noise = np.random.default_rng(seed).normal(0.01, 0.006, image.shape)
    dark = 0.1 * np.clip(image, 0.0, 1.0) ** 2.2 + noise
    return images.to_float(images.to_uint8(dark.astype(np.float32)))


def pair(name: str, matrix: NDArray[np.float64]) -> tuple[Image, Image]:
    """A dark image and a normal-light image that `matrix` maps onto it, both free of borders."""
    whole = scene(name)
    frame = whole[MARGIN:-MARGIN, MARGIN:-MARGIN]
    height, width = frame.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    points = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float64)
    x, y = transform(matrix, points).T + MARGIN
    planes = [ndimage.map_coordinates(whole[..., c], (y, x), order=3) for c in range(3)]
    moved = np.stack(planes, axis=-1).reshape(frame.shape)
    return darkened(frame, 1), images.to_float(images.to_uint8(moved))


def corner_error_px(found: Registration, matrix: NDArray[np.float64], image: Image) -> float:
    at = corners(image.shape)
    difference = transform(found.matrix, at) - transform(matrix, at)
    return float(np.linalg.norm(difference, axis=1).max())


@pytest.mark.parametrize(
    ("name", "model"), [*(("coffee", model) for model in MATRICES), ("astronaut", "homography")]
)
def test_a_known_transform_is_recovered_below_half_a_pixel(name: str, model: str) -> None:
    matrix = np.array(MATRICES[model], np.float64)
    dark, normal = pair(name, matrix)
    found = register(dark, normal, SETTINGS, seed=0)
    assert found.accepted, found.reason
    assert corner_error_px(found, matrix, dark) < 0.5
    assert found.rmse_px <= SETTINGS.max_rmse_px
    assert 0.9 < found.overlap <= 1.0


@pytest.mark.parametrize("model", ["translation", "similarity"])
def test_the_simplest_sufficient_model_is_chosen(model: str) -> None:
    dark, normal = pair("coffee", np.array(MATRICES[model], np.float64))
    assert register(dark, normal, SETTINGS, seed=0).model == model


def test_the_matrix_maps_normal_light_pixels_to_the_dark_frame() -> None:
    whole = scene("coffee")
    dark, normal = darkened(whole[20:380, 20:490], 2), whole[14:374, 24:494]
    found = register(dark, normal, SETTINGS, seed=0)
    assert found.matrix[:2, 2] == pytest.approx([4.0, -6.0], abs=0.1)
    assert found.max_displacement_px == pytest.approx(np.hypot(4.0, 6.0), abs=0.1)


def test_a_mispaired_image_is_refused_with_the_number_and_the_threshold() -> None:
    dark, other = darkened(scene("coffee"), 3), scene("astronaut")
    found = register(dark, other, SETTINGS, seed=0)
    assert not found.accepted
    assert found.reason.startswith(("matched keypoints: ", "inliers: "))
    assert "expected at least" in found.reason


def test_an_aligned_pair_keeps_its_pixels() -> None:
    normal = scene("astronaut")
    dark = darkened(normal, 4)
    found = register(dark, normal, SETTINGS, seed=0)
    assert found.accepted, found.reason
    assert found.model == "identity"
    assert np.array_equal(found.matrix, np.eye(3))
    registered = apply(dark, normal, found)
    assert registered.dark is dark
    assert registered.normal is normal


def test_the_same_seed_gives_the_same_registration() -> None:
    dark, normal = pair("coffee", np.array(MATRICES["similarity"], np.float64))
    first, second = (register(dark, normal, SETTINGS, seed=7) for _ in range(2))
    assert np.array_equal(first.matrix, second.matrix)
    assert replace(first, matrix=second.matrix) == second


def test_the_inlier_ratio_is_that_of_the_matches() -> None:
    matrix = np.eye(3)
    assert accepted("identity", matrix).inlier_ratio == pytest.approx(0.9)
    assert np.isnan(replace(accepted("identity", matrix), matches=0, inliers=0).inlier_ratio)


def test_any_estimator_is_judged_by_the_same_criteria() -> None:
    dark, normal = pair("coffee", np.array(MATRICES["translation"], np.float64))
    planes = normalised(dark, normal, SETTINGS)
    pairs = features.matches(*planes, SETTINGS.max_keypoints, SETTINGS.ratio)

    def judged(matrix: list[list[float]]) -> Registration:
        fit = dense.Fit("homography", np.array(matrix, np.float64), 0.0)
        return judge(*planes, pairs, lambda *_: fit, SETTINGS)

    assert judged(MATRICES["translation"]).accepted
    assert judged([[1, 0, 15.3], [0, 1, -3.6], [0, 0, 1]]).reason.startswith("inlier")


def test_inputs_are_left_alone() -> None:
    dark, normal = pair("coffee", np.array(MATRICES["homography"], np.float64))
    copies = dark.copy(), normal.copy()
    apply(dark, normal, register(dark, normal, SETTINGS, seed=0))
    assert np.array_equal(dark, copies[0])
    assert np.array_equal(normal, copies[1])


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 13, 3), (200, 300, 3)])
@pytest.mark.parametrize("value", [0.0, 0.3])
def test_an_image_without_features_is_refused(shape: tuple[int, ...], value: float) -> None:
    flat = np.full(shape, value, np.float32)
    found = register(flat, flat, SETTINGS, seed=0)
    assert not found.accepted
    assert found.reason == "matched keypoints: 0, expected at least 30"


def test_noise_against_a_photograph_is_refused() -> None:
    noise = np.random.default_rng(0).random((400, 512, 3)).astype(np.float32)
    assert not register(noise, scene("coffee"), SETTINGS, seed=0).accepted


def test_images_of_two_sizes_are_cropped_to_one() -> None:
    whole = scene("coffee")
    dark, normal = darkened(whole, 5), whole[:392, :500]
    found = register(dark, normal, SETTINGS, seed=0)
    assert found.accepted, found.reason
    registered = apply(dark, normal, found)
    assert registered.dark.shape == registered.normal.shape == (392, 500, 3)
    assert np.array_equal(registered.normal, normal)


def test_both_outputs_are_one_size_and_the_dark_pixels_are_untouched() -> None:
    dark, normal = pair("coffee", np.array(MATRICES["similarity"], np.float64))
    registered = apply(dark, normal, register(dark, normal, SETTINGS, seed=0))
    height, width = registered.dark.shape[:2]
    assert registered.normal.shape == registered.dark.shape
    assert registered.normal.dtype == registered.dark.dtype == np.float32
    windows = np.lib.stride_tricks.sliding_window_view(dark[..., 0], (height, width))
    assert (windows == registered.dark[..., 0]).all(axis=(2, 3)).any()


def accepted(model: Model, matrix: NDArray[np.float64]) -> Registration:
    return Registration(True, "", model, matrix, 100, 90, 1.0, 0.95, 5.0, GOOD)


def test_no_border_pixel_is_invented() -> None:
    matrix = np.array(MATRICES["homography"], np.float64)
    dark, normal = pair("coffee", matrix)
    found = accepted("homography", matrix)
    padded = np.pad(normal, ((9, 9), (9, 9), (0, 0)))
    place = matrix @ np.array([[1, 0, -9], [0, 1, -9], [0, 0, 1]])
    rows, columns = largest_rectangle(valid_mask(matrix, dark.shape, normal.shape))
    other_border = warp(padded, place / place[2, 2], dark.shape)[rows, columns]
    assert np.allclose(apply(dark, normal, found).normal, np.clip(other_border, 0, 1), atol=1e-4)


def test_bicubic_overshoot_is_clipped() -> None:
    board = np.zeros((64, 64, 3), np.float32)
    board[::8] = board[:, ::8] = 1.0
    shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    unclipped = warp(board, shift, board.shape)
    assert unclipped.min() < 0.0
    warped = apply(board, board, accepted("translation", shift)).normal
    assert warped.min() >= 0.0
    assert warped.max() <= 1.0


def test_a_refused_registration_cannot_be_applied() -> None:
    flat = np.zeros((40, 40, 3), np.float32)
    with pytest.raises(ValueError, match="matched keypoints: 0"):
        apply(flat, flat, register(flat, flat, SETTINGS, seed=0))


def test_good_evidence_is_not_refused() -> None:
    assert criteria.refusal(GOOD, SETTINGS) == ""


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("matches", 29, "matched keypoints: 29, expected at least 30"),
        ("cells", 3, "cells of the 3x3 grid with matches: 3, expected at least 4"),
        ("inliers", 14, "inliers: 14, expected at least 15"),
        ("inlier_ratio", 0.14, "inlier ratio: 0.14, expected at least 0.15"),
        ("rmse_px", 1.7, "RMSE of the inliers in px: 1.7, expected at most 1.6"),
        ("perspective", 0.011, "perspective: 0.011, expected at most 0.01"),
        ("determinant", 0.94, "area scale: 0.94, expected at least 0.95"),
        ("determinant", 1.06, "area scale: 1.06, expected at most 1.05"),
        ("displacement", 0.06, "displacement over diagonal: 0.06, expected at most 0.05"),
        ("overlap", 0.89, "overlap: 0.89, expected at least 0.9"),
        ("gradient_gain", -0.01, "gain in gradient correlation: -0.01, expected at least -0.001"),
        ("residual_px", 1.1, "shift left after warping in px: 1.1, expected at most 1"),
        ("structure", 0.7, "correlation of structure: 0.7, expected at least 0.8"),
        ("rmse_px", float("nan"), "RMSE of the inliers in px: nan, expected at least 0"),
    ],
)
def test_each_criterion_refuses_on_its_own(field: str, value: float, reason: str) -> None:
    assert criteria.refusal(replace(GOOD, **{field: value}), SETTINGS) == reason


def test_numbers_that_were_not_measured_are_not_judged() -> None:
    assert criteria.refusal(Measurements(matches=30, cells=4), SETTINGS) == ""


@pytest.mark.parametrize(
    ("matrix", "reason"),
    [
        (np.array([[1, 0, 45.0], [0, 1, 0], [0, 0, 1]]), "displacement over diagonal"),
        (np.array([[1.04, 0, -9], [0, 1.04, -8], [0, 0, 1]]), "area scale"),
    ],
)
def test_a_true_pair_beyond_the_limits_is_refused(matrix: NDArray[np.float64], reason: str) -> None:
    whole = scene("coffee")
    frame = warp(whole, matrix, whole.shape)
    dark = darkened(frame[20:-20, 60:-20], 6)
    found = register(dark, whole[20:-20, 60:-20], SETTINGS, seed=0)
    assert found.reason.startswith(reason)


def test_a_wrong_alignment_is_caught_after_warping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keypoint criteria wide open: the overlaid images alone must refuse a shift of 4 px."""
    dark, normal = pair("coffee", np.array(MATRICES["similarity"], np.float64))
    aligned = dense.refine

    def astray(*arguments: object) -> dense.Fit:
        fit = aligned(*arguments)  # type: ignore[arg-type]
        off = np.array([[1, 0, 4.0], [0, 1, 0], [0, 0, 1]])
        return fit._replace(matrix=off @ fit.matrix)

    monkeypatch.setattr(dense, "refine", astray)
    blind = replace(SETTINGS, inlier_px=20.0, max_rmse_px=20.0)
    assert register(dark, normal, blind, 0).reason.startswith("gain in gradient correlation: -")
    blinder = replace(blind, min_gradient_gain=-2.0)
    assert register(dark, normal, blinder, 0).reason.startswith("shift left after warping in px: 4")


@pytest.mark.slow
@pytest.mark.skipif("MLSM_BENCH_DATA" not in os.environ, reason="MLSM_BENCH_DATA is not set")
def test_real_dark_images_register_and_mispairs_do_not() -> None:
    root = registry.find("LOL", registry.raw_roots(None))
    names = ["722", "715", "241", "95", "680", "692"]
    found = (
        {} if root is None else {pair.name: pair for pair in registry.read("LOL", [root.parent])}
    )
    if not all(name in found for name in names):
        pytest.skip(f"MLSM_BENCH_DATA lacks the LOL training pairs {', '.join(names)}")
    darks = [images.read(found[name].dark) for name in names]
    normals = [images.read(found[name].normal) for name in names]
    for index, dark in enumerate(darks):
        true = register(dark[6:], normals[index][:-6], SETTINGS, seed=0)
        assert true.accepted, f"{names[index]}: {true.reason}"
        assert true.matrix[:2, 2] == pytest.approx([0.0, -6.0], abs=0.5), names[index]
        assert not register(dark, normals[index - 1], SETTINGS, seed=0).accepted, names[index]


def test_a_homography_of_implausible_perspective_gives_way_to_a_simpler_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bent = np.array([[1, 0, 0], [0, 1, 0], [1e-4, 0, 1.0]])
    moved = np.array([[1, 0, 2.0], [0, 1, 0], [0, 0, 1.0]])
    fits = (
        dense.Fit("translation", np.eye(3), 0.1),
        dense.Fit("similarity", moved, 0.8),
        dense.Fit("homography", bent, 0.9),
    )
    monkeypatch.setattr("benchmark.registration.register._fits", lambda dark, normal, start: fits)
    plane, at = np.zeros((300, 400)), np.random.default_rng(0).uniform(0, 300, (40, 2))
    pairs = features.Matches(at, transform(bent, at))
    assert criteria.perspective(bent, plane.shape) > SETTINGS.max_perspective
    found = align(plane, plane, pairs, np.eye(3), SETTINGS)
    assert found.model == "similarity"
    loose = replace(SETTINGS, max_perspective=1.0)
    assert align(plane, plane, pairs, np.eye(3), loose).model == "homography"
