from dataclasses import replace

import pytest
import torch

from mlsm.blocks import ASPP, ResBlock
from mlsm.config import LITERAL, SOUND, Config, Norm
from mlsm.mapping import BranchMapping, LatentMapping, resize_like
from tests.helpers.networks import count, silent

TINY = replace(SOUND, width=4)
TINY_LITERAL = replace(LITERAL, width=4)


def latents(
    levels: int = 3, height: int = 32, width: int = 48, channels: int = 4
) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randn(2, channels, height >> i, width >> i, generator=generator)
        for i in range(levels)
    ]


@pytest.mark.parametrize("kind", ["branches", "attention"])
@pytest.mark.parametrize("norm", ["instance", "none", "group", "layer2d"])
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_mapping_keeps_the_shape_of_every_level(kind: str, norm: str, levels: int) -> None:
    config = replace(TINY, mapping=kind, mapping_norm=norm, levels=levels)  # type: ignore[arg-type]
    given = latents(levels)
    mapped = LatentMapping(config)(given)
    assert [level.shape for level in mapped] == [level.shape for level in given]


def test_residual_is_the_latent_minus_the_upsampled_top() -> None:
    fine, _, top = latents()
    up = resize_like(top, fine)
    assert up.shape == fine.shape
    assert torch.equal(BranchMapping(TINY, 0).residual(fine, up), fine - up)


def test_residual_of_the_top_level_is_identically_zero() -> None:
    """Equation 15 at i = k-1 subtracts a tensor from itself."""
    top = latents()[-1]
    assert not BranchMapping(TINY, 2).residual(top, resize_like(top, top)).any()


def test_topres_feature_feeds_the_top_latent_itself() -> None:
    config = replace(TINY, topres="feature")
    top = latents()[-1]
    assert torch.equal(BranchMapping(config, 2).residual(top, top), top)
    assert BranchMapping(config, 1).subtract


def test_top_deblocking_branch_gives_the_same_for_every_input() -> None:
    level = BranchMapping(TINY, 2)
    first, second = (level.deblock(level.residual(x, x)) for x in (torch.ones(1, 4, 8, 8), top8()))
    assert torch.equal(first, second)


def top8() -> torch.Tensor:
    return torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))


def test_branches_are_added_and_fused_by_one_resblock() -> None:
    level = BranchMapping(TINY, 0)
    fine, _, top = latents()
    up = resize_like(top, fine)
    expected = level.fuse(level.enlighten(fine) + level.deblock(fine - up))
    assert torch.equal(level(fine, up), expected)


def test_enlighten_branch_is_two_resblocks_aspp_and_a_resblock() -> None:
    kinds = [type(part) for part in BranchMapping(TINY, 0).enlighten]
    assert kinds == [ResBlock, ResBlock, ASPP, ResBlock]


def test_aspp_reaches_as_far_as_its_largest_rate() -> None:
    torch.manual_seed(0)
    aspp = ASPP(4, (1, 6, 12, 18), pool=False, norm="none")
    x = torch.randn(1, 4, 41, 41, requires_grad=True)
    aspp(x)[0, :, 20, 20].sum().backward()
    assert x.grad is not None
    reached = x.grad.abs().sum((0, 1)).nonzero() - 20
    assert sorted(set(reached[:, 0].tolist())) == [-18, -12, -6, 0, 6, 12, 18]


def test_aspp_with_pooling_sees_the_whole_image() -> None:
    torch.manual_seed(0)
    aspp = ASPP(4, (1,), pool=True, norm="none")
    x = torch.randn(1, 4, 9, 9, requires_grad=True)
    aspp(x)[0, :, 4, 4].sum().backward()
    assert x.grad is not None
    assert (x.grad != 0).any(1).all()


@pytest.mark.parametrize("norm", ["instance", "group", "layer2d"])
def test_norms_make_a_resblock_blind_to_the_gain_of_its_first_convolution(norm: Norm) -> None:
    torch.manual_seed(0)
    block = ResBlock(4, norm)
    x = latents()[0]
    before = block(x)
    with torch.no_grad():
        for parameter in block.body[0].parameters():
            parameter.mul_(3.0)
    assert (block(x) - before).abs().mean() < 1e-3  # not 0: a norm divides by sqrt(variance + eps)


# 18 C^2 a ResBlock, four of them; ASPP C^2 + 3 * 9 C^2 + 4 C^2; UNet 9 + 18 + 72 + 32 + 72 + 8 +
# 18 + 9 = 238 C^2, of which the last convolution alone has a bias beside instance norm.
def test_one_literal_mapping_network_has_342_c_squared_weights() -> None:
    for width in (4, 16, 64):
        network = BranchMapping(replace(LITERAL, width=width), 0)
        assert count(network) == 342 * width**2 + width


def test_one_mapping_network_of_width_64_has_the_1_40_million_of_the_spec() -> None:
    assert count(BranchMapping(LITERAL, 0)) == 1_400_896


# ResBlocks 8C, ASPP 5C, UNet 14C: one bias a convolution.
def test_one_mapping_network_without_norm_has_27_c_biases() -> None:
    for width in (4, 16, 64):
        network = BranchMapping(replace(SOUND, mapping_norm="none", width=width), 0)
        assert count(network) == 342 * width**2 + 27 * width


def dead(config: Config) -> set[str]:
    """Return the names of parameters that a loss on all mapped latents does not reach."""
    torch.manual_seed(0)
    mapping = LatentMapping(config)
    mapped = mapping(latents(height=64, width=64, channels=config.width))
    torch.stack([level.square().sum() for level in mapped]).sum().backward()
    return set(silent(mapping))


def test_gradient_reaches_every_parameter_when_the_top_branch_is_fed() -> None:
    assert dead(replace(TINY, topres="feature")) == set()
    assert dead(replace(TINY_LITERAL, topres="feature")) == set()


def test_gradient_reaches_every_parameter_of_the_attention_form() -> None:
    config = replace(TINY, mapping="attention", width=16)
    assert dead(config) == set()


def test_zero_top_residual_starves_the_first_convolution_of_its_branch() -> None:
    """With biases only the convolution on the zeros themselves is dead."""
    assert dead(replace(TINY, mapping_norm="none")) == {"levels.2.deblock.first.0.weight"}


def test_zero_top_residual_starves_the_whole_literal_branch_but_the_last_bias() -> None:
    """Without biases zeros stay zeros up to the last convolution."""
    starved = {
        name
        for name, _ in LatentMapping(TINY_LITERAL).named_parameters()
        if name.startswith("levels.2.deblock.") and name != "levels.2.deblock.last.bias"
    }
    assert dead(TINY_LITERAL) == starved
