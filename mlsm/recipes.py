"""How the three parts are trained: two VAEs, then the mapping networks with both VAEs frozen.

`direct` is the paper's own control, which has none of the three.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor, nn

from benchmark.core.errors import InputError
from benchmark.training import Batch, Optimiser, Phase, Recipe, Source, Terms
from mlsm.config import Config, Preset
from mlsm.discriminator import Discriminator
from mlsm.losses import (
    WEIGHTS,
    Critics,
    StageWeights,
    image_terms,
    judge,
    mapping_terms,
    vae_terms,
)
from mlsm.model import MLSM, Direct, pad
from mlsm.perceptual import Perceptual
from mlsm.vae import VAE, Reconstruction, to_signed, to_unit

BATCH = 16
"""Sec. IV-A."""
GAMMA = 2.2
"""Exponent between light and the values of a photograph, about."""
CROP = 64
"""Pixels, Sec. IV-A; more than four levels need 128."""
STEPS: Mapping[Source, int] = MappingProxyType(
    {"dark": 677_000, "normal": 2_276_000, "pairs": 310_000}
)
"""The paper's epochs (1000, 1000, 500) times images / 16 (10831, 36417, 9923)."""


@dataclass(frozen=True)
class Settings:
    """Adam and its learning rate.

    Attributes:
        vae: Learning rate of stage 1.
        mapping: Learning rate of stage 2.
        discriminator: Learning rate of the discriminators.
        betas: Adam's.
        warmup: Steps over which the rate rises. It falls linearly to 0 afterwards, as "linear
            learning factor decay" (Sec. IV-A) is read here.
    """

    vae: float
    mapping: float
    discriminator: float
    betas: tuple[float, float]
    warmup: int = 0

    def adam(self, rate: float) -> Optimiser:
        """Return what makes the optimiser of a phase."""
        return partial(torch.optim.Adam, lr=rate, betas=self.betas)


_ANCESTOR = Settings(2e-4, 2e-4, 2e-4, (0.5, 0.999))
SETTINGS: Mapping[Preset, Settings] = MappingProxyType(
    {
        "paper": _ANCESTOR,  # 2e-4 is Sec. IV-A; the betas are the ancestor's
        "oldphoto": _ANCESTOR,
        # Ours: budgets here are a hundredth of the paper's.
        "tuned": Settings(3e-3, 2e-3, 2e-4, (0.9, 0.999), warmup=50),
    }
)


def vae_dark(config: Config) -> Recipe:
    """Train VAE_C on compressed dark images: input and target are the same decoded JPEG."""
    return _vae(config, "dark", lambda batch: batch.input)


def vae_normal(config: Config) -> Recipe:
    """Train VAE_N on normal-light images, before any compression of ours."""
    return _vae(config, "normal", lambda batch: batch.target)


def _vae(config: Config, source: Source, pick: Callable[[Batch], Tensor]) -> Recipe:
    """Train one VAE by eqs. 12 and 13 (Algorithm 1)."""
    vae = VAE(config)
    duel = _Duel(config, WEIGHTS[config.weights].vae, channels=3)

    def generate(batch: Batch) -> Terms:
        image = _signed(pick(batch), config)  # (N, 3, c, c)
        posteriors = vae.encoder(image, sample=True)
        latents = _dropped([p.sample for p in posteriors], config.drop_finest)
        reconstruction = Reconstruction(vae.decoder(latents), posteriors)
        duel.show(reconstruction.image, image)
        return vae_terms(reconstruction, image, duel.weights, duel.critics)

    def reconstruct(image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        padded = pad(to_signed(image), config.stride)
        return to_unit(vae(padded, sample=False).image)[..., :height, :width]

    settings = SETTINGS[config.weights]
    phase = Phase("vae", vae, generate, settings.adam(settings.vae))
    return _recipe(config, vae, duel.phases(phase, settings), source, reconstruct)


def mapping(config: Config, dark: Mapping[str, Tensor], normal: Mapping[str, Tensor]) -> Recipe:
    """Train the mapping networks by eq. 18 between two frozen VAEs (Sec. III-D3, Algorithm 2).

    Args:
        config: The same as the VAEs'.
        dark: State dict of VAE_C.
        normal: State dict of VAE_N.
    """
    vae_c, vae_n = VAE(config), VAE(config)
    vae_c.load_state_dict(dark)
    vae_n.load_state_dict(normal)
    model = MLSM(config)
    model.adopt(vae_c, vae_n)
    encoder = vae_n.encoder.requires_grad_(False)
    weights = replace(WEIGHTS[config.weights].mapping, mean_matched=config.mean_matched)
    duel = _Duel(config, weights, 6 if config.conditional_gan else 3)

    def generate(batch: Batch) -> Terms:
        image, real = _signed(_exposed(batch.input, config), config), _signed(batch.target, config)
        targets = [p.mu for p in encoder.to(real.device)(real)]  # l_n^i, step 2
        latents = model.latents(image)  # l~_n^i, steps 1 and 3
        kept = _dropped(latents, config.drop_finest)
        reconstruction = model.decode(kept, image)  # n~, step 4
        condition = image if config.conditional_gan else None
        duel.show(reconstruction, real, condition)
        return mapping_terms(
            latents, targets, (reconstruction, real), duel.weights, duel.critics, condition
        )

    settings = SETTINGS[config.weights]
    phase = Phase("mapping", model, generate, settings.adam(settings.mapping))
    return _recipe(config, model, duel.phases(phase, settings), "pairs", model)


def direct(config: Config) -> Recipe:
    """Train one autoencoder from dark to normal-light images: "w/o M" of Table V.

    Not in the paper beyond "directly": the terms of stage 1 without KL and noise, since nothing is
    sampled.
    """
    network = Direct(config)
    duel = _Duel(config, replace(WEIGHTS[config.weights].vae, kl=0.0), channels=3)

    def generate(batch: Batch) -> Terms:
        image, real = _signed(batch.input, config), _signed(batch.target, config)
        output = network.decode(image)
        duel.show(output, real)
        return image_terms(output, real, duel.weights, duel.critics)

    settings = SETTINGS[config.weights]
    phase = Phase("direct", network, generate, settings.adam(settings.vae))
    return _recipe(config, network, duel.phases(phase, settings), "pairs", network)


class _Duel:
    """The critics of one stage, and what the generator's phase leaves for the discriminator's.

    Both phases of a step see the same made images, as in the ancestor: the discriminator learns
    from what the generator made before its own update.
    """

    def __init__(self, config: Config, weights: StageWeights, channels: int) -> None:
        adversarial = weights.adversarial or weights.matching
        self.weights = weights
        self.critics = Critics(
            Perceptual(weights.slices) if weights.perceptual else None,
            Discriminator(channels, config.discriminator_width) if adversarial else None,
        )
        self.shown: tuple[Tensor, Tensor, Tensor | None] | None = None

    def show(self, output: Tensor, real: Tensor, condition: Tensor | None = None) -> None:
        """Keep the images of this step, and stop the discriminator from learning from them yet."""
        self.shown = (output.detach(), real, condition)
        if self.critics.perceptual is not None:
            self.critics.perceptual.to(real.device)
        if self.critics.discriminator is not None:
            self.critics.discriminator.requires_grad_(False)

    def discriminate(self, batch: Batch) -> Terms:
        """Return the discriminator's loss on the images of this step."""
        if self.shown is None or self.critics.discriminator is None:
            raise RuntimeError("The discriminator's phase runs after the generator's.")
        return judge(self.critics.discriminator.requires_grad_(True), *self.shown)

    def phases(self, generator: Phase, settings: Settings) -> tuple[Phase, ...]:
        """Return the phases of a step: the generator's, and the discriminator's if there is one."""
        discriminator = self.critics.discriminator
        if discriminator is None:
            return (generator,)
        optimiser = settings.adam(settings.discriminator)
        return (generator, Phase("discriminator", discriminator, self.discriminate, optimiser))


def _dropped(latents: list[Tensor], share: float) -> list[Tensor]:
    """Set the finest latent of a random share of a batch to 0."""
    if not share:
        return latents
    finest = latents[0]  # (N, C, h, w)
    kept = torch.rand(len(finest), 1, 1, 1, device=finest.device) >= share
    return [finest * kept, *latents[1:]]


def _exposed(crops: Tensor, config: Config) -> Tensor:
    """Expose each crop in [0, 1] longer or shorter, by up to `Config.exposure_stops` stops."""
    if not config.exposure_stops:
        return crops
    stops = (torch.rand(len(crops), 1, 1, 1, device=crops.device) * 2 - 1) * config.exposure_stops
    return (crops * 2.0 ** (stops / GAMMA)).clamp(0.0, 1.0)


def _signed(crops: Tensor, config: Config) -> Tensor:
    """Map crops to [-1, 1] after a look at their size, which a profile may set.

    Raises:
        InputError: The networks cannot halve that size often enough.
    """
    side = crops.shape[-1]
    if side % config.stride or side < 2 * config.stride:
        raise InputError(
            f"MLSM with {config.levels} levels trains on crops of {2 * config.stride} pixels or "
            f"more, in multiples of {config.stride}, but got {side}: set `crop` in params.yaml."
        )
    return to_signed(crops)


def _recipe(
    config: Config,
    network: nn.Module,
    phases: tuple[Phase, ...],
    source: Source,
    predict: Callable[[Tensor], Tensor],
) -> Recipe:
    return Recipe(
        network=network,
        phases=phases,
        source=source,
        batch=BATCH,
        crop=max(CROP, 2 * config.stride),
        steps=STEPS[source],
        predict=predict,
        warmup=SETTINGS[config.weights].warmup,
    )
