"""FBCNN: a deblocker that estimates the quality factor."""

import pytest
import torch
from torch import nn

from baselines import fbcnn
from tests.helpers import networks


@pytest.fixture
def network():
    return networks.recipe("fbcnn").network


def test_a_level_is_steered_as_the_formula_says():
    level = fbcnn.Level(inside=4, width=2, blocks=1, embedded=3)
    features, embedding = torch.rand(1, 4, 3, 3), torch.rand(1, 3)
    with torch.no_grad():
        raised = level.up(features)
        gain, shift = level.gain(embedding).sigmoid(), level.shift(embedding).tanh()
        change = level.blocks[0](raised)
        expected = raised + gain[..., None, None] * change + shift[..., None, None]
        torch.testing.assert_close(level(features, embedding), expected)


def test_gain_and_shift_stay_in_their_ranges():
    level = fbcnn.Level(inside=4, width=2, blocks=1, embedded=3)
    gain, shift = level.steer(torch.randn(50, 3) * 100)
    assert gain.min() >= 0
    assert gain.max() <= 1
    assert shift.abs().max() <= 1
    assert gain.shape == shift.shape == (50, 2, 1, 1)


def test_the_estimate_steers_the_image(network):
    for layer in network.embed:
        if isinstance(layer, nn.Linear):
            nn.init.orthogonal_(layer.weight)
    image = torch.rand(1, 3, 16, 16)
    last = network.quality[-2]
    outputs = []
    for bias in (-9.0, 9.0):
        nn.init.constant_(last.bias, bias)
        outputs.append(network(image))
    assert (outputs[0] - outputs[1]).abs().max() > 1e-4


def test_the_first_features_reach_the_last_convolution(network):
    for name, parameter in network.named_parameters():
        if not name.startswith(("head", "tail")):
            nn.init.zeros_(parameter)
    image = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(network(image), network.tail(network.head(image)))


def test_any_size_is_padded_and_cut_back(network):
    image = torch.rand(1, 3, 13, 9)
    padded = nn.functional.pad(image, (0, 7, 0, 3), mode="replicate")
    torch.testing.assert_close(network(image), network(padded)[:, :, :13, :9])


def test_the_losses_are_the_errors_of_the_image_and_of_the_quality(network):
    batch = networks.compressed(20, 80)
    output, found = network.both(batch.input)
    terms = fbcnn._loss(network, batch)
    torch.testing.assert_close(terms["l1"], (output - batch.target).abs().mean())
    wanted = torch.tensor([[0.8], [0.2]])
    torch.testing.assert_close(terms["quality"], 1e-3 * (found - wanted).abs().mean())


def test_the_network_overfits_two_images(tmp_path):
    made, batch = networks.recipe("fbcnn"), networks.compressed(20, 80)
    log = networks.trained(made, batch, 80, tmp_path, rate=3e-3, log_every=20)
    assert log[-1]["train/l1"] < 0.6 * log[0]["train/l1"]
    assert log[-1]["train/quality"] < 0.9 * log[0]["train/quality"]
