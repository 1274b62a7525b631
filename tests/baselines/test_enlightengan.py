"""EnlightenGAN: its networks, its losses and the order of its three phases."""

import pytest
import torch
from torch import nn

from baselines import enlightengan
from baselines._enlightengan_networks import WIDEST_PX, Convolution, Discriminator, Generator
from benchmark import methods
from benchmark.training import Batch
from benchmark.training.vgg import STD, Trunk
from tests.helpers import networks
from tests.helpers.networks import count


@pytest.fixture(scope="module")
def features():
    return enlightengan.SelfFeatures()


@pytest.fixture
def contest():
    torch.manual_seed(0)
    return enlightengan.Contest(Generator(4), 4, 2)


def batch_of(number=2, side=48):
    """Dark images, and other ones that are bright."""
    dark, bright = networks.squares(2 * number, side).chunk(2)
    return Batch(0.1 * dark, 0.5 + 0.4 * bright, torch.full((number,), 80))


def test_the_networks_have_the_published_sizes():
    with torch.device("meta"):
        parts = Generator(32), Discriminator(5, 64), Discriminator(4, 64)
    assert [count(part) for part in parts] == [8_636_675, 11_154_369, 6_959_553]


def test_the_activation_comes_before_the_normalisation():
    names = [type(part).__name__ for part in Convolution(3, 4)]
    assert names == ["Conv2d", "LeakyReLU", "BatchNorm2d"]


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (33, 17)])
def test_any_size_comes_back(size):
    network = Generator(4).eval()
    assert network(torch.rand(1, 3, *size)).shape == (1, 3, *size)


def test_nothing_is_added_where_the_image_is_white():
    network = Generator(4).eval()
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    image[..., 8:24, 8:24] = 1.0
    with torch.no_grad():
        change = network(image) - image
    assert change[..., 8:24, 8:24].abs().max() < 1e-6
    assert change.abs().max() > 1e-3


def test_padding_leaves_the_output_in_its_place():
    """With only the last bias alive, the change is that bias times attention, pixel by pixel."""
    network = Generator(4).eval()
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    nn.init.ones_(network.last.bias)
    image = torch.rand(1, 3, 19, 37, generator=torch.Generator().manual_seed(0))
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    expected = image + (1 - (image * luma).sum(1, keepdim=True)) / 2
    torch.testing.assert_close(network(image), expected)


def test_very_wide_images_are_brightened_at_half_their_size():
    network = Generator(4).eval()
    image = torch.rand(1, 3, 2, WIDEST_PX + 1, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        output = network(image)
        half = network(nn.functional.avg_pool2d(image, 2, ceil_mode=True))
    assert output.shape == image.shape
    assert output.mean().item() == pytest.approx(half.mean().item(), abs=1e-2)
    assert output.diff(dim=3).abs().mean() < 0.7 * half.diff(dim=3).abs().mean()


def test_weights_start_small():
    values = torch.cat(
        [p.weight.flatten() for p in Discriminator(4, 16) if isinstance(p, nn.Conv2d)]
    )
    assert values.std().item() == pytest.approx(0.02, rel=0.03)


def test_the_relativistic_loss_by_hand():
    higher, lower = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 1.0])
    above = ((1 - 0.5 - 1) ** 2 + (2 - 0.5 - 1) ** 2) / 2
    below = ((0 - 1.5) ** 2 + (1 - 1.5) ** 2) / 2
    found = enlightengan.relativistic(higher, lower)
    assert found.item() == pytest.approx((above + below) / 2)


def test_the_relativistic_loss_ignores_a_common_shift():
    higher, lower = torch.tensor([0.4, 0.1]), torch.tensor([0.3, -0.2])
    first = enlightengan.relativistic(higher, lower)
    shifted = enlightengan.relativistic(higher + 7, lower + 7)
    assert first.item() == pytest.approx(shifted.item(), rel=1e-5)


def test_equal_images_have_no_self_feature_loss(features):
    image = batch_of().input
    assert features(image, image).item() == 0


def test_a_brighter_copy_keeps_its_features_better_than_another_image(features):
    image = batch_of(2, 64).target
    kept = features(0.8 * image, image)
    assert 0 < kept < features(image.flip(0), image)


def test_the_self_feature_loss_moves_the_output_alone(features):
    output, image = batch_of().target.requires_grad_(), batch_of().input.requires_grad_()
    features(output, image).backward()
    assert output.grad.abs().sum() > 0
    assert image.grad is None


def test_features_are_those_of_relu5_1_without_pooling_before_it(features):
    image = batch_of(1).input
    x = image / torch.tensor(STD).view(1, 3, 1, 1)
    for group, part in enumerate(Trunk().slices):
        convolutions = [layer for layer in part if isinstance(layer, nn.Conv2d)]
        x = nn.functional.max_pool2d(x, 2) if group in (1, 2, 3) else x
        for convolution in convolutions[:1] if group == 4 else convolutions:
            x = convolution(x).relu()
    torch.testing.assert_close(features.features(image), nn.functional.instance_norm(x))


def test_the_frozen_network_sees_black_as_zero_since_no_mean_is_subtracted(features):
    """Caffe's weights take 255 times BGR: with the first ones scaled so, features are equal."""
    first, image = features.body[0], batch_of(1).input
    caffe = first.weight.flip(1) / (255 * torch.tensor(STD).flip(0).view(1, 3, 1, 1))
    levels = 255 * image.flip(1)
    expected = nn.functional.conv2d(levels, caffe, first.bias, padding=1)
    torch.testing.assert_close(first(image / features.std), expected)


def test_half_of_the_inputs_are_darkened_two_to_four_times():
    torch.manual_seed(0)
    factors = 1 / enlightengan.darkened(torch.ones(400, 3, 2, 2))
    assert torch.equal(factors, factors[:, :1, :1, :1].expand_as(factors))
    drawn = factors[:, 0, 0, 0]
    changed = drawn[drawn > 1]
    assert 150 < len(changed) < 250
    assert changed.min() >= 2 - 1e-5
    assert changed.max() <= 4 + 1e-5


def test_patches_are_cut_at_the_same_places_of_every_image():
    image = torch.arange(2 * 40 * 40).view(2, 1, 40, 40).float()
    found = enlightengan.cut(image, [(0, 3), (8, 5)])
    assert found.shape == (4, 1, 32, 32)
    assert torch.equal(found[1], image[1, :, 0:32, 3:35])
    assert torch.equal(found[2], image[0, :, 8:40, 5:37])


def test_both_discriminators_see_what_the_generator_made(contest):
    batch = batch_of()
    contest.generate(batch)
    shown = contest.shown
    assert shown.generated_patches.shape == shown.real_patches.shape == (6, 3, 32, 32)
    assert torch.equal(shown.real, 2 * batch.target - 1)
    assert not shown.generated.requires_grad


def test_discriminators_need_a_generator_before_them(contest):
    with pytest.raises(RuntimeError, match="after the generator"):
        contest.judge_whole(batch_of())


def test_the_generators_loss_by_its_parts(contest):
    batch = batch_of()
    terms = contest.generate(batch)
    shown = contest.shown
    wanted = {
        "global": enlightengan.relativistic(
            contest.overall(shown.generated), contest.overall(shown.real)
        ),
        "local": (contest.local(shown.generated_patches) - 1).square().mean(),
        "features": contest.features((shown.generated + 1) / 2, batch.input),
    }
    for name, value in wanted.items():
        assert terms[name].item() == pytest.approx(value.item(), rel=1e-4)
    assert terms.keys() == {*wanted, "patch_features"}


def test_the_local_loss_is_plain_least_squares(contest):
    contest.generate(batch_of())
    scores = [contest.local(part) for part in contest.shown[2:]]
    expected = (scores[0].square().mean() + (scores[1] - 1).square().mean()) / 2
    assert contest.judge_patches(batch_of())["score"].item() == pytest.approx(expected.item())


def test_each_phase_moves_all_of_its_own_network_and_nothing_else():
    phases = networks.recipe("enlightengan").phases
    for phase in phases:
        sum(phase.loss(batch_of()).values()).backward()
        for other in phases:
            grads = [p.grad for p in other.module.parameters()]
            if other is not phase:
                assert all(grad is None for grad in grads)
                continue
            if phase.name == "global":
                grads.pop()  # its last bias shifts all scores, which the relativistic loss ignores
            assert all(grad is not None and grad.abs().sum() > 0 for grad in grads)
        phase.module.zero_grad(set_to_none=True)


def test_the_published_recipe():
    made = networks.recipe("enlightengan")
    assert (made.batch, made.crop, made.source, made.steps) == (32, 320, "unpaired", 6400)
    assert [phase.name for phase in made.phases] == ["generator", "global", "local"]
    assert made.ema is None
    for phase in made.phases:
        assert phase.optimiser.keywords == {"lr": 1e-4, "betas": (0.5, 0.999)}


def test_rate_and_average_of_the_generator_are_settings():
    made = networks.recipe("enlightengan", generator_rate=8.0, average=0.9)
    rates = [phase.optimiser.keywords["lr"] for phase in made.phases]
    assert rates == pytest.approx([8e-4, 1e-4, 1e-4])
    assert made.ema == 0.9


class CheapFeatures(nn.Module):
    """Stands in for the frozen network: the image itself, normalised."""

    def forward(self, output, image):
        return nn.functional.mse_loss(*map(nn.functional.instance_norm, (output, image)))


def test_the_generator_learns_to_brighten_two_images(tmp_path, monkeypatch):
    monkeypatch.setattr(enlightengan, "SelfFeatures", CheapFeatures)
    made, batch = networks.recipe("enlightengan", generator_rate=100.0), batch_of(side=32)
    networks.trained(made, batch, 100, tmp_path)
    made.network.eval()
    with torch.no_grad():
        output = made.network(batch.input)
    assert output.mean() > 3 * batch.input.mean()


def test_the_method_ignores_what_matters_to_training_alone():
    state = Generator(4).state_dict()
    method = methods.find("enlightengan")(state, width=4, discriminator_width=1, generator_rate=9.0)
    image = batch_of(1, 16).input[0].permute(1, 2, 0).numpy()
    assert method(image).shape == (16, 16, 3)
