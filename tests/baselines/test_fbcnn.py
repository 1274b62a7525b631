"""FBCNN: a deblocker that estimates the quality factor."""

import numpy as np
import pytest
import torch
from torch import nn

from baselines import fbcnn
from benchmark import methods
from benchmark.core import jpeg
from benchmark.core.images import to_float
from benchmark.training import Batch, Batches, loop
from benchmark.training.loop import Run

TINY = {"blocks": 1, "width": 4}


@pytest.fixture
def network():
    torch.manual_seed(0)
    return fbcnn.recipe("model", {}, **TINY).network


def batch_of(qfs=(20, 80), side=24):
    """Compressed patches of random colour and what they were before."""
    cells = np.random.default_rng(0).integers(0, 256, (len(qfs), 4, 4, 3), np.uint8)
    originals = cells.repeat(6, 1).repeat(6, 2)[:, :side, :side]
    inputs = np.stack([jpeg.compress(p, qf) for p, qf in zip(originals, qfs, strict=True)])
    pixels = [torch.from_numpy(to_float(p)).permute(0, 3, 1, 2) for p in (inputs, originals)]
    return Batch(*pixels, torch.tensor(qfs))


def test_the_network_has_the_published_size():
    with torch.device("meta"):
        network = fbcnn.recipe("model", {}).network
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == 71_921_796
    assert count == pytest.approx(71.9e6, rel=1e-3)  # as published


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
    batch = batch_of(qfs=(20, 80))
    output, found = network.both(batch.input)
    terms = fbcnn._loss(network, batch)
    torch.testing.assert_close(terms["l1"], (output - batch.target).abs().mean())
    wanted = torch.tensor([[0.8], [0.2]])
    torch.testing.assert_close(terms["quality"], 1e-3 * (found - wanted).abs().mean())


def test_the_recipe():
    made = fbcnn.recipe("model", {}, **TINY)
    (phase,) = made.phases
    assert phase.optimiser.func is torch.optim.Adam
    assert phase.optimiser.keywords == {"lr": 2e-5}
    assert (made.source, made.batch, made.crop) == ("both", 128, 96)


def test_the_gradient_reaches_every_parameter(network):
    torch.stack(list(fbcnn._loss(network, batch_of()).values())).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_the_network_overfits_two_images(tmp_path):
    torch.manual_seed(0)
    made = fbcnn.recipe("model", {}, **TINY)
    made.phases[0].optimiser.keywords["lr"] = 3e-3
    batch = batch_of()
    run = Run(80, 0, tmp_path, log_every=20)
    log = loop.train(made, Batches(lambda step, process: batch, ()), run)
    assert log[-1]["train/l1"] < 0.6 * log[0]["train/l1"]
    assert log[-1]["train/quality"] < 0.9 * log[0]["train/quality"]


def test_the_method_computes_what_was_trained(network):
    image = to_float(np.random.default_rng(0).integers(0, 256, (9, 5, 3), np.uint8))
    output = methods.find("fbcnn")(network.state_dict(), **TINY)(image)
    with torch.no_grad():
        expected = network(torch.from_numpy(image).permute(2, 0, 1)[None])[0].permute(1, 2, 0)
    np.testing.assert_allclose(output, expected.clamp(0, 1).numpy(), atol=1e-5)
