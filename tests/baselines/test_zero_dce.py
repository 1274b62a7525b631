"""Zero-DCE: its network, its four losses and the authors' weights."""

import math

import pytest
import torch

from baselines import zero_dce, zero_dce_pp
from tests.helpers import networks


@pytest.fixture
def network():
    return networks.recipe("zero_dce").network


def test_the_width_is_a_setting():
    assert zero_dce.recipe("model", {}, width=8).network.convs[0].out_channels == 8


def test_there_are_eight_curves_of_three_channels_between_minus_one_and_one(network):
    curves = network.curves(networks.dark(32).input)
    assert curves.shape == (2, 24, 32, 32)
    assert curves.abs().max() <= 1


def test_curves_are_applied_one_after_the_other():
    image, value = torch.tensor([0.1, 0.2, 0.3]), [0.1, 0.2, 0.3]
    curves = torch.linspace(-1, 1, 24)
    for step in range(8):
        value = [
            x + float(curves[3 * step + channel]) * (x * x - x) for channel, x in enumerate(value)
        ]
    found = zero_dce.bend(image.view(1, 3, 1, 1), curves.view(1, 24, 1, 1))
    assert found.flatten().tolist() == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_curves_keep_the_range(seed):
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(1, 3, 8, 8, generator=generator)
    curves = 2 * torch.rand(1, 24, 8, 8, generator=generator) - 1
    found = zero_dce.bend(image, curves)
    assert found.min() >= 0
    assert found.max() <= 1


def test_spatial_consistency_by_hand():
    image = torch.zeros(1, 3, 8, 8)
    output = image.clone()
    output[..., :4, :4] = 0.5  # one of four regions; two pairs of neighbours, seen from both ends
    frame = 2 * 0.5**2  # above it and to its left
    found = zero_dce.spatial_consistency(output, image)
    assert found.item() == pytest.approx((4 * 0.5**2 + frame) / 4)


def test_the_frame_sees_a_common_shift_and_the_inside_does_not():
    image = networks.dark(32).input  # 8 x 8 regions: 32 sides at the frame
    found = zero_dce.spatial_consistency(image + 0.25, image)
    assert found.item() == pytest.approx(32 * 0.25**2 / 64, rel=1e-5)


def test_exposure_by_hand():
    output = torch.full((1, 3, 16, 32), 0.6)
    output[..., 16:] = 0.2
    assert zero_dce.exposure(output).item() == pytest.approx(0.4**2 / 2, rel=1e-5)


def test_colour_constancy_by_hand():
    output = torch.tensor([0.5, 0.3, 0.2]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    expected = math.sqrt(0.2**4 + 0.3**4 + 0.1**4)
    assert zero_dce.colour_constancy(output).item() == pytest.approx(expected, rel=1e-5)


def test_colour_constancy_has_a_gradient_on_grey_images():
    output = torch.full((1, 3, 4, 4), 0.5, requires_grad=True)
    zero_dce.colour_constancy(output).backward()
    assert torch.isfinite(output.grad).all()


def test_curve_smoothness_by_hand():
    curves = torch.zeros(2, 24, 3, 4)
    curves[0, 5, 1, 2] = 0.5  # two vertical and two horizontal differences
    vertical, horizontal = 2 * 0.25 / (2 * 4), 2 * 0.25 / (3 * 3)
    expected = 2 * (vertical + horizontal) / 2  # over a batch of 2
    assert zero_dce.curve_smoothness(curves).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("module", "curves_of", "bend", "smoothness"),
    [
        (zero_dce, "curves", zero_dce.bend, 200),
        (zero_dce_pp, "curve", zero_dce_pp.brightened, 1600),
    ],
    ids=["zero_dce", "zero_dce_pp"],
)
def test_the_losses_have_the_published_weights(module, curves_of, bend, smoothness):
    network, image = module.recipe("model", {}).network, networks.dark(32).input
    curves = getattr(network, curves_of)(image)
    output = bend(image, curves)
    terms = module._loss(network, networks.dark(32))
    assert {name: value.item() for name, value in terms.items()} == pytest.approx(
        {
            "spatial": zero_dce.spatial_consistency(output, image).item(),
            "exposure": 10 * zero_dce.exposure(output).item(),
            "colour": 5 * zero_dce.colour_constancy(output).item(),
            "smoothness": smoothness * zero_dce.curve_smoothness(curves).item(),
        }
    )


def test_weights_start_small(network):
    values = torch.cat([conv.weight.flatten() for conv in network.convs])
    assert values.std().item() == pytest.approx(0.02, rel=0.03)


def test_the_network_learns_to_brighten_two_images(tmp_path):
    made, batch = networks.recipe("zero_dce", width=8), networks.dark(32)
    log = networks.trained(made, batch, 150, tmp_path, rate=2e-3, log_every=50)
    assert log[-1]["train/exposure"] < 0.5 * log[0]["train/exposure"]
    assert made.network(batch.input).mean() > 2 * batch.input.mean()
