"""QCN and QGCN: quantisation tables beside the image, their networks and their recipe."""

import numpy as np
import pytest
import torch
from torch import nn

from baselines import _qcn_blocks, qgcn
from benchmark import methods
from benchmark.core import jpeg
from benchmark.core.images import to_float
from tests.helpers import networks

NAMES = pytest.mark.parametrize("name", ["qcn", "qgcn"])


def image(height=17, width=21):
    return to_float(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


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


def built(name, made):
    return methods.find(name)(made.network.state_dict(), **methods.find(name).quick)


@NAMES
def test_the_answer_depends_on_the_tables(name):
    method = built(name, networks.recipe(name))
    coarse, fine = (method(image(), jpeg.tables_of_quality(qf)) for qf in (10, 90))
    assert np.abs(coarse - fine).max() > 1e-3


@NAMES
def test_the_method_computes_what_was_trained(name):
    made = networks.recipe(name)
    output = built(name, made)(image(), jpeg.tables_of_quality(70))
    with torch.no_grad():
        expected = made.predict(networks.tensor(image()), torch.tensor([70]))[0].permute(1, 2, 0)
    np.testing.assert_allclose(output, expected.clamp(0, 1).numpy(), atol=1e-5)


@NAMES
def test_an_image_that_was_never_jpeg_has_tables_of_ones(name):
    step = methods.Step(methods.find(name), built(name, networks.recipe(name)))
    pixels = np.random.default_rng(0).integers(0, 256, (9, 11, 3), np.uint8)
    expected = step.method(to_float(pixels), np.ones((2, 8, 8), np.uint16))
    np.testing.assert_array_equal(methods.run([step], pixels), methods.save(expected, "round"))


def test_qcn_adds_its_first_features_to_the_last():
    network = networks.recipe("qcn").network
    for parameter in network.up.parameters():
        nn.init.zeros_(parameter)
    inside, steps = torch.rand(1, 3, 8, 8), torch.rand(1, 2, 8, 8)
    expected = network.output(network.features(torch.cat([inside, steps], 1)))
    torch.testing.assert_close(network.restore(inside, steps), expected)


def test_in_qgcn_nothing_goes_past_the_blocks():
    network = networks.recipe("qgcn").network
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
def test_the_loss_is_the_absolute_error_on_a_range_of_two(name):
    made, batch = networks.recipe(name), networks.compressed(40, 80)
    expected = 2 * (made.predict(batch.input, batch.qf) - batch.target).abs().mean()
    torch.testing.assert_close(made.phases[0].loss(batch)["l1"], expected)


@NAMES
def test_the_network_overfits_two_images(name, tmp_path):
    made, batch = networks.recipe(name, width=24), networks.compressed(40, 80)
    log = networks.trained(made, batch, 120, tmp_path, rate=3e-3, log_every=30)
    assert log[-1]["train/l1"] < 0.4 * log[0]["train/l1"]
    assert log[-1]["validation_psnr"] > 12
