"""RetinexNet: its two networks, their losses and the weights of the PyTorch port."""

import math

import pytest
import torch
from torch import nn

from baselines import retinexnet
from baselines._retinexnet_networks import Decomposition, Layers, Network, Relighting
from benchmark.training import Batch
from tests.helpers import networks
from tests.helpers.networks import count


def test_training_starts_from_weights_as_tensorflow_draws_them():
    made = networks.recipe("retinexnet", "decomposition", width=64).network
    for layer, fans in ((made.first, 81 * (4 + 64)), (made.convs[2], 9 * (64 + 64))):
        bound = math.sqrt(6 / fans)
        assert layer.weight.abs().max().item() == pytest.approx(bound, rel=0.01)
        assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)
        assert layer.bias.abs().max() == 0


def test_the_networks_have_the_published_sizes():
    with torch.device("meta"):
        network = Network(64, False)
    assert (count(network.decomposition), count(network.relighting)) == (207_748, 236_865)
    assert count(network) == 444_613  # 0.445 M


def test_the_port_has_more_parameters_since_it_concatenates():
    with torch.device("meta"):
        assert count(Network(64, True)) == 207_748 + 236_865 + 3 * 64 * 64 * 9


@pytest.mark.parametrize("port", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (7, 13), (16, 24)])
def test_any_size_is_kept(size, port):
    image = torch.rand(2, 3, *size)
    assert Network(8, port)(image).shape == image.shape


def test_layers_lie_between_0_and_1():
    torch.manual_seed(0)
    layers = Decomposition(8, "zeros")(torch.rand(2, 3, 9, 11))
    assert [tuple(layer.shape) for layer in layers] == [(2, 3, 9, 11), (2, 1, 9, 11)]
    assert all(layer.min() > 0 and layer.max() < 1 for layer in layers)


def test_the_output_is_the_reflectance_under_the_new_illumination():
    torch.manual_seed(0)
    network, image = Network(8, False), torch.rand(1, 3, 12, 10)
    layers = network.decomposition(image)
    expected = layers.reflectance * network.relighting(layers)
    assert torch.equal(network(image), expected)


def test_skips_are_summed_after_the_activation():
    torch.manual_seed(0)
    network = Relighting(4, False, "zeros")
    for conv in network.up:
        nn.init.constant_(conv.weight, 0.0)
        nn.init.constant_(conv.bias, -1.0)  # nothing passes the ReLU but the skips
    layers = Layers(torch.rand(1, 3, 8, 8), torch.rand(1, 1, 8, 8))
    first = network.first(torch.cat(layers, 1))
    second = network.down[0](first).relu()
    third = network.down[1](second).relu()
    larger = [nn.functional.interpolate(maps, size=(8, 8)) for maps in (third, second)]
    expected = network.last(network.fusion(torch.cat([*larger, first], 1)))
    torch.testing.assert_close(network(layers), expected)


def at_the_frame(first, second, third, grey):
    """Weigh what three pixels at the black frame differ from it by, in 4 x 4 of one grey.

    A mean over 3 x 3 differences of the grey, fewer at the border, has the frame in a half of them
    at the first two pixels and in a third at the third, beside which is the corner, where nothing
    differs.
    """
    grey = 0.9999 * grey  # the sum of TensorFlow's weights
    return (first + second) * math.exp(-10 * grey / 2) + third * math.exp(-10 * grey / 3)


def test_smoothness_by_hand():
    light = torch.full((1, 1, 4, 4), 0.25)
    light[..., 2:] = 0.75  # a step between two columns, in three rows
    across = 3 * 0.5 + at_the_frame(0.75, 0.75, 0.75, grey=0.3)
    down = at_the_frame(0.25, 0.75, 0.75, grey=0.3)
    found = retinexnet.smoothness(light, flat(0.3, 3)).item()
    assert found == pytest.approx((across + down) / 16, rel=1e-5)


def test_smoothness_matters_less_where_the_reflectance_differs():
    light = torch.zeros(1, 1, 8, 8)
    light[..., 2:4] = 0.5
    edge = light.expand(1, 3, 8, 8) + 0.2
    level = retinexnet.smoothness(light, torch.full((1, 3, 8, 8), 0.2)).item()
    assert retinexnet.smoothness(light, edge).item() < 0.5 * level


def test_smoothness_is_the_same_for_the_transposed_image():
    generator = torch.Generator().manual_seed(0)
    light, colour = (torch.rand(2, c, 9, 7, generator=generator) for c in (1, 3))
    found = retinexnet.smoothness(light.mT, colour.mT)
    torch.testing.assert_close(found, retinexnet.smoothness(light, colour))


class Fixed(nn.Module):
    """Gives the layers of a dark and of a normal-light image that it is told."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = list(layers)

    def forward(self, image):
        return self.layers.pop(0)


def flat(value, channels):
    return torch.full((1, channels, 4, 4), value)


def test_decomposition_losses_by_hand():
    network = Fixed(Layers(flat(0.6, 3), flat(0.2, 1)), Layers(flat(0.8, 3), flat(0.9, 1)))
    batch = Batch(flat(0.1, 3), flat(0.7, 3), torch.tensor([80]))
    terms = retinexnet.decomposition_terms(network, batch)
    expected = {
        "dark": 0.02,
        "normal": 0.02,
        "dark_crossed": 0.001 * 0.06,
        "normal_crossed": 0.001 * 0.16,
        "dark_smoothness": 0.1 * 2 * at_the_frame(0.2, 0.2, 0.2, grey=0.6) / 16,
        "normal_smoothness": 0.1 * 2 * at_the_frame(0.9, 0.9, 0.9, grey=0.8) / 16,
        "reflectance": 0.01 * 0.2,
    }
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(expected, abs=1e-7)


def test_relighting_losses_by_hand():
    network = nn.Module()
    network.decomposition = Fixed(Layers(flat(0.5, 3), flat(0.2, 1)))
    light = flat(1.0, 1)
    light[..., 2:] = 1.4
    across = 3 * 0.4 + at_the_frame(1.4, 1.4, 1.4, grey=0.5)
    down = at_the_frame(1.0, 1.4, 1.4, grey=0.5)
    network.relighting = Fixed(light)
    terms = retinexnet.relighting_terms(network, Batch(flat(0.1, 3), flat(0.6, 3), torch.tensor(8)))
    assert terms["output"].item() == pytest.approx(0.1)
    assert terms["smoothness"].item() == pytest.approx(3 * (across + down) / 16, rel=1e-5)
