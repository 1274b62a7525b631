"""KinD: its three networks, their losses and what the port released."""

import math

import numpy as np
import pytest
import skimage.filters
import skimage.metrics
import torch
from torch import nn

from baselines import _kind_losses as losses
from baselines import kind
from baselines._kind_networks import Decomposition, Layers, Network, Up, blur, halve, stretch
from benchmark import loop, methods, weights
from benchmark.images import to_float
from benchmark.loop import Run
from benchmark.training import Batch, Batches


def network_of(width=4, ratio=5.0, stretch=True, port=False):
    torch.manual_seed(0)
    return Network(width, ratio, stretch, port)


def batch_of(side=32):
    """Two normal-light images of flat squares and the same at a fifth of the light."""
    generator = torch.Generator().manual_seed(0)
    normal = torch.rand(2, 3, side // 8, side // 8, generator=generator)
    normal = nn.functional.interpolate(0.2 + 0.7 * normal, scale_factor=8)
    return Batch(0.2 * normal, normal, torch.full((2,), 80))


def recipe_of(part, **settings):
    states = {"decomposition": network_of(settings.get("width", 4)).decomposition.state_dict()}
    torch.manual_seed(0)
    return kind.recipe(part, states, **{"width": 4, **settings})


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_networks_have_the_published_sizes():
    with torch.device("meta"):
        network = Network(32, 5.0, True, False)
    parts = (network.decomposition, network.restoration, network.adjustment)
    assert [count(part) for part in parts] == [235_876, 7_760_739, 19_393]
    assert count(network) == 8_016_008  # 8.02 M


@pytest.mark.parametrize("port", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (7, 13), (33, 18)])
def test_any_size_is_kept(size, port):
    image = torch.rand(2, 3, *size)
    assert network_of(port=port)(image).shape == image.shape


def test_layers_lie_between_0_and_1():
    torch.manual_seed(0)
    layers = Decomposition(4, False)(torch.rand(2, 3, 9, 11))
    assert [tuple(layer.shape) for layer in layers] == [(2, 3, 9, 11), (2, 1, 9, 11)]
    assert all(layer.min() > 0 and layer.max() < 1 for layer in layers)


def test_an_odd_last_row_is_halved_alone_and_comes_back():
    maps = torch.arange(15.0).view(1, 1, 3, 5)
    assert halve(maps).flatten().tolist() == [6, 8, 9, 11, 13, 14]
    enlarged = Up(1, 1, port=False)(halve(maps), maps)
    assert enlarged.shape == (1, 2, 3, 5)
    assert torch.equal(enlarged[:, 1:], maps)


def test_the_authors_transposed_convolution_is_linear():
    up = Up(2, 2, port=False)
    maps, skip = torch.rand(1, 2, 3, 3), torch.zeros(1, 2, 6, 6)
    torch.testing.assert_close(up(-maps, skip), -up(maps, skip))


def test_images_are_stretched_one_by_one():
    image = torch.stack([torch.linspace(0.1, 0.3, 12), torch.linspace(0.5, 0.6, 12)])
    found = stretch(image.view(2, 3, 2, 2))
    assert found.amin((1, 2, 3)).tolist() == pytest.approx([0, 0])
    assert found.amax((1, 2, 3)).tolist() == pytest.approx([1, 1])


def test_a_flat_image_is_stretched_to_black():
    assert stretch(torch.full((1, 3, 2, 2), 0.4)).abs().max() == 0


def test_the_blur_is_that_of_scikit_image():
    grey = np.random.default_rng(0).random((30, 41), np.float32)
    found = blur(torch.from_numpy(grey)[None, None])[0, 0]
    np.testing.assert_allclose(found.numpy(), skimage.filters.gaussian(grey, 3), atol=1e-5)


class Constant(nn.Module):
    """Gives what it is told, and keeps what it was given."""

    def __init__(self, output):
        super().__init__()
        self.output, self.given = output, []

    def forward(self, *arguments):
        self.given.append(arguments)
        return self.output


def test_the_output_is_blended_as_in_evaluate_py():
    network = network_of(ratio=3.0, stretch=False)
    layers = Layers(torch.full((1, 3, 8, 8), 0.125), torch.full((1, 1, 8, 8), 0.25))
    network.decomposition = Constant(layers)
    network.restoration = Constant(torch.full((1, 3, 8, 8), 0.8))
    network.adjustment = Constant(torch.full((1, 1, 8, 8), 0.5))
    image = torch.full((1, 3, 8, 8), 0.1)
    expected = 0.25 * 0.1 + 0.75 * (0.8 * 0.5 * math.sqrt(2 * 0.125))
    torch.testing.assert_close(network(image), torch.full_like(image, expected))
    ((_, ratio),) = network.adjustment.given
    assert ratio.flatten().tolist() == [3.0]


def test_a_light_reflectance_is_not_brightened_by_the_blend():
    network = network_of(stretch=False)
    layers = Layers(torch.full((1, 3, 8, 8), 0.9), torch.zeros(1, 1, 8, 8))
    network.decomposition = Constant(layers)
    network.restoration = Constant(torch.full((1, 3, 8, 8), 0.8))
    network.adjustment = Constant(torch.ones(1, 1, 8, 8))
    output = network(torch.zeros(1, 3, 8, 8))
    torch.testing.assert_close(output, torch.full_like(output, 0.8))


def test_slopes_are_stretched_to_the_whole_range():
    maps = torch.tensor([[0.0, 0.2, 0.2], [0.0, 0.1, 0.5]]).view(1, 1, 2, 3)
    down, across = losses.slopes(maps)
    steps = [[0.2, 0.0, 0.0], [0.1, 0.4, 0.0]]  # across; the last column has no neighbour
    torch.testing.assert_close(across[0, 0], torch.tensor(steps) / 0.4001)
    steps = [[0.0, 0.1, 0.3], [0.0, 0.0, 0.0]]
    torch.testing.assert_close(down[0, 0], torch.tensor(steps) / 0.3001)


def test_mutual_consistency_by_hand():
    edge = torch.zeros(1, 1, 4, 4)
    edge[..., 2:] = 0.5  # the only edge is stretched to 1, at 4 of 16 places
    one = 0.5 / 0.5001
    flat = torch.full_like(edge, 0.3)
    alone = losses.mutual_consistency(edge, flat).item()
    assert alone == pytest.approx(one * math.exp(-10 * one) / 4)
    both = losses.mutual_consistency(edge, edge).item()
    assert both == pytest.approx(2 * one * math.exp(-20 * one) / 4)
    assert both < alone


def test_smoothness_by_hand():
    light = torch.zeros(1, 1, 4, 4)
    light[..., 2:] = 0.5
    one = 0.5 / 0.5001
    flat = torch.full((1, 3, 4, 4), 0.3)
    assert losses.smoothness(light, flat).item() == pytest.approx(one / 0.01 / 4, rel=1e-5)
    same = light.expand(1, 3, 4, 4)  # where the image has the edge too it costs little
    assert losses.smoothness(light, same).item() == pytest.approx(1 / 4, rel=1e-5)


def test_slope_distance_by_hand():
    edge = torch.zeros(1, 1, 4, 4)
    edge[..., 2:] = 0.5
    one = 0.5 / 0.5001
    found = losses.slope_distance(edge, torch.zeros_like(edge)).item()
    assert found == pytest.approx(one**2 / 4)
    assert losses.slope_distance(edge, edge).item() == 0


def test_decomposition_losses_have_the_published_weights():
    network, batch = network_of(), batch_of()
    image = stretch(batch.input)
    dark, normal = network.decomposition(image), network.decomposition(batch.target)
    terms = kind.decomposition_terms(network, batch)
    expected = {
        "dark": (dark.reflectance * dark.illumination - image).abs().mean(),
        "normal": (normal.reflectance * normal.illumination - batch.target).abs().mean(),
        "reflectance": 0.01 * (dark.reflectance - normal.reflectance).abs().mean(),
        "mutual": 0.2 * losses.mutual_consistency(dark.illumination, normal.illumination),
        "dark_smoothness": 0.15 * losses.smoothness(dark.illumination, image),
        "normal_smoothness": 0.15 * losses.smoothness(normal.illumination, batch.target),
    }
    assert terms.keys() == expected.keys()
    for name, term in terms.items():
        torch.testing.assert_close(term, expected[name])


def test_the_restoration_aims_at_the_reflectance_to_the_power_of_1_2():
    network, batch = network_of(), batch_of()
    with torch.no_grad():
        normal = network.decomposition(batch.target)
    network.restoration = Constant(normal.reflectance**1.2)
    terms = kind.restoration_terms(network, batch)
    assert [term.item() for term in terms.values()] == pytest.approx([0, 0, 0], abs=1e-6)


def test_the_adjustment_learns_both_directions_with_the_true_ratio():
    network, batch = network_of(stretch=False), batch_of()
    with torch.no_grad():
        dark = network.decomposition(batch.input).illumination
        normal = network.decomposition(batch.target).illumination
    network.adjustment = Constant(torch.cat([normal, dark]))
    terms = kind.adjustment_terms(network, batch)
    assert [term.item() for term in terms.values()] == pytest.approx([0, 0], abs=1e-7)
    ((illumination, ratio),) = network.adjustment.given
    assert torch.equal(illumination, torch.cat([dark, normal]))
    darker = (dark / (normal + 1e-4)).mean((1, 2, 3))
    torch.testing.assert_close(ratio.flatten(), torch.cat([1 / darker + 1e-4, darker]))


def test_the_published_recipe():
    made = recipe_of("decomposition")
    assert (made.batch, made.crop, made.source, made.steps) == (10, 48, "pairs", 96_000)
    second = recipe_of("model")
    assert (second.batch, second.crop, second.source, second.steps) == (4, 384, "pairs", 116_000)
    for phase in (*made.phases, *second.phases):
        assert phase.optimiser.func is torch.optim.Adam
        assert phase.optimiser.keywords == {"lr": 1e-4}


@pytest.mark.parametrize("part", ["decomposition", "model"])
def test_the_gradient_reaches_every_parameter_that_is_trained(part):
    for phase in recipe_of(part).phases:
        sum(phase.loss(batch_of()).values()).backward()
        grads = {name: value.grad for name, value in phase.module.named_parameters()}
        assert all(grad is not None and grad.abs().sum() > 0 for grad in grads.values())


def test_the_second_part_leaves_the_decomposition_alone(tmp_path):
    made = recipe_of("model")
    before = {name: value.clone() for name, value in made.network.state_dict().items()}
    batch = batch_of()
    loop.train(made, Batches(lambda step, process: batch, ()), Run(1, 0, tmp_path, log_every=1))
    same = {n for n, value in made.network.state_dict().items() if torch.equal(value, before[n])}
    assert same == {name for name in before if name.startswith("decomposition")}


def test_both_parts_learn_to_brighten_two_images(tmp_path):
    batch, states = batch_of(side=16), {}
    for part, steps in (("decomposition", 60), ("model", 40)):
        torch.manual_seed(0)
        made = kind.recipe(part, states, width=4)
        for phase in made.phases:
            phase.optimiser.keywords["lr"] = 1e-2
        run = Run(steps, 0, tmp_path / part, log_every=5)
        log = loop.train(made, Batches(lambda step, process: batch, ()), run)
        totals = [sum(v for k, v in row.items() if "/" in k) for row in log]
        assert totals[-1] < 0.6 * totals[0]
        states[part] = made.network.state_dict()
    with torch.no_grad():
        error = (made.network(batch.input) - batch.target).abs().mean()
    assert error < 0.5 * (batch.input - batch.target).abs().mean()


def test_the_method_is_the_network_on_one_image():
    network = network_of(ratio=2.0)
    image = to_float(np.random.default_rng(0).integers(0, 256, (9, 5, 3), np.uint8))
    output = methods.find("kind")(network.state_dict(), width=4, ratio=2.0)(image)
    with torch.no_grad():
        expected = network(torch.from_numpy(image).permute(2, 0, 1)[None])[0].permute(1, 2, 0)
    np.testing.assert_allclose(output, expected.clamp(0, 1).numpy(), atol=1e-6)


def test_the_reference_is_not_asked_for():
    assert methods.find("kind").needs == "nothing"


def test_the_released_files_are_said_to_be_partial():
    (released,) = methods.find("kind").released
    assert "restoration" in released.partial


def test_the_released_files_load_strictly_and_decompose():
    (released,) = methods.find("kind").released
    if any(weights.find_released(file) is None for file in released.files):
        pytest.skip("needs kind/*.pth: see weights/released/README.md")
    state = weights.read_released(released)
    network = Network(32, 5.0, True, **released.settings)
    loaded = 0
    for part in ("decomposition", "adjustment"):
        own = {k.removeprefix(f"{part}."): v for k, v in state.items() if k.startswith(part)}
        getattr(network, part).load_state_dict(own)
        loaded += len(own)
    assert loaded == len(state)
    image = torch.linspace(0.1, 0.3, 32).expand(1, 3, 32, 32)
    with torch.no_grad():
        reflectance, light = network.decomposition(image)
        assert (reflectance * light - image).abs().mean() < 0.02
        brighter = network.adjustment(light, torch.full((1, 1, 1, 1), 3.0))
    assert brighter.mean() > 1.5 * light.mean()
