"""EDSR at scale 1 as a deblocker: the residual network of super-resolution, without upsampling.

Source: Lim et al., "Enhanced Deep Residual Networks for Single Image Super-Resolution", CVPR
Workshops 2017. The deblocking paper that MLSM compares with (QGCN) has a variant of it that works
at half resolution; arXiv:2403.07622 does not say which it used, and this is the authors' own form.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.methods import Method, from_network, plugin
from benchmark.training import Batch, Phase, Recipe, Terms

MEAN = (0.4488, 0.4371, 0.4040)
"""Mean colour of DIV2K, which the network subtracts and adds again."""
PEAK = 255.0


class Block(nn.Module):
    """Two convolutions whose result is added to the input; no normalisation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (N, C, H, W)."""
        change: Tensor = self.second(self.first(features).relu_())
        return change.add_(features)


class Network(nn.Module):
    """The deblocker: (N, 3, H, W) in [0, 1] to the same; inside, levels 0..255 less their mean."""

    mean: Tensor

    def __init__(self, blocks: int = 16, width: int = 64) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.head = nn.Conv2d(3, width, 3, padding=1)
        self.body = nn.Sequential(
            *(Block(width) for _ in range(blocks)), nn.Conv2d(width, width, 3, padding=1)
        )
        self.tail = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Return the deblocked image."""
        features = self.head((image - self.mean) * PEAK)  # (N, C, H, W)
        output: Tensor = self.tail(self.body(features) + features) / PEAK + self.mean
        return output


def _loss(network: Network, batch: Batch) -> Terms:
    """Return the mean absolute error in levels 0..255."""
    return {"l1": PEAK * functional.l1_loss(network(batch.input), batch.target)}


def recipe(part: str, trained: Mapping[str, Mapping[str, Tensor]], **settings: Any) -> Recipe:
    """Train on compressed and uncompressed images, half of them dark: L1, Adam at 1e-4, batch 16.

    Not in the paper: the learning rate falls linearly to 0, in place of halving it after 200 of
    300 epochs (of 1,000 steps). Inputs are 48 x 48 pixels, as published for the scales 2 to 4. No
    text tells of scale 1, where the authors' program (`patch_size`, 192 pixels of the output) would
    cut inputs and targets of 192 x 192, sixteen times the pixels of a step.
    """
    network = Network(**settings)
    optimiser = partial(torch.optim.Adam, lr=1e-4)
    return Recipe(
        network=network,
        phases=(Phase("train", network, partial(_loss, network), optimiser),),
        source="both",
        batch=16,
        crop=48,
        steps=300_000,
        predict=network,
    )


@plugin(
    "deblocker",
    cite="Lim et al., CVPR Workshops 2017",
    title="EDSR",
    train=recipe,
    network=Network,
)
def edsr(network: Network) -> Method:
    """Remove JPEG artefacts with a trained EDSR."""
    return from_network(network)
