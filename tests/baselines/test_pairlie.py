"""PairLIE: its branches, its three losses, the second exposure and the authors' weights."""

import pytest
import torch
from torch.nn import functional

from baselines import pairlie
from baselines.pairlie import Decomposition
from tests.helpers import networks


@pytest.fixture
def network():
    return networks.recipe("pairlie").network


def test_the_border_is_mirrored():
    maps = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).view(1, 1, 2, 3)
    assert pairlie._bordered(maps)[0, 0, 0].tolist() == [5.0, 4.0, 5.0, 6.0, 5.0]


def test_a_single_row_is_repeated():
    maps = torch.tensor([1.0, 2.0]).view(1, 1, 1, 2)
    assert pairlie._bordered(maps)[0, 0, 0].tolist() == [1.0, 1.0, 2.0, 2.0]


def test_illumination_has_one_channel_and_reflectance_three(network):
    found = network.decompose(networks.dark().input)
    assert found.illumination.shape == (2, 1, 24, 24)
    assert found.reflectance.shape == found.projected.shape == (2, 3, 24, 24)


def test_parts_are_found_in_the_projected_image(network):
    found = network.decompose(networks.dark().input)
    assert torch.equal(found.reflectance, network.reflectance(found.projected))
    assert torch.equal(found.illumination, network.illumination(found.projected))


@pytest.mark.parametrize("exponent", [0.14, 1.0])
def test_the_illumination_is_raised_to_the_exponent(network, exponent):
    assert network.exponent == 0.2  # as published
    network.exponent = exponent
    image = networks.dark().input
    illumination, reflectance, _ = network.decompose(image)
    assert torch.allclose(network(image), illumination.pow(exponent) * reflectance)


def test_variation_by_hand():
    maps = torch.tensor([[0.0, 0.1, 0.4], [0.0, 0.0, 0.0], [0.0, 0.1, 0.0]]).view(1, 1, 3, 3)
    assert pairlie.variation(maps).item() == pytest.approx((0.4 + 0.0) / 3 + (0.4 + 0 + 0) / 3)


def test_retinex_by_hand():
    def flat(value, channels):
        return torch.full((1, channels, 4, 4), value)

    found = Decomposition(flat(0.5, 1), flat(0.6, 3), flat(0.2, 3))
    image = torch.cat([flat(0.1, 1), flat(0.3, 1), flat(0.2, 1)], 1)
    expected = (0.3 - 0.2) ** 2 + (0.6 - 0.4) ** 2 + (0.5 - 0.3) ** 2
    assert pairlie.retinex(found, image).item() == pytest.approx(expected, rel=1e-5)


def test_a_perfect_decomposition_costs_nothing():
    reflectance = torch.tensor([1.0, 0.5, 0.25]).view(1, 3, 1, 1).expand(1, 3, 6, 6)
    illumination = torch.full((1, 1, 6, 6), 0.3)
    image = illumination * reflectance
    found = Decomposition(illumination, reflectance, image)
    assert pairlie.retinex(found, image).item() == pytest.approx(0, abs=1e-12)


def test_the_second_exposure_is_the_first_by_a_factor():
    torch.manual_seed(0)
    image = torch.full((64, 3, 16, 16), 0.3)
    factors = pairlie.another_exposure(image).mean((1, 2, 3)) / 0.3
    assert factors.min() > 0.49
    assert factors.max() < 2.02
    assert factors.std() > 0.3


def test_the_second_exposure_has_noise_in_proportion_and_keeps_the_range():
    torch.manual_seed(0)
    found = pairlie.another_exposure(torch.full((1, 3, 64, 64), 0.4))
    assert (found.std() / found.mean()).item() == pytest.approx(0.03, rel=0.1)
    assert pairlie.another_exposure(torch.zeros(1, 3, 4, 4)).max() == 0  # none where it is black
    assert pairlie.another_exposure(torch.ones(8, 3, 4, 4)).max() <= 1


def test_the_losses_have_the_published_weights(network):
    batch = networks.dark()
    torch.manual_seed(3)
    terms = pairlie._loss(network, batch)
    torch.manual_seed(3)
    other = network.decompose(pairlie.another_exposure(batch.input))
    found = network.decompose(batch.input)
    projection = functional.mse_loss(found.projected, batch.input)
    consistency = functional.mse_loss(found.reflectance, other.reflectance)
    assert terms["projection"].item() == pytest.approx(500 * projection.item())
    assert terms["consistency"].item() == pytest.approx(consistency.item())
    assert terms["retinex"].item() == pytest.approx(pairlie.retinex(found, batch.input).item())


def test_the_network_learns_to_brighten_two_images(tmp_path):
    made, batch = networks.recipe("pairlie"), networks.dark(16)
    log = networks.trained(made, batch, 120, tmp_path, rate=3e-3, log_every=20)
    assert log[-1]["train/projection"] < 0.2 * log[0]["train/projection"]
    assert made.network(batch.input).mean() > 1.5 * batch.input.mean()
