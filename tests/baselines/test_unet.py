"""The control: a plain UNet with as many parameters as the paper's method."""

import inspect

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import nn

from baselines import mlsm, unet
from baselines.unet import Block, Network
from benchmark.training import Batch
from tests.helpers import networks
from tests.helpers.networks import count


@pytest.mark.parametrize("width", [8, 16, 64])
def test_the_control_has_as_many_parameters_as_mlsm_at_inference(width):
    with torch.device("meta"):
        ours, theirs = Network(width), mlsm.MLSM(mlsm.from_dict({"width": width}))
    assert count(ours) == pytest.approx(count(theirs), rel=0.04)


@pytest.mark.parametrize("size", [(1, 1), (7, 13), (45, 61), (64, 40)])
def test_any_size_comes_back(size):
    assert Network(4)(torch.rand(1, 3, *size)).shape == (1, 3, *size)


def batch_of(number=2):
    """Dark images and their bright originals."""
    bright = networks.squares(number, 32, 8)
    return Batch(0.1 * bright, bright, torch.full((number,), 80))


def test_padding_leaves_the_upper_left_corner_in_its_place():
    image = torch.rand(1, 3, 30, 21, generator=torch.Generator().manual_seed(0))
    padded = unet._padded(image)
    assert padded.shape == (1, 3, 32, 24)
    assert torch.equal(padded[..., :30, :21], image)


def test_a_block_adds_its_second_convolution_to_its_first():
    block = Block(3, 4, norm=False)
    features = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    first = nn.functional.conv2d(
        features, block.first[0].weight, block.first[0].bias, padding=1
    ).relu()
    nn.init.zeros_(block.second[0].weight)
    nn.init.constant_(block.second[0].bias, 0.25)
    torch.testing.assert_close(block(features), first + 0.25)


def test_the_finest_scale_is_not_normalised_and_knows_how_dark_an_image_is():
    network = Network(4)
    normalised = [name for name, part in network.named_modules() if isinstance(part, _NORM)]
    assert len(normalised) == 10
    assert not [name for name in normalised if name.startswith(("down.0", "mix.0"))]
    image = batch_of().input
    assert (network(image) - network(2 * image)).abs().max() > 1e-3


_NORM = nn.InstanceNorm2d


def test_the_loss_by_hand():
    batch = batch_of()
    alone = unet._loss(lambda image: image, 0.0, batch)
    expected = {"l1": (0.9 * batch.target).mean().item()}
    assert {name: value.item() for name, value in alone.items()} == pytest.approx(expected)
    both = unet._loss(lambda image: image, 0.2, batch)
    maps = [
        structural_similarity(
            *(image.permute(1, 2, 0).double().numpy() for image in pair),
            channel_axis=2,
            gaussian_weights=True,
            use_sample_covariance=False,
            data_range=1.0,
            full=True,
        )[1]
        for pair in zip(batch.input, batch.target, strict=True)
    ]
    similar = np.mean([found[5:-5, 5:-5] for found in maps])  # where the window is inside
    assert both["l1"] == alone["l1"]
    assert both["structure"].item() == pytest.approx(0.2 * (1 - similar), abs=1e-4)
    same = unet._loss(lambda _: batch.target, 0.2, batch)
    assert same["structure"].item() == pytest.approx(0, abs=1e-6)


def test_mlsms_second_stage_weighs_the_two_terms_alike():
    from mlsm.losses import WEIGHTS

    mapping = WEIGHTS["tuned"].mapping
    given = inspect.signature(unet.recipe).parameters["structure"].default
    assert given == pytest.approx(mapping.structure / mapping.image)


def test_the_recipe_trains_on_the_pairs_of_the_papers_second_stage():
    made = unet.recipe("model", {}, width=4)
    assert (made.source, made.batch, made.crop, made.steps) == ("pairs", 16, 64, 310_000)


def test_the_network_learns_two_images(tmp_path):
    batch = batch_of()
    log = networks.trained(networks.recipe("unet"), batch, 120, tmp_path)
    assert log[-1]["train/l1"] < 0.2 * log[0]["train/l1"]
    assert log[-1]["validation_psnr"] > 18
