import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mlsm.config import LITERAL, SOUND, Config
from mlsm.model import MLSM, Tone, pad
from mlsm.vae import VAE, to_signed, to_unit, upsample2
from tests.helpers.networks import count

TINY = replace(SOUND, width=4)
TINY_LITERAL = replace(LITERAL, width=4)
SIZES = [(1, 1), (1, 40), (7, 13), (16, 16), (33, 17), (40, 61)]


def images(height: int, width: int, count: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(height * 1000 + width)
    return torch.rand(count, 3, height, width, generator=generator)


@pytest.mark.parametrize("config", [TINY, TINY_LITERAL], ids=["sound", "literal"])
@pytest.mark.parametrize("size", SIZES)
def test_any_size_comes_back_in_the_unit_range(config: Config, size: tuple[int, int]) -> None:
    output = MLSM(config)(images(*size))
    assert output.shape == (1, 3, *size)
    assert torch.isfinite(output).all()
    assert 0.0 <= output.min() <= output.max() <= 1.0


@pytest.mark.parametrize("levels", [1, 2, 4])
def test_any_number_of_levels_takes_odd_sizes(levels: int) -> None:
    output = MLSM(replace(TINY_LITERAL, levels=levels))(images(19, 35))
    assert output.shape == (1, 3, 19, 35)


def test_padding_reflects_to_the_right_and_below() -> None:
    image = images(30, 40)
    padded = pad(image, 16)
    assert padded.shape == (1, 3, 32, 48)
    assert torch.equal(padded[..., :30, :40], image)
    assert torch.equal(padded[..., :30, 40:], image[..., 31:39].flip(-1))
    assert torch.equal(padded[..., 30:, :40], image[..., [28, 27], :])


def test_padding_leaves_multiples_of_the_stride_alone() -> None:
    image = images(32, 48)
    assert torch.equal(pad(image, 16), image)


def test_an_image_too_small_to_reflect_repeats_its_border() -> None:
    padded = pad(images(1, 1), 16)
    assert padded.shape == (1, 3, 32, 32)
    assert torch.equal(padded, images(1, 1).expand_as(padded))


def test_the_whole_is_decoder_after_mapping_after_encoder() -> None:
    model = MLSM(TINY)
    image = images(32, 48)
    dark = [posterior.mu for posterior in model.encoder(to_signed(image))]
    expected = to_unit(model.decoder(model.mapping(dark))).clamp(0, 1)
    assert torch.equal(model(image), expected)


def test_inference_is_deterministic_in_training_mode_too() -> None:
    model = MLSM(TINY).train()
    assert torch.equal(model(images(32, 32)), model(images(32, 32)))


def test_adopted_vaes_are_copied_and_frozen() -> None:
    dark, normal, model = VAE(TINY), VAE(TINY), MLSM(TINY)
    model.adopt(dark, normal)
    x = to_signed(images(32, 32))
    for mine, theirs in zip(model.encoder(x), dark.encoder(x), strict=True):
        assert torch.equal(mine.mu, theirs.mu)
    latents = [posterior.mu for posterior in normal.encoder(x)]
    assert torch.equal(model.decoder(latents), normal.decoder(latents))
    trained = {name.split(".")[0] for name, p in model.named_parameters() if p.requires_grad}
    assert trained == {"mapping"}


# Without biases, which instance norm cancels: encoder 27C + 2 * 9C^2 and two strided convolutions
# of 9C^2 + C; mapping 3 (342C^2 + C); decoder 3 * 9C^2, last convolution 27C + 3.
def test_literal_model_has_the_parameters_of_its_layer_list() -> None:
    for width in (4, 16, 64):
        expected = 1089 * width**2 + 59 * width + 3
        assert count(MLSM(replace(LITERAL, width=width))) == expected


# VAEs with biases and heads: encoder 27C + C + 2 (9C^2 + C) + 2 (9C^2 + C) + 6 (C^2 + C); decoder
# 27C^2 + 3C + 27C + 3, and six ResBlocks. The mapping networks have instance norm, as above.
def test_sound_model_has_the_parameters_of_its_layer_list() -> None:
    for width in (4, 16, 64):
        encoder = 42 * width**2 + 38 * width
        mapping = 3 * (342 * width**2 + width)
        decoder = 27 * width**2 + 30 * width + 3
        resblocks = 6 * (18 * width**2 + 2 * width)
        config = replace(SOUND, width=width)
        assert count(MLSM(config)) == encoder + mapping + decoder + resblocks
        assert count(MLSM(replace(config, n_res=0))) == encoder + mapping + decoder


@pytest.mark.parametrize(
    ("width", "n_res", "millions"), [(16, 0, 0.28), (32, 0, 1.13), (64, 0, 4.49), (64, 2, 4.94)]
)
def test_parameter_counts_are_those_of_the_specification(
    width: int, n_res: int, millions: float
) -> None:
    found = count(MLSM(replace(SOUND, width=width, n_res=n_res)))
    assert found == pytest.approx(millions * 1e6, rel=0.02)


@pytest.mark.parametrize("config", [TINY, TINY_LITERAL], ids=["sound", "literal"])
def test_saved_and_loaded_model_gives_the_same_bits(config: Config, tmp_path: Path) -> None:
    model = MLSM(config)
    torch.save(model.state_dict(), tmp_path / "model.pt")
    again = MLSM(config)
    again.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    assert torch.equal(model(images(33, 20)), again(images(33, 20)))


def test_mapping_networks_learn_two_pairs_by_heart() -> None:
    torch.manual_seed(0)
    model = MLSM(replace(SOUND, width=8, levels=2, n_res=0))
    normal = upsample2(upsample2(images(8, 8, count=2)))  # (2, 3, 32, 32)
    dark = normal * 0.2
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(60):
        optimiser.zero_grad()
        (to_unit(model.decoder(model.latents(to_signed(dark)))) - normal).abs().mean().backward()
        optimiser.step()
    with torch.no_grad():
        error = (model(dark) - normal).square().mean()
    assert -10 * error.log10() > 24.0  # dB


def test_the_tone_branch_starts_as_no_change_and_then_bends_all_pixels_alike() -> None:
    torch.manual_seed(0)
    tone = Tone(4)
    output, dark = torch.rand(2, 2, 3, 16, 24) * 1.8 - 0.9
    torch.testing.assert_close(tone(output, dark), output)
    with torch.no_grad():
        tone.decide.bias[:3] = math.log(2.0)
        tone.decide.bias[3] = 0.5  # red from red
    light, changed = to_unit(output), to_unit(tone(output, dark))
    torch.testing.assert_close(changed[:, 0], 1.5 * light[:, 0] ** 2)
    torch.testing.assert_close(changed[:, 1:], light[:, 1:] ** 2)


def test_a_model_with_tone_is_steered_by_the_whole_dark_image() -> None:
    model = MLSM(replace(TINY, tone=True)).eval()
    assert model.tone is not None
    with torch.no_grad():
        model.tone.decide.weight.normal_()
        image = torch.rand(1, 3, 64, 64)
        moved = image.clone()
        moved[..., 32:] *= 0.5
        near = (model(image) - model(moved))[..., :8].abs().mean()
    assert near > 1e-4
