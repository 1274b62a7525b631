"""How far two images of a pair lie apart."""

import numpy as np
import pytest
import skimage.data
from scipy import ndimage

from benchmark.audit import misalignment
from benchmark.core.images import Image, to_float
from benchmark.data.camera import Camera, darken

SENSOR = Camera(white_electrons=25_000, read_electrons=3.0, bits=12, exposure=0.02)


def scene(shift: tuple[float, float] = (0.0, 0.0), angle: float = 0.0) -> Image:
    """Cut 180 x 240 pixels out of a photograph, moved by (rows, columns) and turned."""
    photograph = to_float(skimage.data.coffee())
    moved = ndimage.rotate(photograph, angle, reshape=False, order=3, mode="reflect")
    moved = ndimage.shift(moved, (*shift, 0), order=3, mode="reflect")
    return np.clip(moved[100:280, 150:390], 0.0, 1.0).astype(np.float32)


def dark(normal: Image, seed: int = 0) -> Image:
    return darken(normal, SENSOR, np.random.default_rng(seed))


@pytest.mark.parametrize("shift", [(0.8, 0.0), (-1.25, 2.5), (6.0, -3.0)])
def test_a_shift_is_measured_to_a_tenth_of_a_pixel(shift):
    found = misalignment.measure(dark(scene()), scene(shift))
    assert found.shift_px == pytest.approx(np.hypot(*shift), abs=0.1)
    assert found.displacement_px == pytest.approx(np.hypot(*shift), abs=0.3)
    assert found.misaligned


def test_an_aligned_pair_is_not_misaligned():
    found = misalignment.measure(dark(scene()), scene())
    assert found.measurable
    assert found.shift_px < 0.15
    assert not found.misaligned


def test_a_turn_about_the_middle_moves_the_corners_though_nothing_is_shifted():
    turned = ndimage.rotate(scene(), 0.8, axes=(0, 1), reshape=False, order=3, mode="reflect")
    found = misalignment.measure(dark(scene()), np.clip(turned, 0, 1).astype(np.float32))
    assert found.shift_px < 0.3
    assert found.displacement_px == pytest.approx(np.deg2rad(0.8) * 150, abs=0.3)
    assert found.misaligned


def test_nothing_is_said_of_two_scenes():
    other = to_float(skimage.data.chelsea())[50:230, 100:340]
    found = misalignment.measure(dark(scene()), other)
    assert not found.measurable
    assert not found.misaligned


def test_a_flat_image_says_nothing():
    found = misalignment.measure(np.zeros((60, 80, 3), np.float32), scene()[:60, :80])
    assert not found.measurable
