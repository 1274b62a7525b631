"""KinD: its three networks, their losses and what the port released."""

import math

import numpy as np
import pytest
import scipy.signal
import skimage.filters
import skimage.metrics
import torch
from torch import nn

from baselines import _kind_losses as losses
from baselines import _tensorflow, kind
from baselines._kind_networks import Decomposition, Layers, Network, Up, blur, halve, stretch
from benchmark import ROOT, methods
from benchmark.core.images import read_uint8, to_float, to_uint8
from benchmark.data import registry
from benchmark.demo import sample_photos
from benchmark.methods import checkpoints
from benchmark.training import UNCHANGED, Batch
from tests.helpers import networks
from tests.helpers.networks import count


def network_of(width=4, ratio=5.0, stretch=True, port=False):
    torch.manual_seed(0)
    return Network(width, ratio, stretch, port)


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


def test_slopes_reach_from_the_last_row_and_column_to_a_black_frame():
    maps = torch.tensor([[0.1, 0.2, 0.2], [0.0, 0.1, 0.5]]).view(1, 1, 2, 3)
    across, down = _tensorflow.slopes(maps)
    # across: of the row below; the row below the last is the frame
    torch.testing.assert_close(across[0, 0], torch.tensor([[0.1, 0.4, 0.5], [0.0, 0.0, 0.0]]))
    # down: of the column on the right; the column right of the last is the frame
    torch.testing.assert_close(down[0, 0], torch.tensor([[0.1, 0.3, 0.0], [0.1, 0.5, 0.0]]))


def test_slopes_are_stretched_with_the_step_to_the_frame_among_them():
    maps = torch.tensor([[0.1, 0.2, 0.2], [0.0, 0.1, 0.5]]).view(1, 1, 2, 3)
    across, down = losses.slopes(maps)
    expected = torch.tensor([[0.1, 0.4, 0.5], [0.0, 0.0, 0.0]]) / 0.5001
    torch.testing.assert_close(across[0, 0], expected)
    expected = torch.tensor([[0.1, 0.3, 0.0], [0.1, 0.5, 0.0]]) / 0.5001
    torch.testing.assert_close(down[0, 0], expected)


def half_lit(low, high):
    """A map of 4 x 4 whose left half is `low` and right half `high`."""
    maps = torch.full((1, 1, 4, 4), low)
    maps[..., 2:] = high
    return maps


def test_mutual_consistency_by_hand():
    edge, flat = half_lit(0.2, 0.8), torch.full((1, 1, 4, 4), 0.3)

    def cost(first, second):
        return (first + second) * math.exp(-10 * (first + second))

    low, step, high, level = 0.2 / 0.8001, 0.6 / 0.8001, 0.8 / 0.8001, 0.3 / 0.3001
    # Three rows have the edge and the frame's step across, three columns the frame's step down.
    alone = 3 * (cost(step, 0) + cost(high, level)) + cost(low, level) + 2 * cost(high, level)
    assert losses.mutual_consistency(edge, flat).item() == pytest.approx(alone / 16, rel=1e-4)
    both = 3 * (cost(step, step) + cost(high, high)) + cost(low, low) + 2 * cost(high, high)
    assert losses.mutual_consistency(edge, edge).item() == pytest.approx(both / 16, rel=1e-4)
    assert cost(step, step) < cost(step, 0)


def test_smoothness_by_hand():
    light, flat = half_lit(0.2, 0.8), torch.full((1, 3, 4, 4), 0.3)
    grey = 0.3 * 0.9999  # the sum of TensorFlow's weights
    frame = 0.8 / 0.8001 / (grey / (grey + 0.0001))
    across = 3 * (0.6 / 0.8001 / 0.01 + frame)
    down = 0.2 / 0.8001 / (grey / (grey + 0.0001)) + 2 * frame
    assert losses.smoothness(light, flat).item() == pytest.approx((across + down) / 16, rel=1e-4)
    same = light.expand(1, 3, 4, 4)  # where the image has the edge too it costs little
    assert losses.smoothness(light, same).item() == pytest.approx((3 + 3 + 3) / 16, rel=1e-3)


def slopes_of_scipy(maps):
    """Slopes across and down of (N, 1, H, W), stretched, by a convolution with a black frame."""
    kernel = np.array([[0.0, 0.0], [-1.0, 1.0]])
    framed = np.pad(maps[:, 0].double().numpy(), ((0, 0), (0, 1), (0, 1)))
    for each in (kernel, kernel.T):
        found = np.abs([scipy.signal.correlate2d(image, each, "valid") for image in framed])
        yield (found - found.min()) / (found.max() - found.min() + 0.0001)


@pytest.mark.parametrize("contrast", [1.0, 0.5, 0.25, 0.1])
def test_smoothness_agrees_with_scipy(contrast):
    image = networks.pairs().target + 0.05 * torch.rand(2, 3, 32, 32)
    light = image.amax(1, keepdim=True)
    light = light.mean() + contrast * (light - light.mean())
    grey = (image * torch.tensor([0.2989, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    pairs = zip(slopes_of_scipy(light), slopes_of_scipy(grey), strict=True)
    expected = sum((steps / np.maximum(edges, 0.01)).mean() for steps, edges in pairs)
    assert losses.smoothness(light, image).item() == pytest.approx(expected, rel=1e-4)


def test_smoothness_sees_the_contrast_of_the_illumination():
    image = networks.pairs().target + 0.05 * torch.rand(2, 3, 32, 32)
    light = image.amax(1, keepdim=True)

    def cost(contrast):
        changed = light.mean() + contrast * (light - light.mean())
        return losses.smoothness(changed, image).item()

    costs = [cost(contrast) / cost(1.0) for contrast in (0.5, 0.25, 0.1)]
    # the authors' program on photographs: .84, .45 and .21 of 1.46; without the frame all are 1
    assert costs == pytest.approx([0.57, 0.31, 0.14], abs=0.08)


def test_a_level_illumination_with_a_trace_of_noise_is_smooth():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, 1, 48, 48, generator=generator)
    image = torch.rand(1, 3, 48, 48, generator=generator)
    assert losses.smoothness(0.8 + 0.001 * noise, image).item() < 0.5


def test_slope_distance_by_hand():
    edge, black = half_lit(0.2, 0.8), torch.zeros(1, 1, 4, 4)
    across = 3 * ((0.6 / 0.8001) ** 2 + (0.8 / 0.8001) ** 2)
    down = (0.2 / 0.8001) ** 2 + 2 * (0.8 / 0.8001) ** 2
    found = losses.slope_distance(edge, black).item()
    assert found == pytest.approx((across + down) / 16)
    assert losses.slope_distance(edge, edge).item() == 0


def test_decomposition_losses_have_the_published_weights():
    network, batch = network_of(), networks.pairs()
    dark, normal = network.decomposition(batch.input), network.decomposition(batch.target)
    terms = kind.decomposition_terms(network, batch)
    expected = {
        "dark": (dark.reflectance * dark.illumination - batch.input).abs().mean(),
        "normal": (normal.reflectance * normal.illumination - batch.target).abs().mean(),
        "reflectance": 0.01 * (dark.reflectance - normal.reflectance).abs().mean(),
        "mutual": 0.2 * losses.mutual_consistency(dark.illumination, normal.illumination),
        "dark_smoothness": 0.15 * losses.smoothness(dark.illumination, batch.input),
        "normal_smoothness": 0.15 * losses.smoothness(normal.illumination, batch.target),
    }
    assert terms.keys() == expected.keys()
    for name, term in terms.items():
        torch.testing.assert_close(term, expected[name])


def test_the_restoration_aims_at_the_reflectance_to_the_power_of_1_2():
    network, batch = network_of(), networks.pairs()
    with torch.no_grad():
        normal = network.decomposition(batch.target)
    network.restoration = Constant(normal.reflectance**1.2)
    terms = kind.restoration_terms(network, batch)
    assert [term.item() for term in terms.values()] == pytest.approx([0, 0, 0], abs=1e-6)


def test_the_adjustment_learns_both_directions_with_the_true_ratio():
    network, batch = network_of(stretch=False), networks.pairs()
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


def test_whole_images_of_both_sides_are_stretched_before_crops_are_cut():
    pixels = np.random.default_rng(0).integers(3, 64, (20, 30, 3), np.uint8)
    for part in ("decomposition", "model"):
        made = networks.recipe("kind", part)
        assert made.whole == (kind.stretched, kind.stretched)
        assert networks.recipe("kind", part, stretch=False).whole == UNCHANGED
    found = made.whole.input(pixels)
    assert found.dtype == np.float32
    low, high = int(pixels.min()), int(pixels.max())
    np.testing.assert_allclose(found, (pixels - np.float32(low)) / (high - low), atol=1e-6)


def test_what_is_validated_is_what_the_method_does_with_the_whole_image():
    made = networks.recipe("kind")
    pixels = np.random.default_rng(0).integers(3, 64, (16, 24, 3), np.uint8)
    seen = networks.tensor(made.whole.input(pixels))
    whole = networks.tensor(to_float(pixels))
    with torch.no_grad():
        torch.testing.assert_close(made.predict(seen), made.network(whole))


def test_training_starts_from_weights_as_tensorflow_draws_them():
    made = networks.recipe("kind", "decomposition", width=32).network
    conv, enlarge = made.down[1], made.enlarge[0].conv  # 3 x 3, 64 to 128; 2 x 2, 128 to 64
    for layer, fans in ((conv, 9 * (64 + 128)), (enlarge, 4 * (64 + 128))):
        bound = math.sqrt(6 / fans)
        assert layer.weight.abs().max().item() == pytest.approx(bound, rel=0.01)
        assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)
    assert all(value.abs().max() == 0 for name, value in made.named_parameters() if "bias" in name)


def photograph_crops(side=48):
    """Crops of a photograph and of a dark one made of it, both stretched as whole images."""
    normal = to_uint8(sample_photos.read("astronaut")[::2, ::2])
    dark = to_uint8(0.25 * to_float(normal) ** 1.5)
    images = [kind.stretched(dark), kind.stretched(normal)]
    places = np.random.default_rng(0).integers(0, 256 - side, (4, 2))
    cut = [
        np.stack([i[top : top + side, left : left + side] for top, left in places]) for i in images
    ]
    sides = (torch.from_numpy(crops).permute(0, 3, 1, 2) for crops in cut)
    return Batch(*sides, torch.full((4,), 80))


def test_the_illumination_does_not_collapse_in_a_short_training(tmp_path):
    """One that is the same everywhere would leave the image to the reflectance."""
    made, batch = networks.recipe("kind", "decomposition", width=8), photograph_crops()
    networks.trained(made, batch, 80, tmp_path, rate=2e-3)  # 20 times the published rate
    with torch.no_grad():
        light = made.network(batch.target).illumination
    assert light.std().item() > 0.005  # 0.0008 without the frame, from weights of PyTorch


def test_the_reference_is_not_asked_for():
    assert methods.find("kind").needs == "nothing"


def deviations(side):
    """Standard deviation of each test image's illumination by the weights that ship."""
    folder = registry.find("LOL", registry.raw_roots(None))
    images = sorted(folder.glob(f"eval15/{side}/*.png")) if folder else []
    path = checkpoints.trained_path(ROOT / "weights" / "lol", "kind")
    if not images or not path.is_file():
        pytest.skip("needs LOL/eval15 in MLSM_BENCH_DATA or data/raw, and weights/lol/kind.pt")
    checkpoint = checkpoints.load(path, "kind")
    network = Network(checkpoint.settings["width"], 5.0, True, False)
    network.load_state_dict(checkpoint.state)
    for image in images:
        pixels = networks.tensor(kind.stretched(read_uint8(image)))
        with torch.no_grad():
            yield network.decomposition(pixels).illumination.std().item()


def test_the_illumination_of_held_out_normal_light_images_varies_with_the_weights_that_ship():
    found = list(deviations("high"))
    assert np.mean(found) > 0.05
    assert min(found) > 0.01


def test_the_illumination_of_held_out_dark_images_varies_with_the_weights_that_ship():
    found = list(deviations("low"))
    assert np.mean(found) > 0.05
    assert min(found) > 0.01
