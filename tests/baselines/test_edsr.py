"""EDSR as a deblocker: its network and its recipe."""

import pytest
import torch
from torch import nn

from baselines import edsr
from benchmark import methods
from tests.helpers import networks

TINY = {"blocks": 2, "width": 8}


@pytest.fixture
def network():
    return networks.recipe("edsr", **TINY).network


def test_the_mean_colour_is_no_weight(network):
    assert "mean" not in network.state_dict()


def test_without_residuals_the_mean_colour_comes_back(network):
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    output = network(torch.rand(1, 3, 4, 4))
    assert output[0, :, 0, 0].tolist() == pytest.approx([0.4488, 0.4371, 0.4040])


def test_a_block_adds_to_its_input_and_leaves_it_alone():
    block = edsr.Block(4)
    features = torch.rand(1, 4, 5, 5)
    before = features.clone()
    with torch.no_grad():
        change = block.second(block.first(features).relu())
        assert torch.equal(block(features), features + change)
    assert torch.equal(features, before)


def test_the_long_skip_joins_head_and_tail(network):
    for parameter in network.body.parameters():
        nn.init.zeros_(parameter)
    image = torch.rand(1, 3, 6, 6)
    inside = (image - network.mean) * 255
    expected = network.tail(network.head(inside)) / 255 + network.mean
    torch.testing.assert_close(network(image), expected)


def test_the_loss_is_in_8_bit_levels(network):
    batch = networks.compressed(40, 40)
    expected = 255 * (network(batch.input) - batch.target).abs().mean()
    torch.testing.assert_close(edsr._loss(network, batch)["l1"], expected)


def test_the_network_overfits_two_images(tmp_path):
    made, batch = networks.recipe("edsr", **TINY), networks.compressed(40, 40)
    log = networks.trained(made, batch, 300, tmp_path, rate=3e-3, log_every=50)
    compressed = 255 * (batch.input - batch.target).abs().mean().item()
    assert log[-1]["train/l1"] < 0.7 * compressed


def test_other_settings_do_not_fit_the_weights(network):
    with pytest.raises(RuntimeError, match="Missing key"):
        methods.find("edsr")(network.state_dict(), blocks=3, width=8)
