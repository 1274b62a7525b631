"""Zero-DCE++: its network, the small copy it looks at, its losses and the authors' weights."""

import pytest
import torch
from torch.nn import functional

from baselines import zero_dce_pp
from tests.helpers import networks


@pytest.fixture
def network():
    return networks.recipe("zero_dce_pp").network


def test_one_curve_is_applied_eight_times():
    image, value, curve = torch.tensor([0.1, 0.2, 0.3]), [0.1, 0.2, 0.3], [-0.5, 0.1, -1.0]
    for _ in range(8):
        value = [x + a * (x * x - x) for x, a in zip(value, curve, strict=True)]
    found = zero_dce_pp.brightened(image.view(1, 3, 1, 1), torch.tensor(curve).view(1, 3, 1, 1))
    assert found.flatten().tolist() == pytest.approx(value, abs=1e-6)


def test_channels_are_convolved_on_their_own_first():
    depthwise, pointwise = zero_dce_pp.Separable(4, 6)
    assert depthwise.weight.shape == (4, 1, 3, 3)
    assert pointwise.weight.shape == (6, 4, 1, 1)


def test_curves_lie_between_minus_one_and_one(network):
    curve = network.curve(networks.dark(32).input)
    assert curve.shape == (2, 3, 32, 32)
    assert curve.abs().max() <= 1


def test_curves_are_drawn_on_a_small_copy(network):
    assert network.scale == 12  # as published
    network.scale, image = 4, networks.dark(32).input
    small = functional.interpolate(image, (8, 8), mode="bilinear")
    curve = functional.interpolate(
        network.curve(small), (32, 32), mode="bilinear", align_corners=True
    )
    assert torch.allclose(network(image), zero_dce_pp.brightened(image, curve), atol=1e-6)


def test_a_border_makes_up_for_sizes_that_are_no_multiple(network):
    network.scale, image = 4, networks.dark(32).input
    cut = image[..., :30, :29]
    padded = functional.pad(cut, (0, 3, 0, 2), mode="replicate")
    assert torch.allclose(network(cut), network(padded)[..., :30, :29], atol=1e-6)


def test_at_scale_one_the_image_itself_is_looked_at(network):
    network.scale, image = 1, networks.dark(32).input
    expected = zero_dce_pp.brightened(image, network.curve(image))
    assert torch.equal(network(image), expected)


def test_the_network_learns_to_brighten_two_images(tmp_path):
    made, batch = networks.recipe("zero_dce_pp", width=8, scale=1), networks.dark(32)
    log = networks.trained(made, batch, 150, tmp_path, rate=3e-3, log_every=50)
    assert log[-1]["train/exposure"] < 0.5 * log[0]["train/exposure"]
    assert made.network(batch.input).mean() > 2 * batch.input.mean()
