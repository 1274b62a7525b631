from dataclasses import replace

import pytest
import torch
from torch import nn

from mlsm.config import LITERAL, SOUND, Config
from mlsm.vae import LOGVAR_MAX, LOGVAR_MIN, VAE, Decoder, Encoder, to_signed, to_unit, upsample2
from tests.helpers.networks import silent

TINY = replace(SOUND, width=4)
TINY_LITERAL = replace(LITERAL, width=4)


def images(height: int = 32, width: int = 48, count: int = 2, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, height, width, generator=generator) * 2 - 1


@pytest.mark.parametrize("config", [TINY, TINY_LITERAL])
@pytest.mark.parametrize("levels", [1, 2, 3, 4])
def test_level_i_has_c_channels_and_the_image_size_over_2_to_the_i(
    config: Config, levels: int
) -> None:
    posteriors = Encoder(replace(config, levels=levels))(images())
    shapes = [(2, 4, 32 >> i, 48 >> i) for i in range(levels)]
    for i, posterior in enumerate(posteriors):
        assert [tuple(part.shape) for part in posterior] == [shapes[i]] * 3
    assert len(posteriors) == levels


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
def test_reconstruction_has_the_shape_of_the_image(levels: int) -> None:
    made = VAE(replace(TINY, levels=levels))(images())
    assert made.image.shape == (2, 3, 32, 48)


def test_literal_latents_are_never_negative_so_never_standard_normal() -> None:
    for posterior in Encoder(TINY_LITERAL)(images()):
        assert posterior.mu.min() == 0.0
        assert torch.equal(posterior.logvar, torch.zeros_like(posterior.mu))


def test_literal_sample_adds_unit_noise() -> None:
    torch.manual_seed(0)
    for posterior in Encoder(TINY_LITERAL)(images(64, 64), sample=True):
        noise = posterior.sample - posterior.mu
        assert noise.mean().abs() < 0.1
        assert noise.std().item() == pytest.approx(1.0, abs=0.1)


def test_sound_latents_take_both_signs() -> None:
    torch.manual_seed(0)
    for posterior in Encoder(TINY)(images()):
        assert posterior.mu.min() < 0.0 < posterior.mu.max()


def test_sound_noise_has_the_standard_deviation_of_the_posterior() -> None:
    torch.manual_seed(0)
    for posterior in Encoder(TINY)(images(64, 64), sample=True):
        scaled = (posterior.sample - posterior.mu) / torch.exp(0.5 * posterior.logvar)
        assert scaled.std().item() == pytest.approx(1.0, abs=0.1)


def test_logvar_starts_near_its_bias() -> None:
    for posterior in Encoder(TINY)(images()):
        assert posterior.logvar.mean().item() == pytest.approx(SOUND.logvar_bias, abs=1.0)


def test_logvar_stays_in_its_range() -> None:
    torch.manual_seed(0)
    encoder = Encoder(replace(TINY, width=16))
    for weight in encoder.logvar_heads.parameters():
        nn.init.normal_(weight, 0.0, 1e3)
    for posterior in encoder(images()):
        assert posterior.logvar.min() == LOGVAR_MIN
        assert posterior.logvar.max() == LOGVAR_MAX


@pytest.mark.parametrize("config", [TINY, TINY_LITERAL])
def test_without_sampling_the_latent_is_the_mean(config: Config) -> None:
    for posterior in Encoder(config)(images()):
        assert torch.equal(posterior.sample, posterior.mu)


def test_noise_of_a_fine_level_does_not_reach_the_coarser_posterior() -> None:
    encoder = Encoder(TINY)
    torch.manual_seed(1)
    first = encoder(images(), sample=True)
    torch.manual_seed(2)
    second = encoder(images(), sample=True)
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one.mu, other.mu)
        assert not torch.equal(one.sample, other.sample)


def test_decoder_follows_equation_10() -> None:
    decoder = Decoder(TINY)
    l0, l1, l2 = (posterior.mu for posterior in Encoder(TINY)(images()))
    d0, d1, d2 = decoder.blocks
    y1 = upsample2(d2(l2)) + l1
    y0 = upsample2(d1(y1)) + l0
    assert torch.equal(decoder([l0, l1, l2]), decoder.to_rgb(d0(y0)))


def test_sub_encoder_of_the_literal_form_is_convolution_instance_norm_relu() -> None:
    x = images()
    trunk = Encoder(TINY_LITERAL).trunks[0]
    (weight,) = trunk.parameters()  # no bias: the norm would cancel it
    y = nn.functional.conv2d(nn.functional.pad(x, (1,) * 4, "reflect"), weight)
    centred = y - y.mean((2, 3), keepdim=True)
    spread = (y.var((2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt()
    assert torch.allclose(trunk(x), (centred / spread).relu(), atol=1e-4)


def test_literal_encoder_cannot_see_a_shift_in_brightness() -> None:
    """Instance norm of a reflect-padded convolution removes constants."""
    encoder = Encoder(replace(TINY_LITERAL, init="torch"))
    dark = images() * 0.2
    for one, other in zip(encoder(dark), encoder(dark + 0.3), strict=True):
        assert (one.mu - other.mu).abs().max() < 1e-3 * one.mu.abs().mean()


def test_sound_encoder_sees_a_shift_in_brightness() -> None:
    torch.manual_seed(0)
    encoder = Encoder(replace(TINY, width=8))
    dark = images() * 0.2
    for one, other in zip(encoder(dark), encoder(dark + 0.3), strict=True):
        assert (one.mu - other.mu).abs().mean() > 1e-3 * one.mu.abs().mean()


def test_tanh_bounds_the_output_and_linear_does_not() -> None:
    torch.manual_seed(0)
    for config, bounded in ((replace(TINY, output="tanh"), True), (TINY, False)):
        decoder = Decoder(config)
        latents = [50 * posterior.mu for posterior in Encoder(config)(images())]
        assert (decoder(latents).abs().max().item() <= 1.0) == bounded


@pytest.mark.parametrize("config", [TINY, TINY_LITERAL])
def test_gradient_reaches_every_parameter_of_the_vae(config: Config) -> None:
    torch.manual_seed(0)
    vae = VAE(config)
    vae(images()).image.square().sum().backward()
    assert silent(vae) == []


def test_signed_and_unit_range_are_inverse() -> None:
    image = torch.rand(1, 3, 4, 4)
    assert torch.allclose(to_unit(to_signed(image)), image, atol=1e-6)
    assert to_signed(torch.tensor([0.0, 1.0])).tolist() == [-1.0, 1.0]


def test_vae_learns_two_images_by_heart() -> None:
    torch.manual_seed(0)
    vae = VAE(replace(SOUND, width=8, n_res=0, levels=2))
    smooth = upsample2(upsample2(images(8, 8)))  # (2, 3, 32, 32)
    optimiser = torch.optim.Adam(vae.parameters(), lr=1e-2)
    for _ in range(80):
        optimiser.zero_grad()
        (vae(smooth).image - smooth).abs().mean().backward()
        optimiser.step()
    with torch.no_grad():
        error = (vae(smooth, sample=False).image - smooth).square().mean() / 4  # of [0, 1]
    assert -10 * error.log10() > 30.0  # dB
