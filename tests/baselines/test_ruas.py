"""RUAS: its cells, its unrolled estimates, its losses and the authors' weights."""

import pytest
import torch
from torch import nn

from baselines import ruas
from benchmark import methods
from tests.helpers import networks


@pytest.fixture
def network():
    return networks.recipe("ruas").network


def test_noise_removal_has_the_published_size(network):
    assert networks.count(network.noise) == 2_277


def test_a_cell_fuses_what_it_sets_aside():
    cell = ruas.Cell(1, ["skip"] * 7)
    nn.init.ones_(cell.fuse.weight)
    nn.init.zeros_(cell.fuse.bias)
    # each refinement adds the features to themselves: 1, 2, 4 are set aside, and 8 in the end
    assert cell(torch.ones(1, 1, 2, 2)).flatten().tolist() == [15.0] * 4


def test_a_residual_adds_to_its_input():
    layer = ruas.Residual(2, 2, 1)
    nn.init.zeros_(layer.weight)
    nn.init.constant_(layer.bias, 0.25)
    assert torch.equal(layer(torch.ones(1, 2, 3, 3)), torch.full((1, 2, 3, 3), 1.25))


def test_the_local_maximum_looks_right_and_down():
    image = torch.tensor([[1.0, 2.0, 3.0], [0.0, 9.0, 4.0], [5.0, 1.0, 0.0]])
    expected = [[9.0, 9.0, 4.0], [9.0, 9.0, 4.0], [5.0, 1.0, 0.0]]
    assert ruas.local_maximum(image.view(1, 1, 3, 3))[0, 0].tolist() == expected


def test_estimates_come_from_the_result_before(network):
    image, seen = networks.dark().input, []
    for cell in network.illumination:
        cell.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    network.brighten(image)
    illumination = network.illumination[0](ruas.local_maximum(image)).sigmoid()
    bright = (image / illumination.clamp(0.001, 1)).clamp(0, 1)
    assert torch.equal(seen[0], ruas.local_maximum(image))
    expected = ruas.local_maximum(bright) - 0.5 * (bright - image)
    assert torch.allclose(seen[1], expected)
    assert len(seen) - 1 == 3  # one call more for `illumination` above


def test_noise_is_removed_only_where_it_is_asked_for(network):
    image = networks.dark().input
    plain = ruas.Network(denoise=False)
    plain.load_state_dict(network.state_dict())
    assert torch.equal(plain(image), network.brighten(image).bright)
    assert torch.equal(network(image), network.noise(plain(image)))


def test_total_variation_by_hand():
    image = torch.zeros(1, 1, 3, 4)
    image[0, 0, 1, 2] = 0.5  # two differences of 0.5 among 8 down, and two among 9 across
    expected = 2 * (2 * 0.25 / 8 + 2 * 0.25 / 9)
    assert ruas.total_variation(image).item() == pytest.approx(expected)


def test_an_illumination_that_is_the_image_has_full_fidelity(network, monkeypatch):
    batch = networks.dark()
    kept = ruas.Unrolled(batch.input, batch.input)
    monkeypatch.setattr(network, "brighten", lambda image: kept)
    assert ruas._illumination_loss(network, batch)["fidelity"] == 0


def test_fidelity_counts_half(network):
    batch = networks.dark()
    illumination = network.brighten(batch.input).illumination
    expected = 0.5 * (illumination - batch.input).square().mean()
    found = ruas._illumination_loss(network, batch)["fidelity"]
    assert found.item() == pytest.approx(expected.item())


def test_pretraining_compares_with_the_original():
    network = ruas.recipe("noise", {}).network
    nn.init.zeros_(network.tail.weight)
    nn.init.zeros_(network.tail.bias)
    batch = networks.dark()._replace(input=torch.full((2, 3, 24, 24), 0.5))
    torch.manual_seed(0)
    found = ruas._pretraining_loss(network, batch)["mse"].item()
    without_noise = (batch.input - batch.target).square().mean().item()
    assert without_noise < found < without_noise + 0.1**2


def test_the_published_recipe():
    made = ruas.recipe("model", {})
    brighten, clean = made.phases
    assert (brighten.optimiser.keywords["lr"], brighten.clip, clean.clip) == (0.015, 5, 5)
    assert clean.optimiser.keywords["lr"] * 50 == pytest.approx(0.001)
    for phase in made.phases:
        assert phase.optimiser.func is torch.optim.SGD
        assert phase.optimiser.keywords["momentum"] == 0.9
        assert phase.optimiser.keywords["weight_decay"] == 3e-4
    assert (made.batch, made.crop, made.steps, made.source) == (1, 320, 800, "pairs")


def test_the_last_part_starts_from_the_noise_removal_before_it():
    torch.manual_seed(1)
    before = ruas.recipe("noise", {}).network.state_dict()
    after = ruas.recipe("model", {"noise": before}).network.noise.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_the_network_learns_to_brighten_two_images(tmp_path):
    made, batch = networks.recipe("ruas"), networks.dark(16)
    made.phases[0].optimiser.keywords["lr"] = 0.1
    log = networks.trained(made, batch, 100, tmp_path, log_every=20)
    assert log[-1]["train/fidelity"] < 0.5 * log[0]["train/fidelity"]
    assert made.network.brighten(batch.input).bright.mean() > 2 * batch.input.mean()


def test_noise_removal_learns_to_leave_an_image_nearly_as_it_is(tmp_path):
    made, batch = networks.recipe("ruas", "noise"), networks.dark(16)
    log = networks.trained(made, batch, 100, tmp_path, log_every=20)
    assert log[-1]["train/mse"] < 0.5 * log[0]["train/mse"]
    clean = nn.functional.mse_loss(made.network(batch.input), batch.input)
    assert clean < 0.1 * batch.input.square().mean()


def test_removal_happens_with_the_weights_of_lol_alone():
    settings = {entry.name: entry.settings for entry in methods.find("ruas").released[:3]}
    assert settings == {"lol": {}, "upe": {"denoise": False}, "dark": {"denoise": False}}
