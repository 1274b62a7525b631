"""RetinexDIP: its two networks, its loss, and what it makes of the illumination."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from baselines import retinexdip
from benchmark import methods
from benchmark.core.errors import InputError

DTYPES = (torch.float32, torch.float64)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def dark_image(height=40, width=56):
    """A dark picture, lit from the left."""
    light = np.linspace(0.3, 0.02, width, dtype=np.float32)[None, :, None]
    cells = np.random.default_rng(0).random((height // 8, width // 8, 3), np.float32)
    return light * cells.repeat(8, 0).repeat(8, 1)


def method(**settings):
    return methods.find("retinexdip")(**{"side": 64, "iterations": 20} | settings)


@pytest.mark.parametrize(
    ("widths", "count"),
    [(retinexdip.REFLECTANCE, 565_491), (retinexdip.ILLUMINATION, 141_683)],
)
def test_the_networks_have_the_published_sizes(widths, count):
    network = retinexdip.initialised(widths, generator())
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_both_networks_together_have_the_published_size():
    assert round((565_491 + 141_683) / 1e6, 3) == 0.707


def test_halving_equals_a_convolution_and_a_mean_over_four_pixels():
    halve = retinexdip._Halve(3, 5, 3)
    image = torch.rand(2, 3, 8, 12, generator=generator())
    full = nn.functional.conv2d(image, halve.weight, halve.bias, padding=1)
    expected = nn.functional.avg_pool2d(full, 2)
    torch.testing.assert_close(halve(image), expected)


def test_an_hourglass_keeps_the_size_and_stays_between_zero_and_one():
    network = retinexdip.initialised(retinexdip.REFLECTANCE, generator())
    output = network(torch.rand(1, 3, 64, 96, generator=generator()))
    assert output.shape == (1, 3, 64, 96)
    assert output.min() > 0
    assert output.max() < 1


def test_the_gradient_reaches_every_weight():
    network = retinexdip.initialised(retinexdip.ILLUMINATION, generator())
    network(torch.rand(1, 3, 64, 64, generator=generator())).square().mean().backward()
    weights = {name: p for name, p in network.named_parameters() if name.endswith("weight")}
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in weights.values())


def test_convolutions_start_with_the_published_spread():
    network = retinexdip.initialised(retinexdip.REFLECTANCE, generator())
    conv = network.down[4][3]  # 128 to 128 channels
    assert conv.weight.std().item() == pytest.approx(0.5 * math.sqrt(2 / (9 * 128)), rel=0.02)
    assert not conv.bias.any()


def test_total_variation_by_hand():
    image = torch.zeros(1, 1, 2, 3)
    image[0, 0, 1, 2] = 0.6  # one of three vertical neighbours, one of four horizontal ones
    found = retinexdip.total_variation(image)
    assert found.item() == pytest.approx(0.6 / 3 + 0.6 / 4)


def test_an_edge_of_the_guide_makes_an_edge_cheaper():
    image, guide = torch.zeros(1, 1, 2, 3), torch.zeros(1, 1, 2, 3)
    image[0, 0, 1, 2], guide[0, 0, 1, 2] = 0.6, 0.5
    found = retinexdip.total_variation(image, guide)
    assert found.item() == pytest.approx((0.6 / 3 + 0.6 / 4) * math.exp(-0.5))


def test_the_loss_of_a_perfect_split_of_an_even_image_is_zero():
    image = torch.tensor([0.2, 0.4, 0.1]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    illumination = torch.full_like(image, 0.4)
    found = sum(retinexdip.terms(illumination, image / illumination, image).values())
    assert found.item() == pytest.approx(0, abs=1e-12)


def test_the_loss_by_hand():
    image = torch.zeros(1, 3, 2, 2)
    illumination, reflectance = torch.full_like(image, 0.5), torch.full_like(image, 0.25)
    reflectance[..., 0, 0] = 0.75
    product = (3 * 0.125**2 + 0.375**2) / 4
    reflectance_variation = 1e-4 * (0.5 / 2 + 0.5 / 2)
    nearness = 0.5 * (0.5 - 1 / 255) ** 2  # black counts as one level
    found = retinexdip.terms(illumination, reflectance, image)
    assert {name: term.item() for name, term in found.items()} == pytest.approx(
        {
            "smoothness": 0,  # the illumination is even
            "reflectance": reflectance_variation,
            "brightest": nearness,
            "product": product,
        },
        rel=1e-5,
    )


def test_the_fit_approaches_the_brightest_channel():
    image = torch.rand(1, 3, 64, 64, generator=generator()) * 0.2
    errors = [
        (retinexdip.illuminate(image, count, 0) - image.amax(1, keepdim=True)).abs().mean()
        for count in (1, 30)
    ]
    assert errors[1] < 0.5 * errors[0]


def test_a_fit_follows_from_its_seed_and_leaves_the_global_one_alone():
    image = torch.full((1, 3, 64, 64), 0.1)
    before = torch.get_rng_state()
    first, again, other = (retinexdip.illuminate(image, 2, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_networks_see_noise_around_zero_and_a_little_more_in_every_iteration(monkeypatch):
    seen, forward = [], retinexdip.Hourglass.forward
    monkeypatch.setattr(
        retinexdip.Hourglass,
        "forward",
        lambda self, noise: (seen.append(noise), forward(self, noise))[1],
    )
    retinexdip.illuminate(torch.full((1, 3, 64, 64), 0.1), 2, 0)
    first, second, again, _ = seen  # both networks, twice
    for noise in (first, second):
        assert noise.abs().max().item() == pytest.approx(0.005, rel=0.1)
        assert noise.mean().item() == pytest.approx(0, abs=1e-4)
    assert not torch.equal(first, second)
    assert (again - first).std().item() == pytest.approx(1e-4 * math.sqrt(2), rel=0.03)


def test_a_fit_in_64_bits_starts_from_the_same_numbers_as_one_in_32():
    image = torch.rand(1, 3, 64, 64, generator=generator()) * 0.2
    single, double = (retinexdip.illuminate(image.to(dtype), 1, 0) for dtype in DTYPES)
    assert (single.dtype, double.dtype) == DTYPES
    assert (single - double).abs().max() < 1e-3  # rounding; other numbers would be 0.1 apart


@pytest.mark.parametrize("double", [False, True])
def test_the_precision_of_the_fit_is_a_setting(monkeypatch, double):
    dtypes = []

    def illuminate(image, iterations, seed):
        dtypes.append(image.dtype)
        return image

    monkeypatch.setattr(retinexdip, "illuminate", illuminate)
    output = method(double=double)(dark_image())
    assert dtypes == [DTYPES[double]]
    assert output.dtype == np.float32


def test_brightening_divides_by_the_root_of_the_illumination_in_eight_bits():
    image = np.full((1, 2, 3), 0.1, np.float32)
    light = np.array([[64 / 255, 1.0]], np.float32)
    found = retinexdip.brighten(image, light)
    root = round(255 * math.sqrt(64 / 255)) / 255
    assert found.dtype == np.float32
    assert found[0, :, 0].tolist() == pytest.approx([0.1 / root, 0.1])


def test_without_light_black_stays_black_and_the_rest_turns_white():
    image = np.array([[[0.0, 0.1, 0.5]]], np.float32)
    found = retinexdip.brighten(image, np.zeros((1, 1), np.float32))
    assert found[0, 0].tolist() == [0.0, 1.0, 1.0]


@pytest.mark.parametrize(("stretch", "expected"), [(True, 1.0), (False, 0.64)])
def test_the_illumination_is_stretched_to_the_full_range_if_asked(monkeypatch, stretch, expected):
    light = torch.linspace(0.16, 0.64, 64).expand(1, 3, 64, 64)
    monkeypatch.setattr(retinexdip, "illuminate", lambda *_: light)
    image = np.full((64, 64, 3), 0.05, np.float32)
    output = method(stretch=stretch)(image)
    assert output[0, -1, 0] == pytest.approx(0.05 / math.sqrt(expected), rel=0.01)


def test_a_dark_image_turns_brighter():
    image = dark_image()
    assert method()(image).mean() > 1.3 * image.mean()


@pytest.mark.parametrize("settings", [{"side": 32}, {"side": 100}, {"iterations": 0}])
def test_settings_that_cannot_work_are_refused(settings):
    with pytest.raises(InputError, match="multiple of 32"):
        method(**settings)


def test_the_published_settings_are_the_default():
    build = methods.find("retinexdip").build
    assert build.__defaults__ == (512, 300, True, 0, False)
