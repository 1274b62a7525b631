import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage

from benchmark.core import images
from benchmark.core.errors import InputError
from benchmark.data.camera import Camera, darken, to_light, to_srgb

NOISELESS = Camera(white_electrons=1e9, read_electrons=0.0, bits=16)


def flat(level: float, side: int = 200) -> images.Image:
    return np.full((side, side, 3), level, np.float32)


def shadow_noise(pixels: images.Bytes) -> float:
    """Noise of G in 8-bit levels where its surroundings are at 4 to 25, after Immerkaer 1996."""
    green = pixels[..., 1].astype(float)
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])
    around = scipy.ndimage.gaussian_filter(green, 3)
    response = np.abs(scipy.ndimage.convolve(green, mask))
    return float(np.sqrt(np.pi / 2) * response[(around > 4) & (around < 25)].mean() / 6)


def test_to_light_knows_the_published_value_of_middle_grey():
    light = to_light(np.array([0.0, 0.04045, 0.5, 1.0], np.float32))
    assert light == pytest.approx([0.0, 0.0031308, 0.2140411, 1.0], abs=1e-6)


def test_to_srgb_inverts_to_light_on_all_8_bit_codes():
    codes = np.arange(256, dtype=np.uint8)
    assert np.array_equal(images.to_uint8(to_srgb(to_light(images.to_float(codes)))), codes)


def test_a_noiseless_camera_scales_linear_light_by_its_exposure():
    image = np.random.default_rng(0).random((8, 9, 3), np.float32)
    dark = darken(image, replace(NOISELESS, exposure=0.25), np.random.default_rng(0))
    assert to_light(dark) == pytest.approx(0.25 * to_light(image), abs=5e-5)


def test_exposure_one_without_noise_gives_the_image_back():
    image = images.to_float(np.random.default_rng(0).integers(0, 256, (8, 9, 3)).astype(np.uint8))
    same = darken(image, NOISELESS, np.random.default_rng(0))
    assert np.array_equal(images.to_uint8(same), images.to_uint8(image))


def test_overexposure_clips_to_white():
    dark = darken(flat(0.9), replace(NOISELESS, exposure=4.0), np.random.default_rng(0))
    assert (dark == 1.0).all()


def test_white_balance_casts_each_channel_by_its_gain():
    camera = replace(NOISELESS, exposure=0.1, white_balance=(0.5, 1.0, 2.0))
    red, green, blue = to_light(darken(flat(0.8), camera, np.random.default_rng(0))).mean((0, 1))
    assert red / green == pytest.approx(0.5, rel=1e-2)
    assert blue / green == pytest.approx(2.0, rel=1e-2)


def test_shot_noise_variance_is_the_number_of_electrons():
    camera = Camera(exposure=0.5, white_electrons=1000, read_electrons=0.0, bits=16)
    electrons = to_light(darken(flat(1.0), camera, np.random.default_rng(0))) * 1000
    assert electrons.mean() == pytest.approx(500, rel=0.01)
    assert electrons.var() == pytest.approx(500, rel=0.03)


def test_read_noise_does_not_depend_on_the_signal():
    camera = Camera(white_electrons=1e6, read_electrons=20_000.0, bits=16)
    spreads = []
    for exposure in (0.2, 0.4):
        dark = darken(flat(1.0), replace(camera, exposure=exposure), np.random.default_rng(0))
        spreads.append(to_light(dark).std())
    assert spreads == pytest.approx([0.02, 0.02], rel=0.02)


def test_the_converter_leaves_as_many_levels_as_it_has_bits():
    ramp = np.broadcast_to(np.linspace(0, 1, 500, dtype=np.float32)[:, None, None], (500, 4, 3))
    assert len(np.unique(darken(ramp, replace(NOISELESS, bits=3), np.random.default_rng(0)))) == 8


def test_the_same_generator_state_gives_the_same_noise_and_another_does_not():
    first, again, other = (
        darken(flat(0.5, 20), Camera(exposure=0.02), np.random.default_rng(s)) for s in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_darken_returns_float32_in_range_and_leaves_its_input_alone():
    image = np.random.default_rng(0).random((7, 13, 3), np.float32)
    before = image.copy()
    dark = darken(image, Camera(exposure=0.02), np.random.default_rng(0))
    assert (dark.dtype, dark.shape) == (np.float32, (7, 13, 3))
    assert dark.min() >= 0
    assert dark.max() <= 1
    assert np.array_equal(image, before)


@pytest.mark.parametrize(
    "fields",
    [
        {"exposure": 0.0},
        {"exposure": float("nan")},
        {"white_balance": (1.0, -1.0, 1.0)},
        {"white_electrons": 0.0},
        {"read_electrons": -1.0},
        {"bits": 0},
        {"bits": 17},
    ],
)
def test_a_camera_that_cannot_exist_is_refused(fields: dict[str, float]):
    with pytest.raises(InputError, match=r"Camera needs .*, but got"):
        Camera(**fields)


def test_the_default_sensor_has_the_brightness_and_the_noise_of_lol():
    if "MLSM_BENCH_DATA" not in os.environ:
        pytest.skip("MLSM_BENCH_DATA is not set: it names the folder that holds LOL/")
    folder = Path(os.environ["MLSM_BENCH_DATA"]) / "LOL" / "eval15"
    real, simulated = [], []
    for name in ("22.png", "111.png", "547.png", "665.png", "79.png"):
        low, high = images.read_uint8(folder / "low" / name), images.read(folder / "high" / name)
        ratio = to_light(images.to_float(low)).mean((0, 1)) / to_light(high).mean((0, 1))
        camera = Camera(exposure=ratio.mean(), white_balance=tuple(ratio / ratio.mean()))
        dark = images.to_uint8(darken(high, camera, np.random.default_rng(0)))
        real.append((low.mean(), shadow_noise(low)))
        simulated.append((dark.mean(), shadow_noise(dark)))
    assert np.array(simulated)[:, 0] == pytest.approx(np.array(real)[:, 0], rel=0.1)
    assert np.array(simulated)[:, 1] == pytest.approx(np.array(real)[:, 1], rel=0.2)
