"""The blocking effect factor and PSNR-B under both protocols."""

import math

import numpy as np
import pytest
from hypothesis import given
from numpy.testing import assert_allclose
from sewar.full_ref import psnrb

from benchmark.core import jpeg
from benchmark.core.errors import InputError
from benchmark.core.images import Bytes
from benchmark.scoring.metrics import METRICS, blocking_effect_factor, measure
from tests.helpers.pictures import EXAMPLES, flat, grey_of, halves, noisy, pairs, photograph


def yim_bovik_bef(channel: np.ndarray) -> float:
    """Walk over every pair of neighbours, one by one."""
    height, width = channel.shape
    across: list[float] = []
    inside: list[float] = []
    for row in range(height):
        for column in range(width):
            if column + 1 < width:
                step = (channel[row, column] - channel[row, column + 1]) ** 2
                (across if (column + 1) % 8 == 0 else inside).append(step)
            if row + 1 < height:
                step = (channel[row, column] - channel[row + 1, column]) ** 2
                (across if (row + 1) % 8 == 0 else inside).append(step)
    boundary, other = np.mean(across), np.mean(inside)
    return math.log2(8) / math.log2(min(height, width)) * (boundary - other) * (boundary > other)


@pytest.mark.parametrize("size", [(11, 11), (16, 16), (17, 25), (23, 32), (40, 19)])
def test_bef_equals_a_walk_over_every_pair_of_neighbours(size: tuple[int, int]) -> None:
    output = jpeg.compress(photograph(*size, seed=9), 10)
    bef = METRICS["sound", "bef"](output, output)
    assert bef == pytest.approx(yim_bovik_bef(grey_of(output)), rel=1e-9)
    assert bef > 0


@EXAMPLES
@given(pairs())
def test_bef_equals_the_walk_on_any_pixels(pair: tuple[Bytes, Bytes]) -> None:
    expected = yim_bovik_bef(grey_of(pair[0]))
    assert_allclose(METRICS["sound", "bef"](*pair), expected, rtol=1e-9, atol=1e-9)


def test_bef_of_one_block_edge_is_24() -> None:
    # 16 of 32 pairs across a boundary differ by 8: mean 32. Inside: 0. Weight: 3 / 4.
    assert METRICS["sound", "bef"](halves(50, 58), flat(0)) == pytest.approx(24, abs=1e-9)


@pytest.mark.parametrize("column", [7, 9])
def test_an_edge_beside_the_block_grid_is_no_blocking(column: int) -> None:
    assert METRICS["sound", "bef"](halves(50, 58, column), flat(0)) == 0.0


def test_rows_and_columns_of_blocks_count_alike() -> None:
    output = jpeg.compress(photograph(24, 40, seed=10), 10)
    turned = np.ascontiguousarray(output.swapaxes(0, 1))
    bef = METRICS["sound", "bef"]
    assert bef(output, output) == pytest.approx(bef(turned, turned), rel=1e-12)


def test_an_image_of_one_block_has_no_boundary() -> None:
    assert blocking_effect_factor(np.arange(64.0).reshape(8, 8)) == 0.0


def test_bef_grows_as_the_quality_factor_falls() -> None:
    picture = photograph(120, 160, seed=11)
    befs = [METRICS["sound", "bef"](jpeg.compress(picture, qf), picture) for qf in (90, 60, 30, 10)]
    assert befs == sorted(befs)
    assert befs[-1] > 10 * befs[0]


def test_psnr_b_of_one_block_edge() -> None:
    # MSE: half of the pixels differ by 8, so 32; BEF 24 as above.
    expected = 10 * math.log10(255**2 / (32 + 24))
    assert METRICS["sound", "psnr_b"](halves(50, 58), flat(50)) == pytest.approx(expected, abs=1e-9)


def test_psnr_b_joins_the_grey_error_and_the_bef() -> None:
    reference = photograph(37, 53, seed=12)
    output = jpeg.compress(reference, 30)
    error = np.mean((grey_of(output) - grey_of(reference)) ** 2) + yim_bovik_bef(grey_of(output))
    expected = 10 * math.log10(255**2 / error)
    assert METRICS["sound", "psnr_b"](output, reference) == pytest.approx(expected, rel=1e-12)


@EXAMPLES
@given(pairs())
def test_sound_psnr_b_never_exceeds_psnr_on_the_same_grey(pair: tuple[Bytes, Bytes]) -> None:
    values = measure(*pair, "sound")
    error = float(np.mean((grey_of(pair[0]) - grey_of(pair[1])) ** 2))
    grey_psnr = 10 * math.log10(255**2 / error) if error > 1e-12 else math.inf
    if values["bef"] == 0:
        assert values["psnr_b"] == pytest.approx(grey_psnr, rel=1e-9)
    else:
        assert values["psnr_b"] < grey_psnr


@pytest.mark.parametrize("size", [(11, 11), (11, 48), (12, 19), (16, 16), (41, 83)])
@pytest.mark.parametrize("kind", ["noise", "jpeg", "random", "black"])
def test_paper_psnr_b_equals_sewar_on_bgr_to_the_last_digit(
    size: tuple[int, int], kind: str
) -> None:
    reference = photograph(*size, seed=13)
    random = np.random.default_rng(14).integers(0, 256, (*size, 3), dtype=np.uint8)
    outputs = {
        "noise": noisy(reference, seed=15),
        "jpeg": jpeg.compress(reference, 10),
        "random": random,
        "black": random // 100,  # nothing above 2: sewar takes the peak for 1
    }
    output = outputs[kind]
    expected = psnrb(reference[..., ::-1], output[..., ::-1])
    assert METRICS["paper", "psnr_b"](output, reference) == pytest.approx(expected, abs=1e-11)


@EXAMPLES
@given(pairs())
def test_paper_psnr_b_equals_sewar_on_any_pixels(pair: tuple[Bytes, Bytes]) -> None:
    output, reference = pair
    with np.errstate(divide="ignore"):
        expected = psnrb(reference[..., ::-1], output[..., ::-1])
    assert METRICS["paper", "psnr_b"](output, reference) == pytest.approx(expected, abs=1e-9)


def test_paper_psnr_b_looks_at_blue_alone() -> None:
    reference = photograph(24, 24, seed=16)
    output = noisy(reference, seed=17)
    recoloured = output.copy()
    recoloured[..., :2] = 255 - recoloured[..., :2]
    psnr_b = METRICS["paper", "psnr_b"]
    assert psnr_b(recoloured, reference) == psnr_b(output, reference)


def test_paper_psnr_b_misses_a_block_edge_of_16_levels() -> None:
    # 16 squared is 256, which is 0 in uint8: the value is the plain PSNR, MSE 128.
    expected = 10 * math.log10(255**2 / 128)
    output = halves(50, 66)
    assert METRICS["paper", "psnr_b"](output, flat(50)) == pytest.approx(expected, abs=1e-12)
    assert METRICS["sound", "psnr_b"](output, flat(50)) < expected - 1


def test_paper_psnr_b_can_exceed_psnr() -> None:
    output = flat(100)
    output[..., 0] = 140  # red is wrong, blue is right
    values = measure(output, flat(100), "paper")
    assert values["psnr_b"] == math.inf
    assert values["psnr"] < 30


def test_identical_images_with_blocks_have_a_finite_sound_psnr_b() -> None:
    blocky = halves(50, 58)
    expected = 10 * math.log10(255**2 / 24)
    assert METRICS["sound", "psnr_b"](blocky, blocky) == pytest.approx(expected, abs=1e-9)
    assert METRICS["sound", "psnr_b"](flat(50), flat(50)) == math.inf


@pytest.mark.parametrize("protocol", ["paper", "sound"])
def test_psnr_b_looks_for_blocks_in_the_output_alone(protocol: str) -> None:
    blocky, smooth = halves(50, 58), flat(50)
    psnr_b = METRICS[protocol, "psnr_b"]
    assert psnr_b(blocky, smooth) < psnr_b(smooth, blocky)


@pytest.mark.parametrize("key", [("paper", "psnr_b"), ("sound", "psnr_b"), ("sound", "bef")])
def test_images_smaller_than_a_block_are_refused_by_psnr_b(key: tuple[str, str]) -> None:
    with pytest.raises(InputError, match="at least 8 x 8 pixels for"):
        METRICS[key](flat(0, 7, 20), flat(0, 7, 20))
