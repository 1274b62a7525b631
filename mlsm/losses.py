"""The losses of both stages (eqs. 12, 13 and 18) and their weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional

from benchmark.training.ssim_loss import ssim
from mlsm.config import Preset
from mlsm.discriminator import Discriminator, Judgement
from mlsm.perceptual import Perceptual
from mlsm.vae import Posterior, Reconstruction, to_unit


@dataclass(frozen=True)
class StageWeights:
    """What each term of one stage is multiplied by; a term of weight 0 is not computed.

    Attributes:
        image: L1 between images. Stage 2 of the paper has none.
        perceptual: L_PL.
        slices: How many VGG slices L_PL compares.
        crops: On how many crops of a batch L_PL is taken, None for all. Crops are drawn at random,
            so fewer give the same loss on average, with more noise.
        adversarial: LSGAN.
        matching: L1 between discriminator features. Not in the paper; the ancestor has it.
        structure: 1 - SSIM between images, mean over channels. Not in the paper.
        kl: KL to N(0, I), summed over levels (stage 1).
        latent: L1 between latents, summed over levels (stage 2).
        mean_matched: Whether the L1 between images is `mean_matched_l1`. Not in the paper.
    """

    image: float = 0.0
    perceptual: float = 0.0
    slices: int = 5
    crops: int | None = None
    adversarial: float = 0.0
    matching: float = 0.0
    structure: float = 0.0
    kl: float = 0.0
    latent: float = 0.0
    mean_matched: bool = False


@dataclass(frozen=True)
class Weights:
    """The loss weights of both stages."""

    vae: StageWeights
    mapping: StageWeights


WEIGHTS: Mapping[Preset, Weights] = MappingProxyType(
    {
        # Eqs. 12, 13 and 18 as printed: no weights, read as 1 with mean reductions.
        "paper": Weights(
            StageWeights(image=1.0, perceptual=1.0, adversarial=1.0, kl=1.0),
            StageWeights(latent=1.0, perceptual=1.0, adversarial=1.0),
        ),
        # "Bringing Old Photos Back to Life"; its KL is mean(l^2), twice ours.
        "oldphoto": Weights(
            StageWeights(image=10.0, perceptual=10.0, adversarial=1.0, matching=10.0, kl=2.0),
            StageWeights(latent=60.0, perceptual=10.0, adversarial=1.0, matching=10.0),
        ),
        # Ours. KL of weight 1 pulls the posterior to N(0, 1), noise as large as the code; latents
        # alone leave the image unsupervised where the decoder is most sensitive, hence its L1 in
        # stage 2. VGG16 on every crop costs several times what the networks cost at C = 16; stage 2
        # without it and without the discriminator is as good after 800 steps (18.8 against 18.7 dB
        # on 40 training pairs of LOL held out, one seed each) in two thirds of the time. SSIM costs
        # next to nothing and adds 0.4 dB there (18.4 against 18.0 dB, both after 400 of 800 steps).
        "tuned": Weights(
            StageWeights(10.0, 1.0, slices=3, crops=2, adversarial=0.01, kl=1e-4),
            StageWeights(10.0, latent=1.0, structure=2.0),
        ),
    }
)


@dataclass(frozen=True)
class Critics:
    """The networks that judge an image; None where their terms have weight 0."""

    perceptual: Perceptual | None = None
    discriminator: Discriminator | None = None


def kl_divergence(posterior: Posterior) -> Tensor:
    """Compute KL(N(mu, sigma^2) || N(0, 1)) in nats, the mean over all elements.

    With the literal posterior N(l, I) it is mean(l^2) / 2.
    Source: Kingma and Welling, ICLR 2014, appendix B.
    """
    mu, logvar = posterior.mu, posterior.logvar
    return 0.5 * (mu.square() + logvar.exp() - 1.0 - logvar).mean()


def mean_matched_l1(made: Tensor, real: Tensor) -> Tensor:
    """Compute a mixture of two L1: between images as they are, and after matching their means.

    W |made - real| + (1 - W) |m made - real|, with m the quotient of the means of an image and W
    the Bhattacharyya distance between two normal distributions around these means, of standard
    deviations a tenth of them, clipped to [0, 1]: the further the brightness is off, the more it
    counts.
    Source: Liao et al., "GT-Mean Loss: A Simple Yet Effective Solution for Brightness Mismatch in
    Low-Light Image Enhancement", ICCV 2025.

    Args:
        made: (N, 3, H, W) in [-1, 1].
        real: The same shape.
    """
    made, real = to_unit(made), to_unit(real)
    means = [image.mean((1, 2, 3), keepdim=True).clamp(min=1e-3) for image in (made, real)]
    first, second = (mean.detach() for mean in means)
    variances = (0.1 * first).square() + (0.1 * second).square()
    spread = (first / second).square() + (second / first).square() + 2.0
    distance = 0.25 * ((spread / 4.0).log() + (first - second).square() / variances)
    share = distance.clamp(0.0, 1.0)
    matched = (made * (means[1] / means[0]) - real).abs()
    return 2.0 * (share * (made - real).abs() + (1.0 - share) * matched).mean()


def lsgan_generator(judgement: Judgement) -> Tensor:
    """Compute the mean of (D(made) - 1)^2, summed over scales (Mao et al., ICCV 2017)."""
    return torch.stack([(scale[-1] - 1.0).square().mean() for scale in judgement]).sum()


def discriminator_terms(real: Judgement, made: Judgement) -> dict[str, Tensor]:
    """Compute half the mean of (D(real) - 1)^2 and of D(made)^2, each summed over scales.

    Not in the paper: it names LSGAN and gives no discriminator loss; this is the ancestor's.
    """
    return {
        "real": 0.5 * lsgan_generator(real),
        "made": 0.5 * torch.stack([scale[-1].square().mean() for scale in made]).sum(),
    }


def feature_matching(real: Judgement, made: Judgement) -> Tensor:
    """Compute the L1 between discriminator features, summed over layers, mean over scales.

    The score map is left out. Source: pix2pixHD (Wang et al., CVPR 2018).
    """
    parts = [
        functional.l1_loss(mine, wanted)
        for real_scale, made_scale in zip(real, made, strict=True)
        for mine, wanted in zip(made_scale[:-1], real_scale[:-1], strict=True)
    ]
    return torch.stack(parts).sum() / len(real)


def vae_terms(
    made: Reconstruction, image: Tensor, weights: StageWeights, critics: Critics
) -> dict[str, Tensor]:
    """Compute the weighted terms of eq. 12 (dark images) or eq. 13 (normal-light images).

    Args:
        made: What the VAE made of `image`, decoded from samples.
        image: (N, 3, H, W) in [-1, 1].
        weights: Such as `WEIGHTS["paper"].vae`.
        critics: With the networks that the weights ask for.

    Returns:
        `image`, `perceptual`, `adversarial`, `matching`, `kl_0` ... `kl_<k-1>`: those of non-zero
        weight, as scalars whose sum is the loss.
    """
    terms = image_terms(made.image, image, weights, critics)
    if weights.kl:
        for i, posterior in enumerate(made.posteriors):
            terms[f"kl_{i}"] = weights.kl * kl_divergence(posterior)
    return terms


def mapping_terms(
    made: Sequence[Tensor],
    wanted: Sequence[Tensor],
    images: tuple[Tensor, Tensor],
    weights: StageWeights,
    critics: Critics,
    condition: Tensor | None = None,
) -> dict[str, Tensor]:
    """Compute the weighted terms of eq. 18.

    Args:
        made: l~_n^i, one (N, C, H/2^i, W/2^i) a level.
        wanted: l_n^i, the same shapes.
        images: n~ and n, both (N, 3, H, W) in [-1, 1].
        weights: Such as `WEIGHTS["paper"].mapping`.
        critics: With the networks that the weights ask for.
        condition: The dark image, if the discriminator sees it too.

    Returns:
        `latent_0` ... `latent_<k-1>` and those of `image_terms`.
    """
    terms = {}
    if weights.latent:
        for i, (mine, target) in enumerate(zip(made, wanted, strict=True)):
            terms[f"latent_{i}"] = weights.latent * functional.l1_loss(mine, target)
    return terms | image_terms(*images, weights, critics, condition)


def image_terms(
    made: Tensor,
    real: Tensor,
    weights: StageWeights,
    critics: Critics,
    condition: Tensor | None = None,
) -> dict[str, Tensor]:
    """Compute the weighted terms that compare images: L1, SSIM, perceptual, LSGAN, matching.

    Args:
        made: (N, 3, H, W) in [-1, 1]; gradients flow to it.
        real: The same shape.
        weights: Of the stage.
        critics: With the networks that the weights ask for.
        condition: (N, 3, H, W) or None.
    """
    terms = {}
    if weights.image:
        distance = mean_matched_l1 if weights.mean_matched else functional.l1_loss
        terms["image"] = weights.image * distance(made, real)
    if weights.structure:
        terms["structure"] = weights.structure * (1.0 - ssim(to_unit(made), to_unit(real)))
    if weights.perceptual and critics.perceptual is not None:
        some = slice(weights.crops)
        terms["perceptual"] = weights.perceptual * critics.perceptual(made[some], real[some])
    if critics.discriminator is None:
        return terms
    judged = critics.discriminator(_beside(made, condition))
    if weights.adversarial:
        terms["adversarial"] = weights.adversarial * lsgan_generator(judged)
    if weights.matching:
        with torch.no_grad():
            reference = critics.discriminator(_beside(real, condition))
        terms["matching"] = weights.matching * feature_matching(reference, judged)
    return terms


def judge(
    discriminator: Discriminator, made: Tensor, real: Tensor, condition: Tensor | None = None
) -> dict[str, Tensor]:
    """Compute what the discriminator minimises; no gradient reaches `made`."""
    return discriminator_terms(
        discriminator(_beside(real, condition)), discriminator(_beside(made.detach(), condition))
    )


def _beside(image: Tensor, condition: Tensor | None) -> Tensor:
    return image if condition is None else torch.cat((condition, image), 1)  # (N, 6, H, W)
