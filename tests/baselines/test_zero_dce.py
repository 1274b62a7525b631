"""Zero-DCE: its network, its four losses and the authors' weights."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from baselines import zero_dce
from benchmark import methods
from benchmark.core.images import to_float
from benchmark.methods import assemble
from benchmark.training import Batch, Batches, loop
from benchmark.training.loop import Run


@pytest.fixture
def network():
    torch.manual_seed(0)
    return zero_dce.recipe("model", {}).network


def batch_of(count=2, side=32):
    generator = torch.Generator().manual_seed(0)
    image = 0.3 * torch.rand(count, 3, side // 4, side // 4, generator=generator)
    image = nn.functional.interpolate(image, scale_factor=4)
    return Batch(image, image, torch.full((count,), 80))


def test_the_network_has_the_published_size(network):
    assert sum(parameter.numel() for parameter in network.parameters()) == 79_416


def test_the_width_is_a_setting():
    assert zero_dce.recipe("model", {}, width=8).network.convs[0].out_channels == 8


def test_there_are_eight_curves_of_three_channels_between_minus_one_and_one(network):
    curves = network.curves(batch_of().input)
    assert curves.shape == (2, 24, 32, 32)
    assert curves.abs().max() <= 1


def test_curves_are_applied_one_after_the_other():
    image, value = torch.tensor([0.1, 0.2, 0.3]), [0.1, 0.2, 0.3]
    curves = torch.linspace(-1, 1, 24)
    for step in range(8):
        value = [
            x + float(curves[3 * step + channel]) * (x * x - x) for channel, x in enumerate(value)
        ]
    found = zero_dce.bend(image.view(1, 3, 1, 1), curves.view(1, 24, 1, 1))
    assert found.flatten().tolist() == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_curves_keep_the_range(seed):
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(1, 3, 8, 8, generator=generator)
    curves = 2 * torch.rand(1, 24, 8, 8, generator=generator) - 1
    found = zero_dce.bend(image, curves)
    assert found.min() >= 0
    assert found.max() <= 1


def test_spatial_consistency_by_hand():
    image = torch.zeros(1, 3, 8, 8)
    output = image.clone()
    output[..., :4, :4] = 0.5  # one of four regions; two pairs of neighbours, seen from both ends
    frame = 2 * 0.5**2  # above it and to its left
    found = zero_dce.spatial_consistency(output, image)
    assert found.item() == pytest.approx((4 * 0.5**2 + frame) / 4)


def test_the_frame_sees_a_common_shift_and_the_inside_does_not():
    image = batch_of().input  # 8 x 8 regions: 32 sides at the frame
    found = zero_dce.spatial_consistency(image + 0.25, image)
    assert found.item() == pytest.approx(32 * 0.25**2 / 64, rel=1e-5)


def test_exposure_by_hand():
    output = torch.full((1, 3, 16, 32), 0.6)
    output[..., 16:] = 0.2
    assert zero_dce.exposure(output).item() == pytest.approx(0.4**2 / 2, rel=1e-5)


def test_colour_constancy_by_hand():
    output = torch.tensor([0.5, 0.3, 0.2]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    expected = math.sqrt(0.2**4 + 0.3**4 + 0.1**4)
    assert zero_dce.colour_constancy(output).item() == pytest.approx(expected, rel=1e-5)


def test_colour_constancy_has_a_gradient_on_grey_images():
    output = torch.full((1, 3, 4, 4), 0.5, requires_grad=True)
    zero_dce.colour_constancy(output).backward()
    assert torch.isfinite(output.grad).all()


def test_curve_smoothness_by_hand():
    curves = torch.zeros(2, 24, 3, 4)
    curves[0, 5, 1, 2] = 0.5  # two vertical and two horizontal differences
    vertical, horizontal = 2 * 0.25 / (2 * 4), 2 * 0.25 / (3 * 3)
    expected = 2 * (vertical + horizontal) / 2  # over a batch of 2
    assert zero_dce.curve_smoothness(curves).item() == pytest.approx(expected)


def test_the_losses_have_the_published_weights(network):
    batch = batch_of()
    terms = zero_dce._loss(network, batch)
    curves = network.curves(batch.input)
    output = zero_dce.bend(batch.input, curves)
    assert {name: value.item() for name, value in terms.items()} == pytest.approx(
        {
            "spatial": zero_dce.spatial_consistency(output, batch.input).item(),
            "exposure": 10 * zero_dce.exposure(output).item(),
            "colour": 5 * zero_dce.colour_constancy(output).item(),
            "smoothness": 200 * zero_dce.curve_smoothness(curves).item(),
        }
    )


def test_no_loss_reads_the_reference(network):
    batch = batch_of()
    other = batch._replace(target=1 - batch.target)
    first, second = zero_dce._loss(network, batch), zero_dce._loss(network, other)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_published_recipe():
    made = zero_dce.recipe("model", {})
    (phase,) = made.phases
    options = phase.optimiser.keywords
    assert phase.optimiser.func is torch.optim.Adam
    assert (options["lr"], options["weight_decay"], phase.clip) == (1e-4, 1e-4, 0.1)
    assert (made.batch, made.crop, made.source, made.decay) == (8, 256, "pairs", False)


def test_weights_start_small(network):
    values = torch.cat([conv.weight.flatten() for conv in network.convs])
    assert values.std().item() == pytest.approx(0.02, rel=0.03)


def test_the_gradient_reaches_every_parameter(network):
    sum(zero_dce._loss(network, batch_of()).values()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_the_network_learns_to_brighten_two_images(tmp_path):
    torch.manual_seed(0)
    made = zero_dce.recipe("model", {}, width=8)
    batch = batch_of()
    run = Run(150, 0, tmp_path, log_every=50)
    made.phases[0].optimiser.keywords["lr"] = 2e-3
    log = loop.train(made, Batches(lambda step, process: batch, ()), run)
    assert log[-1]["train/exposure"] < 0.5 * log[0]["train/exposure"]
    assert made.network(batch.input).mean() > 2 * batch.input.mean()


def test_the_method_is_the_network_on_one_image(network):
    image = to_float(np.random.default_rng(0).integers(0, 256, (9, 5, 3), np.uint8))
    output = methods.find("zero_dce")(network.state_dict())(image)
    with torch.no_grad():
        expected = network(torch.from_numpy(image).permute(2, 0, 1)[None])[0].permute(1, 2, 0)
    np.testing.assert_allclose(output, expected.numpy(), atol=1e-6)


def test_names_of_the_released_file_become_ours(network):
    theirs = {
        f"e_conv{index + 1}.{kind}": getattr(conv, kind)
        for index, conv in enumerate(network.convs)
        for kind in ("weight", "bias")
    }
    (released,) = methods.find("zero_dce").released
    adapted = released.adapt(theirs)
    assert adapted.keys() == network.state_dict().keys()
    assert adapted["convs.6.bias"] is theirs["e_conv7.bias"]


def test_the_released_file_loads():
    (released,) = methods.find("zero_dce").released
    if assemble.find_released(released.files[0]) is None:
        pytest.skip("needs zero_dce/Epoch99.pth: see weights/released/README.md")
    method = methods.find("zero_dce")(assemble.read_released(released))
    dark = np.full((8, 8, 3), 0.1, np.float32)
    assert method(dark).mean() > 0.3
