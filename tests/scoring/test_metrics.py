import math
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from numpy.testing import assert_allclose
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from benchmark.core import jpeg
from benchmark.core.errors import InputError
from benchmark.core.images import Bytes, read_uint8
from benchmark.scoring.metrics import METRICS, measure
from tests.helpers.pictures import EXAMPLES, flat, grey_of, noisy, pairs, photograph

SIZES = [(11, 11), (11, 48), (12, 19), (16, 16), (34, 35), (35, 34), (58, 59), (41, 83), (100, 150)]
SOUND = ["psnr", "ssim", "psnr_b", "ssim_rgb", "bef"]
PAPER = ["psnr", "ssim", "psnr_b"]


def wang_ssim(first: np.ndarray, second: np.ndarray, channel_axis: int | None = None) -> float:
    return structural_similarity(
        first,
        second,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=channel_axis,
    )


@pytest.mark.parametrize("protocol", ["paper", "sound"])
@pytest.mark.parametrize("size", SIZES)
def test_psnr_equals_scikit_image(protocol: str, size: tuple[int, int]) -> None:
    reference = photograph(*size, seed=1)
    output = noisy(reference, seed=2)
    expected = peak_signal_noise_ratio(reference, output, data_range=255)
    assert_allclose(METRICS[protocol, "psnr"](output, reference), expected, rtol=1e-13)


def test_psnr_of_a_difference_of_ten_everywhere_is_28_13_db() -> None:
    expected = 20 * math.log10(25.5)
    assert METRICS["sound", "psnr"](flat(90), flat(100)) == pytest.approx(expected, abs=1e-12)


def test_psnr_of_black_against_white_is_zero_both_ways() -> None:
    psnr = METRICS["sound", "psnr"]
    assert (psnr(flat(0), flat(255)), psnr(flat(255), flat(0))) == (0.0, 0.0)


def test_psnr_takes_one_mean_squared_error_over_the_three_channels() -> None:
    output = flat(100)
    output[..., 2] = 130  # squared errors 0, 0, 900
    expected = 10 * math.log10(255**2 / 300)
    assert METRICS["paper", "psnr"](output, flat(100)) == pytest.approx(expected, abs=1e-12)


def test_psnr_needs_one_pixel_only() -> None:
    assert METRICS["sound", "psnr"](flat(0, 1, 1), flat(255, 1, 1)) == 0.0


@pytest.mark.parametrize("size", SIZES)
def test_sound_ssim_equals_scikit_image_on_unrounded_grey(size: tuple[int, int]) -> None:
    reference = photograph(*size, seed=3)
    output = noisy(reference, seed=4)
    expected = wang_ssim(grey_of(output), grey_of(reference))
    assert_allclose(METRICS["sound", "ssim"](output, reference), expected, atol=1e-12)


@pytest.mark.parametrize("size", SIZES)
def test_paper_ssim_equals_scikit_image_on_rounded_grey(size: tuple[int, int]) -> None:
    reference = photograph(*size, seed=5)
    output = noisy(reference, seed=6)
    rounded = [
        np.floor(np.round(grey_of(x), 6) + 0.5).astype(np.uint8) for x in (output, reference)
    ]
    assert_allclose(METRICS["paper", "ssim"](output, reference), wang_ssim(*rounded), atol=1e-12)


@pytest.mark.parametrize("size", SIZES)
def test_ssim_rgb_equals_scikit_images_mean_over_channels(size: tuple[int, int]) -> None:
    reference = photograph(*size, seed=7)
    output = noisy(reference, seed=8)
    expected = wang_ssim(output, reference, channel_axis=2)
    assert_allclose(METRICS["sound", "ssim_rgb"](output, reference), expected, atol=1e-12)


@EXAMPLES
@given(pairs())
def test_ssim_equals_scikit_image_on_any_pixels(pair: tuple[Bytes, Bytes]) -> None:
    expected = wang_ssim(*pair, channel_axis=2)
    assert_allclose(METRICS["sound", "ssim_rgb"](*pair), expected, atol=1e-9)


def test_ssim_of_two_constants_is_the_luminance_term() -> None:
    c1 = 2.55**2
    expected = (2 * 60 * 200 + c1) / (60**2 + 200**2 + c1)
    for key in [("paper", "ssim"), ("sound", "ssim"), ("sound", "ssim_rgb")]:
        assert METRICS[key](flat(60), flat(200)) == pytest.approx(expected, abs=1e-9)


def test_only_the_paper_protocol_rounds_grey() -> None:
    reference, output = flat(100), flat(100)
    output[..., 2] = 104  # grey 100.456: rounds to the reference
    assert METRICS["paper", "ssim"](output, reference) == pytest.approx(1, abs=1e-12)
    assert METRICS["sound", "ssim"](output, reference) < 1 - 1e-7


def test_identical_images_have_infinite_psnr_and_ssim_one() -> None:
    picture = photograph(40, 30, seed=18)
    for protocol in ("paper", "sound"):
        values = measure(picture, picture, protocol)
        assert values["psnr"] == math.inf
        assert values["ssim"] == pytest.approx(1, abs=1e-12)


@EXAMPLES
@given(pairs())
def test_psnr_and_ssim_do_not_care_which_image_is_the_reference(pair: tuple[Bytes, Bytes]) -> None:
    output, reference = pair
    for key in [("paper", "psnr"), ("paper", "ssim"), ("sound", "ssim"), ("sound", "ssim_rgb")]:
        swapped = METRICS[key](reference, output)
        assert METRICS[key](output, reference) == pytest.approx(swapped, abs=1e-9)


@pytest.mark.parametrize(("protocol", "names"), [("paper", PAPER), ("sound", SOUND)])
def test_measure_returns_what_the_single_metrics_return(protocol: str, names: list[str]) -> None:
    reference = photograph(45, 67, seed=19)
    output = jpeg.compress(reference, 40)
    values = measure(output, reference, protocol)
    assert list(values) == names
    assert values == {name: METRICS[protocol, name](output, reference) for name in names}
    assert all(type(value) is float for value in values.values())


def test_metrics_holds_the_two_protocols() -> None:
    expected = [("paper", name) for name in PAPER] + [("sound", name) for name in SOUND]
    assert list(METRICS) == expected


def test_the_images_are_left_as_they_were() -> None:
    output, reference = photograph(20, 20, seed=20), photograph(20, 20, seed=21)
    before = output.copy(), reference.copy()
    for pixels in (output, reference):
        pixels.flags.writeable = False
    measure(output, reference, "paper")
    measure(output, reference, "sound")
    np.testing.assert_array_equal([output, reference], before)


@pytest.mark.parametrize("protocol", ["paper", "sound"])
def test_strided_views_measure_like_copies(protocol: str) -> None:
    large = photograph(60, 80, seed=22)
    view, other = large[::2, ::-2], large[1::2, ::-2]
    copied = measure(view.copy(), other.copy(), protocol)
    assert measure(view, other, protocol) == pytest.approx(copied, rel=1e-12)


def test_a_metric_travels_to_another_process() -> None:
    psnr = pickle.loads(pickle.dumps(METRICS["paper", "psnr"]))
    assert psnr(flat(0), flat(255)) == 0.0


@pytest.mark.parametrize(
    "wrong",
    [
        flat(1).astype(np.float32),
        flat(1)[..., 0],
        flat(1)[..., :2],
        np.zeros((16, 16, 4), np.uint8),
        np.zeros((0, 16, 3), np.uint8),
    ],
)
def test_arrays_that_are_not_uint8_rgb_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"Argument `output` must be uint8 of shape \(H, W, 3\)"):
        measure(wrong, flat(1), "sound")
    with pytest.raises(ValueError, match="Argument `reference` must be uint8"):
        METRICS["paper", "psnr"](flat(1), wrong)


def test_images_of_different_sizes_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"Argument `output` must .*\(16, 16\), but got \(16, 17\)"
    ):
        measure(flat(0, 16, 17), flat(0), "paper")


@pytest.mark.parametrize("protocol", ["paper", "sound"])
@pytest.mark.parametrize("size", [(10, 40), (40, 10)])
def test_images_smaller_than_the_ssim_window_are_refused(
    protocol: str, size: tuple[int, int]
) -> None:
    with pytest.raises(InputError, match="at least 11 x 11 pixels for SSIM, but got"):
        measure(flat(0, *size), flat(0, *size), protocol)


def test_an_unknown_protocol_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"one of \['paper', 'sound'\], but got 'papre'"):
        measure(flat(0), flat(0), "papre")


@pytest.mark.skipif("MLSM_BENCH_DATA" not in os.environ, reason="MLSM_BENCH_DATA is not set")
def test_the_dark_images_of_lol_average_their_published_7_77_db() -> None:
    root = Path(os.environ["MLSM_BENCH_DATA"]) / "LOL" / "eval15"
    values = [
        METRICS["paper", "psnr"](read_uint8(path), read_uint8(root / "high" / path.name))
        for path in sorted((root / "low").glob("*.png"))
    ]
    assert len(values) == 15
    assert np.mean(values) == pytest.approx(7.7733, abs=5e-5)
