from dataclasses import replace

import pytest
import torch
from torch.distributions import Normal
from torch.distributions.kl import kl_divergence as reference_kl
from torch.nn import functional

from mlsm.config import SOUND
from mlsm.discriminator import Discriminator
from mlsm.losses import (
    WEIGHTS,
    Critics,
    StageWeights,
    discriminator_terms,
    feature_matching,
    image_terms,
    judge,
    kl_divergence,
    lsgan_generator,
    mapping_terms,
    mean_matched_l1,
    vae_terms,
)
from mlsm.perceptual import Perceptual
from mlsm.vae import VAE, Posterior, to_signed, to_unit

TINY = replace(SOUND, width=4)


def images(seed: int, size: int = 32) -> torch.Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def judgement(*scores: float) -> list[list[torch.Tensor]]:
    return [[torch.full((2, 4, 5, 5), s + 1), torch.full((2, 1, 3, 3), s)] for s in scores]


def test_kl_equals_torch_distributions() -> None:
    generator = torch.Generator().manual_seed(0)
    mu, logvar = torch.randn(2, 2, 4, 5, 6, generator=generator).unbind(0)
    expected = reference_kl(Normal(mu, (0.5 * logvar).exp()), Normal(0.0, 1.0)).mean()
    assert torch.allclose(kl_divergence(Posterior(mu, logvar, mu)), expected)


def test_kl_of_the_standard_normal_is_zero() -> None:
    zero = torch.zeros(1, 2, 3, 3)
    assert kl_divergence(Posterior(zero, zero, zero)) == 0.0


def test_kl_of_the_literal_posterior_is_half_the_mean_square() -> None:
    latent = torch.rand(2, 4, 3, 3)
    posterior = Posterior(latent, torch.zeros_like(latent), latent)
    assert torch.allclose(kl_divergence(posterior), 0.5 * latent.square().mean())


def test_lsgan_wants_scores_of_one_for_made_images() -> None:
    assert lsgan_generator(judgement(1.0, 1.0)) == 0.0
    assert lsgan_generator(judgement(0.0, 3.0)).item() == pytest.approx(1.0 + 4.0)


def test_discriminator_wants_one_for_real_and_zero_for_made() -> None:
    terms = discriminator_terms(judgement(1.0, 1.0), judgement(0.0, 0.0))
    assert (terms["real"].item(), terms["made"].item()) == (0.0, 0.0)
    terms = discriminator_terms(judgement(0.0, 2.0), judgement(0.5, 2.0))
    assert terms["real"].item() == pytest.approx(0.5 * (1.0 + 1.0))
    assert terms["made"].item() == pytest.approx(0.5 * (0.25 + 4.0))


def test_feature_matching_leaves_the_scores_out_and_averages_scales() -> None:
    assert feature_matching(judgement(0.0, 0.0), judgement(1.0, 3.0)).item() == pytest.approx(2.0)


def test_paper_weights_are_one_for_every_printed_term_and_zero_for_others() -> None:
    vae, mapping = WEIGHTS["paper"].vae, WEIGHTS["paper"].mapping
    assert vae == StageWeights(image=1, perceptual=1, adversarial=1, kl=1)
    assert mapping == StageWeights(latent=1, perceptual=1, adversarial=1)


def test_vae_terms_name_every_level_and_sum_to_equation_12_without_critics() -> None:
    torch.manual_seed(0)
    image = images(0)
    made = VAE(TINY)(image)
    terms = vae_terms(made, image, StageWeights(image=2.0, kl=3.0), Critics())
    assert list(terms) == ["image", "kl_0", "kl_1", "kl_2"]
    expected = 2.0 * (made.image - image).abs().mean()
    expected = expected + 3.0 * sum(kl_divergence(p) for p in made.posteriors)
    assert torch.allclose(torch.stack(list(terms.values())).sum(), expected)


def test_mapping_terms_compare_latents_level_by_level() -> None:
    made = [torch.zeros(1, 4, 8, 8), torch.zeros(1, 4, 4, 4)]
    wanted = [torch.ones(1, 4, 8, 8), torch.full((1, 4, 4, 4), -2.0)]
    terms = mapping_terms(made, wanted, (images(0), images(1)), StageWeights(latent=0.5), Critics())
    assert {name: value.item() for name, value in terms.items()} == {
        "latent_0": 0.5,
        "latent_1": 1.0,
    }


def test_terms_of_weight_zero_are_absent() -> None:
    made = VAE(TINY)(images(0))
    critics = Critics(discriminator=Discriminator(3, 4))
    terms = vae_terms(made, images(0), StageWeights(image=1.0, matching=1.0), critics)
    assert set(terms) == {"image", "matching"}


def test_adversarial_gradient_reaches_the_generator() -> None:
    vae = VAE(TINY)
    critics = Critics(discriminator=Discriminator(3, 4))
    terms = vae_terms(vae(images(0)), images(0), StageWeights(adversarial=1, matching=1), critics)
    (terms["adversarial"] + terms["matching"]).backward()
    assert all(parameter.grad is not None for parameter in vae.decoder.parameters())


def test_discriminator_loss_sends_no_gradient_to_the_generator() -> None:
    made = images(0).requires_grad_()
    terms = judge(Discriminator(3, 4), made, images(1))
    (terms["real"] + terms["made"]).backward()
    assert made.grad is None


def test_conditional_discriminator_sees_the_dark_image_too() -> None:
    discriminator = Discriminator(6, 4)
    dark, other = images(2), images(3)
    first = judge(discriminator, images(0), images(1), dark)
    second = judge(discriminator, images(0), images(1), other)
    assert first["made"] != second["made"]


def test_perceptual_term_is_taken_on_the_first_crops_alone() -> None:
    critics = Critics(perceptual=Perceptual(1))
    made, real = images(0), images(1)
    weights = StageWeights(perceptual=2.0, slices=1, crops=1)
    assert critics.perceptual is not None
    expected = 2.0 * critics.perceptual(made[:1], real[:1])
    assert torch.equal(image_terms(made, real, weights, critics)["perceptual"], expected)


def test_the_mean_matched_loss_forgives_small_errors_of_brightness_alone():
    real = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    nearly, far = to_signed(0.99 * to_unit(real)), to_signed(0.4 * to_unit(real))
    plain = functional.l1_loss(far, real)
    assert mean_matched_l1(nearly, real) < 0.1 * functional.l1_loss(nearly, real)
    torch.testing.assert_close(mean_matched_l1(far, real), plain)


def test_the_mean_matched_loss_of_equal_means_sees_structure():
    flat, checked = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    checked[..., ::2] = 0.5
    checked[..., 1::2] = -0.5
    torch.testing.assert_close(mean_matched_l1(flat, checked), torch.tensor(0.5))
