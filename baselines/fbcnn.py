"""FBCNN: a U-shaped deblocker that estimates the quality factor and is steered by it.

Source: Jiang, Zhang and Timofte, "Towards Flexible Blind JPEG Artifacts Removal", ICCV 2021, and
for what the paper leaves open its authors' program (github.com/jiaxi-jiang/FBCNN:
models/network_fbcnn.py, models/model_fbcnn.py, options/train_fbcnn_color.json).
"""

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.methods import Method, from_network, plugin
from benchmark.training import Batch, Phase, Recipe, Terms

SCALE = 8
"""Sides are padded to multiples of it: the network halves the resolution three times."""
QF_WEIGHT = 1e-3
"""Of the error of the estimated quality factor in the loss."""


class Residual(nn.Module):
    """Two 3x3 convolutions with a ReLU between."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Return the change of features (N, C, H, W)."""
        change: Tensor = self.second(self.first(features).relu_())
        return change


class Block(Residual):
    """A residual block."""

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        return features + super().forward(features)


class Steer(NamedTuple):
    """What the quality factor makes of the changes of a level: (N, C, 1, 1) each.

    Attributes:
        gain: In (0, 1).
        shift: In (-1, 1).
    """

    gain: Tensor
    shift: Tensor


class Level(nn.Module):
    """One level of the decoder: twice the resolution, then blocks that the quality factor steers.

    The authors call a steered block quality factor attention.
    """

    def __init__(self, inside: int, width: int, blocks: int, embedded: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(inside, width, 2, stride=2)
        self.blocks = nn.ModuleList(Residual(width) for _ in range(blocks))
        self.gain = nn.Linear(embedded, width)
        self.shift = nn.Linear(embedded, width)

    def steer(self, embedding: Tensor) -> Steer:
        """Return gain and shift for an embedded quality factor (N, E)."""
        gain, shift = self.gain(embedding).sigmoid(), self.shift(embedding).tanh()
        return Steer(gain[:, :, None, None], shift[:, :, None, None])

    def forward(self, features: Tensor, embedding: Tensor) -> Tensor:
        """Return features (N, width, 2H, 2W) of features (N, inside, H, W)."""
        features = self.up(features)
        gain, shift = self.steer(embedding)
        for block in self.blocks:
            features = features + gain * block(features) + shift
        return features


def _blocks(width: int, count: int) -> list[nn.Module]:
    return [Block(width) for _ in range(count)]


class Network(nn.Module):
    """The deblocker: (N, 3, H, W) in [0, 1] to the same, 71,921,796 parameters as published.

    Args:
        blocks: Residual blocks per level.
        width: Channels at full resolution; each level below has twice as many.
    """

    def __init__(self, blocks: int = 4, width: int = 64) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        deepest = widths[-1]
        self.head = nn.Conv2d(3, width, 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(*_blocks(here, blocks), nn.Conv2d(here, below, 2, stride=2))
            for here, below in pairwise(widths)
        )
        self.encoder = nn.Sequential(*_blocks(deepest, blocks))
        self.decoder = nn.Sequential(*_blocks(deepest, blocks))
        self.quality = nn.Sequential(
            *_blocks(deepest, blocks),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            *[nn.Linear(deepest, deepest), nn.ReLU(), nn.Linear(deepest, deepest), nn.ReLU()],
            *[nn.Linear(deepest, 1), nn.Sigmoid()],
        )
        self.embed = nn.Sequential(
            *[nn.Linear(1, deepest), nn.ReLU(), nn.Linear(deepest, deepest), nn.ReLU()],
            *[nn.Linear(deepest, deepest), nn.ReLU()],
        )
        self.up = nn.ModuleList(
            Level(below, here, blocks, deepest) for below, here in pairwise(widths[::-1])
        )
        self.tail = nn.Conv2d(width, 3, 3, padding=1)

    def both(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return the deblocked image and the estimate of 1 - qf / 100, (N, 1)."""
        height, width = image.shape[2:]
        padding = (0, -width % SCALE, 0, -height % SCALE)
        skips = [self.head(functional.pad(image, padding, mode="replicate"))]
        for down in self.down:
            skips.append(down(skips[-1]))
        features = self.encoder(skips[-1])  # (N, 8 C, H/8, W/8)
        loss_of_quality = self.quality(features)
        embedding = self.embed(loss_of_quality)
        features = self.decoder(features)
        for up in self.up:
            features = up(features + skips.pop(), embedding)
        output: Tensor = self.tail(features + skips.pop())
        return output[:, :, :height, :width], loss_of_quality

    def forward(self, image: Tensor) -> Tensor:
        """Return the deblocked image."""
        return self.both(image)[0]


def _loss(network: Network, batch: Batch) -> Terms:
    """Return the mean absolute errors of the image and of the quality factor."""
    output, estimate = network.both(batch.input)
    true_quality = 1 - batch.qf[:, None] / 100
    return {
        "l1": functional.l1_loss(output, batch.target),
        "quality": QF_WEIGHT * functional.l1_loss(estimate, true_quality),
    }


def recipe(part: str, trained: Mapping[str, Mapping[str, Tensor]], **settings: Any) -> Recipe:
    """Train on compressed and uncompressed images, half of them dark: L1, Adam at 2e-5.

    Rates, weights of the losses, batch 128 and crops of 96 x 96 pixels are those of the authors'
    options file. Not in the program: the number of steps (it runs until it is stopped; its last
    change of the rate is at 1.8 million). Not the authors': the rate falls linearly to 0, in place
    of halving five times; quality factors are those of the profile, not 8 to 96; weights start as
    PyTorch draws them, because from the options file's orthogonal matrices of gain 0.2 the
    estimate of the quality factor stays put for as long as our short budgets last. The options
    file also asks for batch normalisation, which the network that its test script loads does not
    have and neither does this one.
    """
    network = Network(**settings)
    optimiser = partial(torch.optim.Adam, lr=2e-5)
    return Recipe(
        network=network,
        phases=(Phase("train", network, partial(_loss, network), optimiser),),
        source="both",
        batch=128,
        crop=96,
        steps=1_800_000,
        predict=network,
    )


@plugin(
    "deblocker",
    cite="Jiang et al., ICCV 2021",
    title="FBCNN",
    train=recipe,
    network=Network,
    quick={"blocks": 1, "width": 4},
)
def fbcnn(network: Network) -> Method:
    """Remove JPEG artefacts without being told the quality factor.

    Outputs are rounded, as the authors' script does (main_test_fbcnn_color.py, `single2uint`).
    """
    return from_network(network)
