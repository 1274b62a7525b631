"""SCI: its network, the cascade it is trained in, its losses and the authors' weights."""

import numpy as np
import pytest
import torch
from torch import nn

from baselines import sci
from baselines._smoothness import smoothness
from benchmark import methods
from benchmark.core.images import to_float
from benchmark.methods import assemble
from benchmark.training import Batch, Batches, loop
from benchmark.training.loop import Run

RELEASED = {entry.name: entry for entry in methods.find("sci").released}


@pytest.fixture
def cascade():
    torch.manual_seed(0)
    return sci.recipe("model", {}).phases[0].module


def batch_of(count=2, side=24):
    generator = torch.Generator().manual_seed(0)
    image = 0.3 * torch.rand(count, 3, side // 4, side // 4, generator=generator)
    image = nn.functional.interpolate(image, scale_factor=4)
    return Batch(image, image, torch.full((count,), 80))


def test_the_network_has_the_published_size(cascade):
    assert sum(parameter.numel() for parameter in cascade.network.parameters()) == 258


def test_the_calibration_is_no_part_of_what_is_kept():
    made = sci.recipe("model", {})
    assert not any("calibration" in name for name in made.network.state_dict())
    assert made.network is made.phases[0].module.network


def test_the_illumination_is_never_darker_than_the_image(cascade):
    image = batch_of().input
    found = cascade.network.illumination(image)
    assert (found >= image).all()
    assert found.max() <= 1


def test_the_result_is_the_image_over_its_illumination(cascade):
    network, image = cascade.network.eval(), batch_of().input
    expected = image / network.illumination(image)
    assert torch.allclose(network(image), expected)
    assert torch.isfinite(network(torch.zeros(1, 3, 4, 4))).all()


def test_the_first_stage_sees_the_image_and_the_next_its_calibrated_result(cascade):
    cascade.eval()
    image = batch_of().input
    first, second, third = cascade(image)
    assert torch.equal(first.input, image)
    bright = (image / first.illumination).clamp(0, 1)
    assert torch.allclose(second.input, image + cascade.calibration(bright))
    assert not torch.equal(second.input, third.input)


def test_an_idle_calibration_subtracts_a_half():
    calibration = sci.Calibration(4)
    nn.init.zeros_(calibration.last.weight)
    nn.init.zeros_(calibration.last.bias)
    bright = torch.rand(1, 3, 5, 5)
    assert torch.allclose(calibration(bright), bright - 0.5)


def test_the_losses_have_the_published_weights(cascade):
    cascade.eval()
    batch = batch_of()
    terms, stages = sci._loss(cascade, batch), list(cascade(batch.input))
    fidelity = sum((s.illumination - s.input).square().mean() for s in stages)
    rough = sum(smoothness(s.input, s.illumination) for s in stages)
    assert terms["fidelity"].item() == pytest.approx(1.5 * fidelity.item(), rel=1e-5)
    assert terms["smoothness"].item() == pytest.approx(3 * rough.item(), rel=1e-5)


def test_no_loss_reads_the_reference(cascade):
    cascade.eval()
    batch = batch_of()
    first = sci._loss(cascade, batch)
    second = sci._loss(cascade, batch._replace(target=1 - batch.target))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_published_recipe():
    made = sci.recipe("model", {})
    (phase,) = made.phases
    options = phase.optimiser.keywords
    assert phase.optimiser.func is torch.optim.Adam
    assert (options["lr"], options["weight_decay"], phase.clip) == (3e-4, 3e-4, 5)
    assert (made.batch, made.steps, made.source, made.decay) == (1, 485_000, "pairs", True)


def test_the_gradient_reaches_every_parameter(cascade):
    nn.init.constant_(cascade.network.first.bias, 0.1)  # off the kink of ReLU at tiny weights
    sum(sci._loss(cascade, batch_of()).values()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in cascade.parameters())


def test_the_network_learns_to_brighten_two_images(tmp_path):
    torch.manual_seed(0)
    made = sci.recipe("model", {})
    made.phases[0].optimiser.keywords["lr"] = 3e-3
    batch = batch_of(side=16)
    log = loop.train(
        made, Batches(lambda step, process: batch, ()), Run(200, 0, tmp_path, log_every=20)
    )
    made.network.eval()
    first, last = (row["train/fidelity"] + row["train/smoothness"] for row in (log[0], log[-1]))
    assert last < 0.5 * first
    assert log[-1]["train/fidelity"] < 0.8 * log[0]["train/fidelity"]
    assert made.network(batch.input).mean() > 1.5 * batch.input.mean()


@pytest.mark.parametrize("name", RELEASED)
def test_a_released_file_loads_and_brightens(name):
    if assemble.find_released(RELEASED[name].files[0]) is None:
        pytest.skip(f"needs sci/{name}.pt: see weights/released/README.md")
    method = methods.find("sci")(assemble.read_released(RELEASED[name]))
    dark = np.full((8, 8, 3), 0.1, np.float32)
    assert method(dark).mean() > 0.13


def test_names_of_the_released_files_become_ours(cascade):
    one = torch.ones(1)
    theirs = {
        "enhance.in_conv.0.weight": one,
        "enhance.conv.1.running_var": one,
        "enhance.blocks.0.0.weight": one,
        "enhance.out_conv.0.bias": one,
        "calibrate.in_conv.0.weight": one,
    }
    adapted = RELEASED["medium"].adapt(theirs)
    assert sorted(adapted) == ["first.weight", "last.bias", "second.1.running_var"]
    assert adapted.keys() <= cascade.network.state_dict().keys()


def test_the_method_is_the_network_on_one_image(cascade):
    image = to_float(np.random.default_rng(0).integers(0, 256, (9, 5, 3), np.uint8))
    output = methods.find("sci")(cascade.network.state_dict())(image)
    with torch.no_grad():
        batch = torch.from_numpy(image).permute(2, 0, 1)[None]
        expected = cascade.network.eval()(batch)[0].permute(1, 2, 0)
    np.testing.assert_allclose(output, expected.numpy(), atol=1e-6)
