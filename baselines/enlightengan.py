"""EnlightenGAN: an adversarial network that learns brightening from unpaired images.

Source of all that follows: Jiang et al., "EnlightenGAN: Deep Light Enhancement without Paired
Supervision", IEEE TIP 2021; numbers that the paper leaves open are those of the authors' program
(`scripts/script.py`, `models/networks.py`, `data/unaligned_dataset.py`).
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines._enlightengan_networks import Discriminator, Generator
from benchmark.methods import Method, from_network, plugin
from benchmark.training import Batch, Phase, Recipe, Terms
from benchmark.training.vgg import STD, Trunk

PATCH_PX = 32
DARKER = (2.0, 4.0)
"""Half of the inputs are divided by a factor drawn from this range."""


def relativistic(higher: Tensor, lower: Tensor) -> Tensor:
    """Return the least-squares loss of scores that should exceed others by 1 on average.

    Relativistic average LSGAN, over two: each of `higher` less the mean of `lower` should be 1,
    each of `lower` less the mean of `higher` 0.
    """
    above = (higher - lower.mean() - 1).square().mean()
    below = (lower - higher.mean()).square().mean()
    return (above + below) / 2


class SelfFeatures(nn.Module):
    """Compare what a frozen VGG16 sees in two images: the self feature preserving loss.

    Mean squared difference at relu5_1 after instance normalisation, as in the authors' program: 2x2
    maxima after the first three groups of convolutions and no pooling before conv5_1, and no mean
    subtracted from the input. Differs from it: the weights, a VGG16 trained for shift tolerance
    (see `benchmark.training.vgg`) instead of Caffe's. Caffe's take levels 0..255 in the order BGR;
    these take RGB in units of the standard deviation, which is the same scaling in their terms.
    """

    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        groups = [
            [layer for layer in part.children() if isinstance(layer, nn.Conv2d)]
            for part in Trunk().slices
        ]
        groups = [*groups[:3], groups[3] + groups[4][:1]]
        layers: list[nn.Module] = []
        for group in groups:
            layers += [nn.MaxPool2d(2)] if layers else []
            for convolution in group:
                layers += [convolution, nn.ReLU()]
        self.body = nn.Sequential(*layers)

    def features(self, image: Tensor) -> Tensor:
        """Return normalised features, (N, 512, H // 8, W // 8), of (N, 3, H, W) in [0, 1]."""
        return functional.instance_norm(self.body(image / self.std))

    def forward(self, output: Tensor, image: Tensor) -> Tensor:
        """Return the loss; gradients reach the first image alone."""
        with torch.no_grad():
            expected = self.features(image)
        return functional.mse_loss(self.features(output), expected)


class _Shown(NamedTuple):
    """What a step's discriminators see, in [-1, 1]: whole crops, and patches of all of them."""

    generated: Tensor
    real: Tensor
    generated_patches: Tensor
    real_patches: Tensor


class Contest:
    """The losses of a step: the generator's first, then both discriminators' on what it made."""

    def __init__(self, generator: Generator, width: int, patches: int) -> None:
        """Make what the generator is trained against.

        Args:
            generator: To train.
            width: First channels of the discriminators.
            patches: How many of 32x32 pixels each crop gives, besides one.
        """
        self.generator = generator
        self.overall, self.local = Discriminator(5, width), Discriminator(4, width)
        self.features = SelfFeatures()
        self.patches = 1 + patches
        self.shown: _Shown | None = None

    def generate(self, batch: Batch) -> Terms:
        """Return the generator's loss: both discriminators are to take its images for real ones.

        Darkened inputs are compared, in the self feature loss, with the images before darkening.
        """
        self.features.to(batch.input.device)
        for critic in (self.overall, self.local):
            critic.requires_grad_(False)
        output = self.generator(darkened(batch.input))
        corners = self._corners(batch.input.shape[-1])
        generated, real, dark = (
            cut(image, corners) for image in (output, batch.target, batch.input)
        )
        signed = [2 * image - 1 for image in (output, batch.target, generated, real)]
        self.shown = _Shown(*(image.detach() for image in signed))
        return {
            "global": relativistic(self.overall(signed[0]), self.overall(signed[1])),
            "local": (self.local(signed[2]) - 1).square().mean(),
            "features": self.features(output, batch.input),
            "patch_features": self.features(generated, dark),
        }

    def judge_whole(self, batch: Batch) -> Terms:
        """Return the global discriminator's loss."""
        shown, critic = self._seen(), self.overall.requires_grad_(True)
        return {"score": relativistic(critic(shown.real), critic(shown.generated))}

    def judge_patches(self, batch: Batch) -> Terms:
        """Return the local discriminator's loss, plain LSGAN."""
        shown, critic = self._seen(), self.local.requires_grad_(True)
        real = (critic(shown.real_patches) - 1).square().mean()
        return {"score": (real + critic(shown.generated_patches).square().mean()) / 2}

    def _seen(self) -> _Shown:
        if self.shown is None:
            raise RuntimeError("The discriminators' phases run after the generator's.")
        return self.shown

    def _corners(self, side: int) -> list[tuple[int, int]]:
        drawn = torch.randint(max(1, side - PATCH_PX), (self.patches, 2))
        return [(int(top), int(left)) for top, left in drawn]


def darkened(image: Tensor) -> Tensor:
    """Divide half of a batch by random factors of `DARKER`."""
    low, high = DARKER
    factors = low + (high - low) * torch.rand(len(image), device=image.device)
    chosen = torch.rand(len(image), device=image.device) < 0.5
    return image / torch.where(chosen, factors, 1.0)[:, None, None, None]


def cut(image: Tensor, corners: list[tuple[int, int]]) -> Tensor:
    """Return the patches of (N, 3, H, W) at some corners (row, column), (N patches, 3, 32, 32)."""
    return torch.cat(
        [image[..., top : top + PATCH_PX, left : left + PATCH_PX] for top, left in corners]
    )


def recipe(
    part: str,
    trained: Mapping[str, Mapping[str, Tensor]],
    discriminator_width: int = 64,
    patches: int = 5,
    generator_rate: float = 1.0,
    average: float = 0.0,
    **settings: Any,
) -> Recipe:
    """Train as published: Adam at 1e-4 with beta1 0.5, batch 32 of 320 x 320 pixels.

    Not in the paper: dark and normal-light images are the two sides of the profile's pairs, never
    shown together; crops are turned as well as flipped; the learning rate falls linearly from the
    start, not from half of the 200 epochs on. `generator_rate` multiplies the generator's learning
    rate: it starts as the identity, and a budget of a few hundred steps of 1e-4 leaves it there.
    `average`, where it is not 0, is the decay of an average of the generator's weights that is kept
    instead of the last ones, which swing from step to step at such rates.
    """
    generator = Generator(**settings)
    contest = Contest(generator, discriminator_width, patches)
    adam = partial(torch.optim.Adam, lr=1e-4, betas=(0.5, 0.999))
    faster = partial(adam, lr=1e-4 * generator_rate)
    return Recipe(
        network=generator,
        phases=(
            Phase("generator", generator, contest.generate, faster),
            Phase("global", contest.overall, contest.judge_whole, adam),
            Phase("local", contest.local, contest.judge_patches, adam),
        ),
        source="unpaired",
        batch=32,
        crop=320,
        steps=6_400,  # 200 epochs of 1,016 images
        predict=generator,
        ema=average or None,
    )


@plugin(
    "enhancer",
    cite="Jiang et al., IEEE TIP 2021",
    title="EnlightenGAN",
    train=recipe,
    network=Generator,
    writes="truncate",
    quick={"width": 4, "discriminator_width": 4, "patches": 1},
)
def enlightengan(network: Generator) -> Method:
    """Brighten with a trained generator.

    The authors' script clips, multiplies by 255 and truncates (`tensor2im`: `astype(np.uint8)`),
    and stores PNG.
    """
    return from_network(network)
