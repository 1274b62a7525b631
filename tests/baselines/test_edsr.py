"""EDSR as a deblocker: its network and its recipe."""

import numpy as np
import pytest
import torch
from torch import nn

from baselines import edsr
from benchmark import methods
from benchmark.core import jpeg
from benchmark.core.images import to_float
from benchmark.training import Batch, Batches, loop
from benchmark.training.loop import Run

TINY = {"blocks": 2, "width": 8}


@pytest.fixture
def network():
    torch.manual_seed(0)
    return edsr.recipe("model", {}, **TINY).network


def batch_of(count=2, side=24):
    """Compressed patches of random colour and what they were before."""
    cells = np.random.default_rng(0).integers(0, 256, (count, 4, 4, 3), np.uint8)
    originals = cells.repeat(6, 1).repeat(6, 2)[:, :side, :side]
    inputs = np.stack([jpeg.compress(pixels, 40) for pixels in originals])
    tensors = [
        torch.from_numpy(to_float(pixels)).permute(0, 3, 1, 2) for pixels in (inputs, originals)
    ]
    return Batch(*tensors, torch.full((count,), 40))


def test_the_network_has_the_published_size():
    network = edsr.recipe("model", {}).network
    conv = 64 * 64 * 9 + 64
    expected = (3 * 64 * 9 + 64) + 33 * conv + (64 * 3 * 9 + 3)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected == 1_222_147


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
    batch = batch_of()
    expected = 255 * (network(batch.input) - batch.target).abs().mean()
    torch.testing.assert_close(edsr._loss(network, batch)["l1"], expected)


def test_the_recipe():
    made = edsr.recipe("model", {})
    (phase,) = made.phases
    assert phase.optimiser.func is torch.optim.Adam
    assert phase.optimiser.keywords == {"lr": 1e-4}
    assert (made.source, made.batch, made.crop, made.decay) == ("both", 16, 48, True)


def test_the_gradient_reaches_every_parameter(network):
    edsr._loss(network, batch_of())["l1"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_the_network_overfits_two_images(tmp_path):
    torch.manual_seed(0)
    made = edsr.recipe("model", {}, **TINY)
    made.phases[0].optimiser.keywords["lr"] = 3e-3
    batch = batch_of()
    run = Run(300, 0, tmp_path, log_every=50)
    log = loop.train(made, Batches(lambda step, process: batch, ()), run)
    compressed = 255 * (batch.input - batch.target).abs().mean().item()
    assert log[-1]["train/l1"] < 0.7 * compressed


def test_the_method_takes_the_settings_it_was_trained_with(network):
    image = to_float(np.random.default_rng(0).integers(0, 256, (9, 5, 3), np.uint8))
    output = methods.find("edsr")(network.state_dict(), **TINY)(image)
    with torch.no_grad():
        expected = network(torch.from_numpy(image).permute(2, 0, 1)[None])[0].permute(1, 2, 0)
    np.testing.assert_allclose(output, expected.clamp(0, 1).numpy(), atol=1e-5)


def test_other_settings_do_not_fit_the_weights(network):
    with pytest.raises(RuntimeError, match="Missing key"):
        methods.find("edsr")(network.state_dict(), blocks=3, width=8)
