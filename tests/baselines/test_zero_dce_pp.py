"""Zero-DCE++: its network, the small copy it looks at, its losses and the authors' weights."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from baselines import zero_dce, zero_dce_pp
from benchmark import methods
from benchmark.core.images import to_float
from benchmark.methods import assemble
from benchmark.training import Batch, Batches, loop
from benchmark.training.loop import Run


@pytest.fixture
def network():
    torch.manual_seed(0)
    return zero_dce_pp.recipe("model", {}).network


def batch_of(count=2, side=32):
    generator = torch.Generator().manual_seed(0)
    image = 0.3 * torch.rand(count, 3, side // 4, side // 4, generator=generator)
    image = nn.functional.interpolate(image, scale_factor=4)
    return Batch(image, image, torch.full((count,), 80))


def test_the_network_has_the_published_size(network):
    assert sum(parameter.numel() for parameter in network.parameters()) == 10_561


def test_one_curve_is_applied_eight_times():
    image, value, curve = torch.tensor([0.1, 0.2, 0.3]), [0.1, 0.2, 0.3], [-0.5, 0.1, -1.0]
    for _ in range(8):
        value = [x + a * (x * x - x) for x, a in zip(value, curve, strict=True)]
    found = zero_dce_pp.brightened(image.view(1, 3, 1, 1), torch.tensor(curve).view(1, 3, 1, 1))
    assert found.flatten().tolist() == pytest.approx(value, abs=1e-6)


def test_channels_are_convolved_on_their_own_first():
    depthwise, pointwise = zero_dce_pp.Separable(4, 6)
    assert depthwise.weight.shape == (4, 1, 3, 3)
    assert pointwise.weight.shape == (6, 4, 1, 1)


def test_curves_lie_between_minus_one_and_one(network):
    curve = network.curve(batch_of().input)
    assert curve.shape == (2, 3, 32, 32)
    assert curve.abs().max() <= 1


def test_curves_are_drawn_on_a_small_copy(network):
    network.scale, image = 4, batch_of().input
    small = functional.interpolate(image, (8, 8), mode="bilinear")
    curve = functional.interpolate(
        network.curve(small), (32, 32), mode="bilinear", align_corners=True
    )
    assert torch.allclose(network(image), zero_dce_pp.brightened(image, curve), atol=1e-6)


def test_a_border_makes_up_for_sizes_that_are_no_multiple(network):
    network.scale, image = 4, batch_of().input
    cut = image[..., :30, :29]
    padded = functional.pad(cut, (0, 3, 0, 2), mode="replicate")
    assert torch.allclose(network(cut), network(padded)[..., :30, :29], atol=1e-6)


def test_at_scale_one_the_image_itself_is_looked_at(network):
    network.scale, image = 1, batch_of().input
    expected = zero_dce_pp.brightened(image, network.curve(image))
    assert torch.equal(network(image), expected)


def test_the_losses_are_those_of_zero_dce_with_a_stronger_smoothness(network):
    batch = batch_of()
    terms = zero_dce_pp._loss(network, batch)
    curve = network.curve(batch.input)
    output = zero_dce_pp.brightened(batch.input, curve)
    assert {name: value.item() for name, value in terms.items()} == pytest.approx(
        {
            "spatial": zero_dce.spatial_consistency(output, batch.input).item(),
            "exposure": 10 * zero_dce.exposure(output).item(),
            "colour": 5 * zero_dce.colour_constancy(output).item(),
            "smoothness": 1600 * zero_dce.curve_smoothness(curve).item(),
        }
    )


def test_no_loss_reads_the_reference(network):
    batch = batch_of()
    first = zero_dce_pp._loss(network, batch)
    second = zero_dce_pp._loss(network, batch._replace(target=1 - batch.target))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_published_recipe():
    made = zero_dce_pp.recipe("model", {})
    (phase,) = made.phases
    options = phase.optimiser.keywords
    assert phase.optimiser.func is torch.optim.Adam
    assert (options["lr"], options["weight_decay"], phase.clip) == (1e-4, 1e-4, 0.1)
    assert (made.batch, made.crop, made.steps, made.decay) == (8, 512, 25_000, False)
    assert made.network.scale == 12


def test_the_gradient_reaches_every_parameter(network):
    sum(zero_dce_pp._loss(network, batch_of()).values()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_the_network_learns_to_brighten_two_images(tmp_path):
    torch.manual_seed(0)
    made = zero_dce_pp.recipe("model", {}, width=8, scale=1)
    batch = batch_of()
    made.phases[0].optimiser.keywords["lr"] = 3e-3
    log = loop.train(
        made, Batches(lambda step, process: batch, ()), Run(150, 0, tmp_path, log_every=50)
    )
    assert log[-1]["train/exposure"] < 0.5 * log[0]["train/exposure"]
    assert made.network(batch.input).mean() > 2 * batch.input.mean()


def test_the_released_file_loads_and_brightens():
    (entry,) = methods.find("zero_dce_pp").released
    if assemble.find_released(entry.files[0]) is None:
        pytest.skip("needs zero_dce_pp/Epoch99.pth: see weights/released/README.md")
    method = methods.find("zero_dce_pp")(assemble.read_released(entry))
    assert method(np.full((30, 40, 3), 0.1, np.float32)).mean() > 0.3


def test_names_of_the_released_file_become_ours(network):
    theirs = {
        f"e_conv{place}.{kind}_conv.{what}": torch.ones(1)
        for place in range(1, 8)
        for kind in ("depth", "point")
        for what in ("weight", "bias")
    }
    adapted = methods.find("zero_dce_pp").released[0].adapt(theirs)
    assert adapted.keys() == network.state_dict().keys()


def test_the_method_is_the_network_on_one_image(network):
    image = to_float(np.random.default_rng(0).integers(0, 256, (19, 25, 3), np.uint8))
    output = methods.find("zero_dce_pp")(network.state_dict())(image)
    with torch.no_grad():
        expected = network(torch.from_numpy(image).permute(2, 0, 1)[None])[0].permute(1, 2, 0)
    np.testing.assert_allclose(output, expected.numpy(), atol=1e-6)
