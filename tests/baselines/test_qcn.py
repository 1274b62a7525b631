"""QCN and QGCN: quantisation tables beside the image, their networks and their recipe."""

import numpy as np
import pytest
import torch
from torch import nn

from baselines import _qcn_blocks, qcn, qgcn
from benchmark import methods
from benchmark.core import jpeg
from benchmark.core.images import to_float
from benchmark.training import Batch, Batches, loop
from benchmark.training.loop import Run

TINY = {
    "qcn": {"blocks": 2, "width": 8},
    "qgcn": {"blocks": 2, "width": 8, "channels": 2, "hidden": 16},
}
MODULES = {"qcn": qcn, "qgcn": qgcn}
NAMES = pytest.mark.parametrize("name", TINY)


def recipe(name):
    torch.manual_seed(0)
    return MODULES[name].recipe("model", {}, **TINY[name])


def image(height=17, width=21):
    return to_float(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def batch_of(qfs=(40, 80), side=24):
    """Compressed patches of random colour and what they were before."""
    cells = np.random.default_rng(0).integers(0, 256, (len(qfs), 4, 4, 3), np.uint8)
    originals = cells.repeat(6, 1).repeat(6, 2)[:, :side, :side]
    inputs = np.stack([jpeg.compress(p, qf) for p, qf in zip(originals, qfs, strict=True)])
    pixels = [torch.from_numpy(to_float(p)).permute(0, 3, 1, 2) for p in (inputs, originals)]
    return Batch(*pixels, torch.tensor(qfs))


@pytest.mark.parametrize(("name", "published"), [("qcn", 4_973_312), ("qgcn", 12_305_472)])
def test_the_networks_have_the_published_sizes(name, published):
    with torch.device("meta"):
        network = MODULES[name].recipe("model", {}).network
    assert sum(parameter.numel() for parameter in network.parameters()) == published


def test_a_table_is_repeated_for_every_block():
    tables = torch.arange(128.0).view(1, 2, 8, 8)
    found = _qcn_blocks.maps(tables, 16, 24)
    assert found.shape == (1, 2, 16, 24)
    assert found[0, 1, 8 + 3, 16 + 5] == pytest.approx((64 + 3 * 8 + 5) / 127.5 - 1)


def test_steps_of_16_bit_tables_count_as_255():
    found = _qcn_blocks.maps(torch.full((1, 2, 8, 8), 4000.0), 8, 8)
    assert found.max() == found.min() == 1


def test_training_sees_the_tables_that_the_encoder_wrote():
    found = _qcn_blocks.tables_of(torch.tensor([60, 90]))
    for tables, qf in zip(found, (60, 90), strict=True):
        np.testing.assert_array_equal(tables.numpy(), jpeg.tables_of_quality(qf))


@NAMES
def test_the_answer_depends_on_the_tables(name):
    method = methods.find(name)(recipe(name).network.state_dict(), **TINY[name])
    coarse, fine = (method(image(), jpeg.tables_of_quality(qf)) for qf in (10, 90))
    assert np.abs(coarse - fine).max() > 1e-3


@NAMES
def test_the_method_computes_what_was_trained(name):
    made = recipe(name)
    output = methods.find(name)(made.network.state_dict(), **TINY[name])(
        image(), jpeg.tables_of_quality(70)
    )
    tensor = torch.from_numpy(image()).permute(2, 0, 1)[None]
    with torch.no_grad():
        expected = made.predict(tensor, torch.tensor([70]))[0].permute(1, 2, 0)
    np.testing.assert_allclose(output, expected.clamp(0, 1).numpy(), atol=1e-5)


@NAMES
def test_an_image_that_was_never_jpeg_has_tables_of_ones(name):
    step = methods.Step(
        methods.find(name), methods.find(name)(recipe(name).network.state_dict(), **TINY[name])
    )
    pixels = np.random.default_rng(0).integers(0, 256, (9, 11, 3), np.uint8)
    expected = step.method(to_float(pixels), np.ones((2, 8, 8), np.uint16))
    np.testing.assert_array_equal(methods.run([step], pixels), methods.save(expected, "round"))


def test_qcn_adds_its_first_features_to_the_last():
    network = recipe("qcn").network
    for parameter in network.up.parameters():
        nn.init.zeros_(parameter)
    inside, steps = torch.rand(1, 3, 8, 8), torch.rand(1, 2, 8, 8)
    expected = network.output(network.features(torch.cat([inside, steps], 1)))
    torch.testing.assert_close(network.restore(inside, steps), expected)


def test_in_qgcn_nothing_goes_past_the_blocks():
    network = recipe("qgcn").network
    for parameter in network.up.parameters():
        nn.init.zeros_(parameter)
    output = network.restore(torch.rand(1, 3, 8, 8), torch.rand(1, 2, 8, 8))
    assert output.abs().max() == 0


def test_the_global_branch_sees_all_of_a_large_image():
    torch.manual_seed(0)
    branch = qgcn.GlobalBranch(width=4, channels=8, hidden=16)
    whole = torch.rand(1, 3, 160, 320, requires_grad=True)
    vector = branch(whole)
    assert vector.shape == (1, 4)
    vector.sum().backward()
    seen = whole.grad.abs().sum((0, 1))
    assert all(corner.sum() > 0 for half in seen.split(80) for corner in half.split(40, 1))


def test_a_block_adds_a_tenth_of_its_change():
    block = _qcn_blocks.Block(4)
    features = torch.rand(1, 4, 5, 5)
    with torch.no_grad():
        change = block.second(block.first(features).relu())
        torch.testing.assert_close(block(features), features + 0.1 * change)


@NAMES
def test_the_recipe(name):
    made = recipe(name)
    (phase,) = made.phases
    assert phase.optimiser.func is torch.optim.Adam
    assert phase.optimiser.keywords == {"lr": 1e-4}
    assert (made.source, made.batch, made.crop, made.decay) == ("both", 256, 64, True)


@NAMES
def test_the_loss_is_the_absolute_error_on_a_range_of_two(name):
    made, batch = recipe(name), batch_of()
    expected = 2 * (made.predict(batch.input, batch.qf) - batch.target).abs().mean()
    torch.testing.assert_close(made.phases[0].loss(batch)["l1"], expected)


@NAMES
def test_the_gradient_reaches_every_parameter(name):
    made = recipe(name)
    made.phases[0].loss(batch_of())["l1"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in made.network.parameters())


@NAMES
def test_the_network_overfits_two_images(name, tmp_path):
    torch.manual_seed(0)
    made = MODULES[name].recipe("model", {}, **(TINY[name] | {"width": 24}))
    made.phases[0].optimiser.keywords["lr"] = 3e-3
    batch = batch_of()
    run = Run(120, 0, tmp_path, log_every=30)
    log = loop.train(made, Batches(lambda step, process: batch, [batch]), run)
    assert log[-1]["train/l1"] < 0.4 * log[0]["train/l1"]
    assert log[-1]["validation_psnr"] > 12
