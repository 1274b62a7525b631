"""SCI: its network, the cascade it is trained in, its losses and the authors' weights."""

import pytest
import torch
from torch import nn

from baselines import sci
from baselines._smoothness import smoothness
from tests.helpers import networks


@pytest.fixture
def cascade():
    return networks.recipe("sci").phases[0].module


def test_the_calibration_is_no_part_of_what_is_kept():
    made = sci.recipe("model", {})
    assert not any("calibration" in name for name in made.network.state_dict())
    assert made.network is made.phases[0].module.network


def test_the_illumination_is_never_darker_than_the_image(cascade):
    image = networks.dark().input
    found = cascade.network.illumination(image)
    assert (found >= image).all()
    assert found.max() <= 1


def test_the_result_is_the_image_over_its_illumination(cascade):
    network, image = cascade.network.eval(), networks.dark().input
    expected = image / network.illumination(image)
    assert torch.allclose(network(image), expected)
    assert torch.isfinite(network(torch.zeros(1, 3, 4, 4))).all()


def test_the_first_stage_sees_the_image_and_the_next_its_calibrated_result(cascade):
    cascade.eval()
    image = networks.dark().input
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
    batch = networks.dark()
    terms, stages = sci._loss(cascade, batch), list(cascade(batch.input))
    fidelity = sum((s.illumination - s.input).square().mean() for s in stages)
    rough = sum(smoothness(s.input, s.illumination) for s in stages)
    assert terms["fidelity"].item() == pytest.approx(1.5 * fidelity.item(), rel=1e-5)
    assert terms["smoothness"].item() == pytest.approx(3 * rough.item(), rel=1e-5)


def test_the_network_learns_to_brighten_two_images(tmp_path):
    made, batch = networks.recipe("sci"), networks.dark(16)
    log = networks.trained(made, batch, 200, tmp_path, rate=3e-3, log_every=20)
    made.network.eval()
    first, last = (row["train/fidelity"] + row["train/smoothness"] for row in (log[0], log[-1]))
    assert last < 0.5 * first
    assert log[-1]["train/fidelity"] < 0.8 * log[0]["train/fidelity"]
    assert made.network(batch.input).mean() > 1.5 * batch.input.mean()
