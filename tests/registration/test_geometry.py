import numpy as np
import pytest
from numpy.typing import NDArray

from benchmark.registration.geometry import (
    corners,
    displacement_px,
    inverse,
    largest_rectangle,
    transform,
    valid_mask,
    warp,
)

TILTED = np.array([[1.01, -0.02, 3.0], [0.02, 0.99, -4.0], [1e-5, -2e-5, 1.0]])


def brute_force_area(mask: NDArray[np.bool_]) -> int:
    height, width = mask.shape
    return max(
        (bottom - top) * (right - left)
        for top in range(height)
        for bottom in range(top, height + 1)
        for left in range(width)
        for right in range(left, width + 1)
        if mask[top:bottom, left:right].all()
    )


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9, 1.0])
def test_the_largest_rectangle_equals_brute_force(share: float) -> None:
    rng = np.random.default_rng(int(share * 10))
    for _ in range(12):
        mask = rng.random(rng.integers(1, 9, 2)) < share
        rows, columns = largest_rectangle(mask)
        assert mask[rows, columns].all()
        assert mask[rows, columns].size == brute_force_area(mask)


def test_the_largest_rectangle_of_a_tilted_frame_has_no_larger_one_around_it() -> None:
    mask = valid_mask(TILTED, (60, 90), (60, 90))
    rows, columns = largest_rectangle(mask)
    assert mask[rows, columns].all()
    for grown in (
        np.s_[rows.start - 1 : rows.stop, columns],
        np.s_[rows.start : rows.stop + 1, columns],
        np.s_[rows, columns.start - 1 : columns.stop],
        np.s_[rows, columns.start : columns.stop + 1],
    ):
        assert mask[grown].size <= mask[rows, columns].size or not mask[grown].all()


def test_a_matrix_and_its_inverse_lead_back() -> None:
    points = np.random.default_rng(0).random((20, 2)) * 100
    assert np.allclose(transform(inverse(TILTED), transform(TILTED, points)), points)


def test_corners_are_pixel_centres() -> None:
    assert corners((4, 7, 3)).tolist() == [[0, 0], [6, 0], [0, 3], [6, 3]]


def test_displacement_of_a_rotation_is_that_of_the_farthest_corner() -> None:
    turn = np.array([[np.cos(0.01), -np.sin(0.01), 0], [np.sin(0.01), np.cos(0.01), 0], [0, 0, 1]])
    farthest = 2 * np.sin(0.005) * np.hypot(299, 199)
    assert displacement_px(turn, (200, 300)) == pytest.approx(farthest)


def test_a_whole_pixel_shift_copies_pixels() -> None:
    image = np.random.default_rng(1).random((20, 30, 3)).astype(np.float32)
    shift = np.array([[1.0, 0, 3], [0, 1, -2], [0, 0, 1]])
    moved = warp(image, shift, image.shape)
    assert moved.dtype == np.float32
    assert np.allclose(moved[:-2, 3:], image[2:, :-3], atol=1e-6)


def test_half_a_pixel_has_the_weights_of_keys() -> None:
    line = np.zeros((9, 9), np.float32)
    line[:, 4] = 1.0
    moved = warp(line, np.array([[1, 0, 0.5], [0, 1, 0], [0, 0, 1]]), line.shape)
    assert moved[4, 3:7] == pytest.approx([-0.0625, 0.5625, 0.5625, -0.0625], abs=1e-6)


def test_valid_pixels_do_not_depend_on_what_lies_outside_the_source() -> None:
    rng = np.random.default_rng(2)
    source = rng.random((40, 50)).astype(np.float32)
    place = np.array([[1, 0, -5.0], [0, 1, -5], [0, 0, 1]])  # of the padded image in the source
    matrix = TILTED @ place
    frames = [
        warp(np.pad(source, 5, constant_values=value), matrix / matrix[2, 2], (40, 50))
        for value in (0.0, 1.0)
    ]
    mask = valid_mask(TILTED, (40, 50), (40, 50))
    assert np.allclose(frames[0][mask], frames[1][mask], atol=1e-4)
    assert np.allclose(frames[0][mask], warp(source, TILTED, (40, 50))[mask], atol=1e-4)
    assert not np.allclose(frames[0], frames[1], atol=1e-4)
