"""A plain UNet from compressed dark to normal-light images: the control of the suite.

Not in the paper, whose own control (Table V, without the mapping networks) is trained as two
autoencoders: this network has as many parameters as MLSM, sees the same pairs of compressed dark
and normal-light images, and minimises what MLSM's second stage minimises of the image, and nothing
else: mean absolute difference and, at a fifth of its weight, 1 - SSIM.
Source of the architecture: Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image
Segmentation", MICCAI 2015, with padding in the convolutions, strides in place of pooling, and three
scales below the image's instead of four.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.methods import Method, from_network, plugin
from benchmark.training import Batch, Phase, Recipe, Terms
from benchmark.training.ssim_loss import ssim

FACTORS = (1, 2, 4, 4)
"""Channels of each scale over the width; the same at the two coarsest, so that the parameters are
not all where the fewest pixels are."""
STRIDE = 2 ** (len(FACTORS) - 1)


class Block(nn.Module):
    """Two 3x3 convolutions with ReLU, the second added to the first's output."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, norm: bool = True) -> None:
        super().__init__()
        self.first = _convolution(inputs, outputs, stride, norm)
        self.second = _convolution(outputs, outputs, 1, norm)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H/stride, W/stride)."""
        features = self.first(features).relu_()
        change: Tensor = self.second(features)
        return (features + change).relu_()


class Network(nn.Module):
    """The control: (N, 3, H, W) in [0, 1] to the same range, not clipped.

    5.08 M parameters at width 64, where MLSM has 4.93 M at inference; 0.319 M at width 16, where
    MLSM has 0.309 M: 3 % more at any common width. The output layer is linear. Instance norm, as
    in MLSM's mapping networks, below the finest scale alone: on ten pairs of LOL held out, 17.8 dB
    with it, 16.3 dB without, after 240 steps of 8 crops at width 16, one seed each. The sums in the
    blocks changed nothing there, and the final loss a little.

    Args:
        width: Channels of the finest scale.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        wide = [width * factor for factor in FACTORS]
        self.down = nn.ModuleList(
            Block(inputs, outputs, stride=2 if scale else 1, norm=scale > 0)
            for scale, (inputs, outputs) in enumerate(zip([3, *wide[:-1]], wide, strict=True))
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
            for inputs, outputs in zip(wide[1:], wide[:-1], strict=True)
        )
        self.mix = nn.ModuleList(
            Block(2 * outputs, outputs, norm=scale > 0) for scale, outputs in enumerate(wide[:-1])
        )
        self.last = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Return the normal-light image."""
        height, width = image.shape[-2:]
        features = _padded(image)
        skips = []
        for down in self.down:
            features = down(features)
            skips.append(features)
        finer = list(zip(self.up, self.mix, skips[:-1], strict=True))
        for up, mix, skip in reversed(finer):
            features = mix(torch.cat([up(features), skip], 1))
        output: Tensor = self.last(features)
        return output[..., :height, :width]


def _convolution(inputs: int, outputs: int, stride: int, norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=not norm)]
    return nn.Sequential(*layers, *([nn.InstanceNorm2d(outputs, affine=True)] if norm else []))


def _padded(image: Tensor) -> Tensor:
    """Extend an image to the right and below to multiples of `STRIDE`, and to two at least.

    The upper left corner stays, so the 8x8 grid of JPEG keeps its phase; with a single stride the
    coarsest normalisation would see a single value.
    """
    height, width = image.shape[-2:]
    below, right = (max(-(-side // STRIDE), 2) * STRIDE - side for side in (height, width))
    mode = "reflect" if below < height and right < width else "replicate"
    return functional.pad(image, (0, right, 0, below), mode=mode)


def _loss(network: Network, structure: float, batch: Batch) -> Terms:
    """Return the mean absolute error and, unless its weight is 0, the loss of structure."""
    prediction = network(batch.input)
    terms = {"l1": functional.l1_loss(prediction, batch.target)}
    if structure:
        terms["structure"] = structure * (1.0 - ssim(prediction, batch.target))
    return terms


def recipe(
    part: str,
    trained: Mapping[str, Mapping[str, Tensor]],
    structure: float = 0.2,
    **settings: Any,
) -> Recipe:
    """Train with L1, SSIM and Adam at 2e-3, 50 steps of warm-up, linear decay, averaged weights.

    Not in the paper: all of it. Batch, crop and steps are those of MLSM's mapping networks, and so
    is the ratio of the two terms (`tuned` in `mlsm.losses`).

    Args:
        part: Its only one, `model`.
        trained: Nothing.
        structure: Weight of 1 - SSIM where the mean absolute error has weight 1.
        settings: Arguments of `Network`.
    """
    network = Network(**settings)
    optimiser = partial(torch.optim.Adam, lr=2e-3)
    return Recipe(
        network=network,
        phases=(Phase("train", network, partial(_loss, network, structure), optimiser),),
        source="pairs",
        batch=16,
        crop=64,
        steps=310_000,
        predict=network,
        warmup=50,
        ema=0.99,
    )


@plugin(
    "joint",
    cite="Ronneberger et al., MICCAI 2015",
    title="UNet (control)",
    train=recipe,
    network=Network,
    quick={"width": 8},
)
def unet(network: Network) -> Method:
    """Brighten and deblock with a trained UNet."""
    return from_network(network)
