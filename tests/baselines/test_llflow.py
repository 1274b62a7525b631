"""LLFlow: its encoder, its flow and its likelihood."""

import math

import lightning_fabric
import numpy as np
import pytest
import torch
from torch import distributions, nn

from baselines import _llflow_encoder as encoder
from baselines import _llflow_flow as flow
from baselines import llflow
from benchmark import methods
from benchmark.core.errors import InputError
from benchmark.core.images import to_float, write
from benchmark.data.inputs import TrainingImage
from benchmark.training import Batch, Batches, loop
from benchmark.training.crops import CropSampler
from benchmark.training.loop import Run
from tests.helpers import networks

SMALL = {"width": 32, "blocks": 4, "taps": 1, "flow_steps": 4}
"""The small network of the authors."""

pytestmark = pytest.mark.usefixtures("one_thread")


def network_of(**settings):
    return networks.recipe("llflow", **settings).network


def batch_of(count=2, side=32, seed=0):
    """Dark images with their equalised selves, normal-light ones, of patches of random colour."""
    generator = torch.Generator().manual_seed(seed)
    normal = torch.rand(count, 3, side // 4, side // 4, generator=generator)
    normal = nn.functional.interpolate(normal, scale_factor=4)
    return Batch(encoder.with_equalised(0.3 * normal**2), normal, torch.full((count,), 80))


def shaken(module, strength=1.0):
    """Give a fresh flow couplings that do something, which by design they at first do not."""
    torch.manual_seed(0)
    for part in module.modules():
        if isinstance(part, flow.Affine):
            nn.init.normal_(part.last.weight, 0.0, 0.05 * strength)
            nn.init.normal_(part.last.bias, 0.0, 0.2 * strength)
            nn.init.normal_(part.log_gain, 0.0, 0.05 * strength)
        if isinstance(part, flow.Mix):
            part.weight.data += 0.05 * strength * torch.randn_like(part.weight)
    return module


def round_trip(made, image, given):
    """Return the image that comes back from its latent; actnorm starts from it."""
    with torch.no_grad():
        made.train()(image, given)
        latent, _ = made.eval()(image, given)
        return made.inverse(latent, given, made.undos())


def random_case(dtype, steps=12):
    """Return a flow of the published depth, an image and features."""
    torch.manual_seed(0)
    made = flow.Flow(features=32, hidden=64, steps=steps).to(dtype)
    image = torch.rand(2, 3, 16, 16, dtype=dtype)
    return made, image, [torch.randn(2, 32, side, side, dtype=dtype) for side in (8, 4, 2)]


def features_of(made, image):
    with torch.no_grad():
        return made.encoder(image).features


def trained(steps, folder, draw=lambda step, process: batch_of(side=16), rate=5e-4):
    """Train a tiny network; returns it and the log."""
    made = networks.recipe("llflow")
    made.phases[0].optimiser.keywords["lr"] = rate
    log = loop.train(made, Batches(draw, ()), Run(steps, 0, folder, save_every=2))
    return made.network, log


@pytest.mark.parametrize(
    ("settings", "applied", "width", "published"),
    [({}, 37_677_395, 64, 37.75), (SMALL, 4_967_635, 32, 4.99)],
)
def test_the_network_has_the_published_size_but_for_layers_never_applied(
    settings, applied, width, published
):
    with torch.device("meta"):
        network = llflow.recipe("model", {}, **settings).network
    count = sum(parameter.numel() for parameter in network.parameters())
    never_applied = 2 * (9 * width**2 + width) + (9 * width * 3 + 3) + (width * 3 + 3)
    assert count == applied
    assert (count + never_applied) / 1e6 == pytest.approx(published, abs=0.005)


def test_the_flow_is_given_320_channels_at_the_published_width():
    with torch.device("meta"):
        network = llflow.recipe("model", {}).network
    first = network.flow.levels[0].couplings[0].by_features.body[0].conv
    assert first.in_channels == 320


def test_the_flow_of_the_published_depth_undoes_itself_with_random_weights():
    made, image, given = random_case(torch.float32)
    found = round_trip(shaken(made, 0.2), image, given)
    torch.testing.assert_close(found, image, atol=1e-4, rtol=0)


def test_the_inverse_of_wilder_weights_is_exact_in_double_precision():
    made, image, given = random_case(torch.double)
    found = round_trip(shaken(made, 0.5), image, given)
    torch.testing.assert_close(found, image, atol=1e-10, rtol=0)


def test_the_flow_undoes_itself_after_training(tmp_path):
    network, _ = trained(10, tmp_path)
    network.eval()
    batch = batch_of(seed=1)
    given = features_of(network, batch.input)
    with torch.no_grad():
        latent, _ = network.flow(batch.target, given)
        found = network.flow.inverse(latent, given, network.flow.undos())
    torch.testing.assert_close(found, batch.target, atol=1e-4, rtol=0)


def test_an_image_made_of_a_latent_has_that_latent():
    made, image, given = random_case(torch.float32, steps=2)
    round_trip(shaken(made, 0.2), image, given)
    latent = torch.randn(2, 192, 2, 2)
    with torch.no_grad():
        found = made(made.inverse(latent, given, made.undos()), given).value
    torch.testing.assert_close(found, latent, atol=1e-4, rtol=0)


def logdet_of_jacobian(layer, value):
    jacobian = torch.autograd.functional.jacobian(lambda image: layer(image).value, value)
    return torch.linalg.slogdet(jacobian.reshape(value.numel(), value.numel())).logabsdet


def test_a_mix_states_its_determinant():
    torch.manual_seed(0)
    layer = shaken(flow.Mix(6)).double()
    value = torch.randn(1, 6, 3, 4, dtype=torch.double)
    torch.testing.assert_close(layer(value).logdet, logdet_of_jacobian(layer, value))


def test_a_coupling_states_its_determinant():
    torch.manual_seed(0)
    layer = shaken(flow.Coupling(5, 3, 8)).double()
    value = torch.randn(1, 5, 4, 3, dtype=torch.double)
    features = torch.randn(1, 3, 4, 3, dtype=torch.double)
    expected = logdet_of_jacobian(lambda image: layer(image, features), value)
    assert expected.abs() > 1
    torch.testing.assert_close(layer(value, features).logdet[0], expected)


def test_a_level_states_its_determinant():
    torch.manual_seed(0)
    layer = shaken(flow.Level(12, 3, 8, steps=2)).double()
    value = torch.randn(1, 3, 4, 6, dtype=torch.double)
    features = torch.randn(1, 3, 2, 3, dtype=torch.double)
    expected = logdet_of_jacobian(lambda image: layer(image, features), value)
    torch.testing.assert_close(layer(value, features).logdet[0], expected)


def test_the_flow_states_its_determinant_for_each_image():
    network = shaken(network_of()).double()
    batch = batch_of(side=8)
    given = features_of(network, batch.input.double())
    found = network.flow(batch.target.double(), given).logdet
    for index in range(2):
        one = [features[index : index + 1] for features in given]
        expected = logdet_of_jacobian(
            lambda image, one=one: network.flow(image, one),
            batch.target[index : index + 1].double(),
        )
        torch.testing.assert_close(found[index], expected)


def test_couplings_start_as_a_scaling_by_the_sigmoid_of_two():
    torch.manual_seed(0)
    layer = flow.Coupling(4, 3, 8)
    value, features = torch.randn(2, 4, 5, 5), torch.randn(2, 3, 5, 5)
    scale = 1 / (1 + math.exp(-2)) + 1e-4
    expected = value * torch.tensor([scale, scale, scale**2, scale**2]).view(1, 4, 1, 1)
    torch.testing.assert_close(layer(value, features).value, expected)


def test_actnorm_normalises_the_first_batch_and_no_later_one():
    torch.manual_seed(0)
    layer = flow.Actnorm(3)
    first = layer(5 + 2 * torch.randn(4, 3, 16, 16))
    assert first.mean((0, 2, 3)).tolist() == pytest.approx([0, 0, 0], abs=1e-5)
    assert first.var((0, 2, 3), correction=0).tolist() == pytest.approx([1, 1, 1], abs=1e-4)
    assert layer(torch.zeros(4, 3, 16, 16)).mean().item() == pytest.approx(-2.5, rel=0.05)


def test_actnorm_stays_as_it_is_in_evaluation():
    layer = flow.Actnorm(3).eval()
    value = 5 + torch.randn(1, 3, 4, 4)
    assert torch.equal(layer(value), value)
    assert not layer.ready


def test_actnorm_survives_saving_and_loading():
    torch.manual_seed(0)
    first, second = flow.Actnorm(3), flow.Actnorm(3)
    first(5 + torch.randn(4, 3, 8, 8))
    second.load_state_dict(first.state_dict())
    value = torch.randn(4, 3, 8, 8)
    assert torch.equal(second(value), first(value))


def test_a_channel_without_variance_stays_finite():
    assert torch.isfinite(flow.Actnorm(3)(torch.ones(1, 3, 1, 1))).all()


def test_a_killed_training_ends_as_if_it_had_not_been(tmp_path):
    def draw(step, process):
        if step == 2:
            raise KeyboardInterrupt
        return batch_of(side=16)

    with pytest.raises(KeyboardInterrupt):
        trained(4, tmp_path / "killed", draw)
    resumed, _ = trained(4, tmp_path / "killed")
    whole, _ = trained(4, tmp_path / "whole")
    for name, value in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value)


def test_equalising_by_hand():
    levels = torch.tensor([[10, 10, 20, 30]]).view(1, 1, 2, 2) / 255
    image = levels.expand(1, 3, 2, 2)
    found = encoder.equalise(image)[0, 1].flatten() * 255
    assert found.round().tolist() == [0, 0, 128, 255]  # half of the upper two, then all


def test_equalising_agrees_with_counting():
    random = np.random.default_rng(0)
    pixels = random.integers(3, 40, (2, 3, 9, 7), np.uint8)
    found = encoder.equalise(torch.from_numpy(pixels / 255).float()).numpy() * 255
    for made, channel in zip(found.reshape(6, -1), pixels.reshape(6, -1), strict=True):
        lowest = (channel == channel.min()).sum()
        expected = [
            round(255 * ((channel <= level).sum() - lowest) / (channel.size - lowest))
            for level in channel
        ]
        np.testing.assert_allclose(made, expected, atol=1e-3)


def test_a_channel_of_one_level_is_not_equalised():
    image = torch.full((1, 3, 4, 4), 51 / 255)
    torch.testing.assert_close(encoder.equalise(image), image)


def test_a_colour_map_ignores_brightness():
    image = batch_of().target + 0.1
    torch.testing.assert_close(
        encoder.colour_map(0.5 * image), encoder.colour_map(image), atol=5e-4, rtol=0
    )
    assert encoder.colour_map(torch.zeros(1, 3, 1, 1)).abs().max() == 0


def test_a_noise_map_by_hand():
    colours = torch.zeros(1, 3, 3, 4)
    colours[0, 0, 1, 2] = 0.5
    found = encoder.noise_map(colours)[0]
    expected = torch.tensor([[0, 0, 0.25, 0], [0, 0.25, 0, 0.25], [0, 0, 0.25, 0]])
    assert torch.equal(found[0], expected)
    assert found[1:].abs().max() == 0


def test_the_encoder_sees_logarithm_equalised_image_colours_and_noise():
    pair = batch_of().input
    image, found = pair[:, :3], encoder.inputs(pair)
    colours = encoder.colour_map(image + 0.001)
    parts = [(image + 0.001).log(), encoder.equalise(image), colours, encoder.noise_map(colours)]
    assert torch.equal(found, torch.cat(parts, 1))


def test_histograms_are_equalised_over_the_whole_image_and_crops_cut_after(tmp_path):
    """A crop of the dark half alone would be equalised to the whole range."""
    pixels = np.random.default_rng(0).integers(2, 40, (40, 64, 3), np.uint8)
    pixels[:, 32:] += 100
    write(tmp_path / "dark.png", pixels)
    write(tmp_path / "normal.png", pixels)
    item = TrainingImage({90: tmp_path / "dark.png"}, tmp_path / "normal.png")
    whole = networks.recipe("llflow").whole
    seen = CropSampler([item], crop=16, batch=40, seed=0, whole=whole).draw(0, 0)
    table = encoder.equalise(networks.tensor(to_float(pixels)))[0]
    expected = {}  # channel and level to equalised level
    for channel in range(3):
        for level, to in zip(pixels[..., channel].ravel(), table[channel].ravel(), strict=True):
            expected[channel, int(level)] = to.item()
    image, equalised = seen.input.chunk(2, 1)
    levels = (image * 255).round().int()
    for channel in range(3):
        found = zip(levels[:, channel].ravel(), equalised[:, channel].ravel(), strict=True)
        assert all(abs(expected[channel, int(level)] - to.item()) < 1e-6 for level, to in found)
    dark = image.amax((1, 2, 3)) < 0.3
    assert dark.any()
    assert equalised[dark].max() < 0.6
    assert seen.target.shape == (40, 3, 16, 16)


def test_what_is_validated_is_what_the_method_does_with_the_whole_image():
    made = networks.recipe("llflow")
    shaken(made.network).eval()
    pixels = np.random.default_rng(0).integers(0, 60, (32, 48, 3), np.uint8)
    pair = torch.from_numpy(made.whole.input(pixels)).permute(2, 0, 1)[None] / 255
    whole = networks.tensor(to_float(pixels))
    with torch.no_grad():
        assert torch.equal(made.predict(pair), made.network(whole))


def test_features_come_in_three_sizes_with_the_tapped_blocks_stacked():
    found = network_of().encoder(batch_of(side=32).input)
    assert [tuple(level.shape) for level in found.features] == [
        (2, 16, 16, 16),
        (2, 16, 8, 8),
        (2, 16, 4, 4),
    ]
    assert torch.equal(found.features[1][:, 8:], found.features[0][:, 8:, ::2, ::2])
    assert found.colours.shape == (2, 3, 32, 32)


def test_the_likelihood_agrees_with_torch():
    torch.manual_seed(0)
    latent, mean, logdet = torch.randn(2, 192, 2, 3), torch.rand(2, 192, 2, 3), torch.randn(2)
    normal = distributions.Normal(mean, 1.0).log_prob(latent).sum((1, 2, 3))
    pixels = 16 * 24
    expected = -(normal + logdet) / math.log(2) / pixels + 3 * math.log2(32)
    found = llflow.likelihood_loss(latent, mean, logdet)
    torch.testing.assert_close(found, expected.mean())


def test_a_fifth_of_the_batches_aims_at_the_true_colours(monkeypatch):
    network, batch = network_of(), batch_of(side=8)
    true = nn.functional.pixel_unshuffle(encoder.colour_map(batch.target), 8)
    aims = []

    def record(latent, mean, logdet):
        aims.append(torch.equal(mean, true))
        return latent.sum()

    monkeypatch.setattr(llflow, "likelihood_loss", record)
    torch.manual_seed(0)
    for _ in range(80):
        llflow._loss(network, batch)
    assert 0.1 < sum(aims) / len(aims) < 0.3


def test_the_flow_sees_images_with_noise_of_at_most_half_a_quantum():
    network, batch = network_of(), batch_of()
    seen = []
    network.flow.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    llflow._loss(network, batch)
    noise = seen[0] - batch.target
    assert noise.abs().max() <= 1 / 64 + 1e-6
    assert noise.std().item() == pytest.approx(1 / 32 / math.sqrt(12), rel=0.05)


def test_crops_that_cannot_be_squeezed_are_refused():
    with pytest.raises(InputError, match="multiples of 8, but got 12"):
        llflow._loss(network_of(), batch_of(side=12))


def test_the_gradient_reaches_every_parameter():
    network = shaken(network_of())
    torch.manual_seed(1)  # the predicted colours are aimed at
    llflow._loss(network, batch_of())["nll"].backward()
    assert networks.silent(network) == []


def test_the_network_learns_to_brighten_two_images(tmp_path):
    network, log = trained(40, tmp_path, rate=5e-3)
    batch = batch_of(side=16)
    with torch.no_grad():
        output = network.eval().brighten(batch.input)
    assert log[-1]["train/nll"] < log[0]["train/nll"] - 2  # bits a pixel
    before = (batch.input[:, :3] - batch.target).square().mean()
    assert (output - batch.target).square().mean() < 0.5 * before


def test_small_images_are_extended_by_repetition_and_others_by_reflection():
    row = torch.arange(1.0, 13.0).expand(1, 3, 1, 12)
    found = llflow._padded(row)
    assert found.shape == (1, 3, 16, 16)
    assert found[0, 0, 7].tolist() == [*range(1, 13), 12, 12, 12, 12]
    square = row.expand(1, 3, 16, 12)
    assert llflow._padded(square)[0, 0, 0].tolist() == [*range(1, 13), 11, 10, 9, 8]
    assert torch.equal(llflow._padded(found), found)


def test_the_method_is_the_network_on_one_image():
    network = shaken(network_of()).eval()
    networks.assert_is_method(network, "llflow", **methods.find("llflow").quick)


def test_its_output_is_stored_as_the_authors_store_it():
    assert methods.find("llflow").writes == "truncate"


def train_in_a_process(fabric, folder):
    torch.set_num_threads(1)
    made = networks.recipe("llflow")
    batches = Batches(lambda step, process: batch_of(seed=process), ())
    loop.train(made, batches, Run(2, 0, folder / "run"), fabric)
    torch.save(made.network.state_dict(), folder / f"{fabric.global_rank}.pt")


@pytest.mark.slow
def test_processes_agree_on_what_actnorm_starts_from(tmp_path):
    fabric = lightning_fabric.Fabric(accelerator="cpu", devices=2, strategy="ddp_spawn")
    fabric.launch(train_in_a_process, tmp_path)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)
