"""RUAS: three unrolled steps of illumination estimation, then noise removal, by tiny cells.

The cells' operations were found by architecture search, and are fixed here as found. Source of all
that follows: Liu et al., "Retinex-inspired Unrolling with Cooperative Prior Architecture Search for
Low-light Image Enhancement", CVPR 2021, and its program.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines._ruas_released import RELEASED
from baselines._smoothness import smoothness
from benchmark.methods import Method, from_network, plugin
from benchmark.training import Batch, Phase, Recipe, Terms

Kind = Literal["skip", "residual 1x1", "residual dilated", "3x3"]

STAGES = 3
"""Both of illumination estimates and of cells that remove noise."""
NOISE_WIDTH = 6
NOISE_PERIOD = 50
"""The authors' program updates noise removal in one step of so many."""

_ILLUMINATION: tuple[Kind, ...] = (
    *("skip", "residual 1x1"),
    *("residual dilated", "3x3"),
    *("3x3", "skip"),
    "3x3",
)
_NOISE: tuple[Kind, ...] = (
    *("residual 1x1", "residual 1x1"),
    *("residual dilated", "skip"),
    *("residual 1x1", "residual 1x1"),
    "skip",
)


class Residual(nn.Conv2d):
    """A convolution that adds to its input."""

    def forward(self, features: Tensor) -> Tensor:
        """Return the input plus its convolution."""
        return features + super().forward(features)


def _operation(kind: Kind, width: int) -> nn.Module:
    if kind == "skip":
        return nn.Identity()
    if kind == "residual 1x1":
        return Residual(width, width, 1)
    if kind == "residual dilated":
        return Residual(width, width, 3, padding=2, dilation=2)
    return nn.Conv2d(width, width, 3, padding=1)


class Cell(nn.Module):
    """Three times sets features aside and refines the others, then fuses what was set aside.

    Args:
        width: Channels.
        kinds: Seven operations: to set aside and to refine three times, then the last.
    """

    def __init__(self, width: int, kinds: Sequence[Kind]) -> None:
        super().__init__()
        self.operations = nn.ModuleList(_operation(kind, width) for kind in kinds)
        self.fuse = nn.Conv2d(4 * width, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, width, H, W) to the same."""
        aside = []
        for step in range(3):
            aside.append(_leaky(self.operations[2 * step](features)))
            features = _leaky(self.operations[2 * step + 1](features) + features)
        aside.append(_leaky(self.operations[6](features)))
        fused: Tensor = self.fuse(torch.cat(aside, 1))
        return fused


def _leaky(features: Tensor) -> Tensor:
    return functional.leaky_relu(features, 0.05)


class NoiseRemoval(nn.Module):
    """Estimates the noise of an image and subtracts it; 2,277 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, NOISE_WIDTH, 3, padding=1)
        self.cells = nn.Sequential(*(Cell(NOISE_WIDTH, _NOISE) for _ in range(STAGES)))
        self.tail = nn.Conv2d(NOISE_WIDTH, 3, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, 3, H, W) to the same."""
        noise: Tensor = self.tail(self.cells(self.head(image)))
        return image - noise


class Unrolled(NamedTuple):
    """An image brightened in all steps, and the last estimate of its illumination."""

    bright: Tensor
    illumination: Tensor


class Network(nn.Module):
    """The whole method, 3,438 parameters: (N, 3, H, W) in [0, 1] to the same.

    Args:
        denoise: Whether noise is removed at the end.
    """

    def __init__(self, denoise: bool = True) -> None:
        super().__init__()
        self.denoise = denoise
        self.illumination = nn.ModuleList(Cell(3, _ILLUMINATION) for _ in range(STAGES))
        self.noise = NoiseRemoval()

    def brighten(self, image: Tensor) -> Unrolled:
        """Divide the image by its illumination, estimated again from every result."""
        bright = image  # the first estimate is from the image itself
        for cell in self.illumination:
            estimate = local_maximum(bright) - 0.5 * (bright - image)
            illumination = cell(estimate).sigmoid().clamp(0.001, 1.0)
            bright = (image / illumination).clamp(0.0, 1.0)
        return Unrolled(bright, illumination)

    def forward(self, image: Tensor) -> Tensor:
        """Return the brightened image."""
        bright = self.brighten(image).bright
        return self.noise(bright) if self.denoise else bright


def local_maximum(image: Tensor) -> Tensor:
    """Return the largest of each pixel and its neighbours right, below and diagonally so."""
    return functional.max_pool2d(functional.pad(image, (0, 1, 0, 1)), 2, stride=1)


def total_variation(image: Tensor) -> Tensor:
    """Return twice the mean squared difference of neighbours, rows and columns added."""
    return 2 * (image.diff(dim=2).square().mean() + image.diff(dim=3).square().mean())


def _illumination_loss(network: Network, batch: Batch) -> Terms:
    """Keep the last illumination close to the image, yet smooth."""
    illumination = network.brighten(batch.input).illumination
    return {
        "fidelity": 0.5 * functional.mse_loss(illumination, batch.input),
        "smoothness": smoothness(batch.input, illumination),
    }


def _noise_loss(network: Network, batch: Batch) -> Terms:
    """Smooth the brightened image; the program's weight of fidelity to it is as small as this."""
    with torch.no_grad():
        bright = network.brighten(batch.input).bright
    output = network.noise(bright)
    return {
        "noise_fidelity": 1e-7 * functional.mse_loss(output, bright),
        "variation": total_variation(output),
    }


def _pretraining_loss(network: NoiseRemoval, batch: Batch) -> Terms:
    """Compare with the original after Gaussian noise of up to a tenth of the range is removed."""
    level = 0.1 * torch.rand(len(batch.input), 1, 1, 1, device=batch.input.device)
    noisy = batch.input + level * torch.randn_like(batch.input)
    return {"mse": functional.mse_loss(network(noisy), batch.target)}


def recipe(part: str, trained: Mapping[str, Mapping[str, Tensor]], **settings: Any) -> Recipe:
    """Train as published: SGD at 0.015 (noise removal 0.001), 800 steps of one 320 x 320 crop.

    Not in the paper:
    - the authors start from a noise removal that they release without saying how it was trained;
      here part `noise` learns to remove Gaussian noise (and JPEG artefacts) from normal-light
      images, since 16 updates from random weights would leave none of it;
    - noise removal is updated in every step at a fiftieth of the rate, instead of at the full rate
      in every fiftieth step, which moves it as far;
    - crops come from all training images, where the program's loader, started again in every step,
      gives the first one 800 times;
    - the smoothness is the mean of products of weights and differences, where the program has the
      product of two means; weights lie between 0.99 and 1.

    No loss of the last part reads the normal-light image; it serves the validation PSNR.
    """
    if part == "noise":
        return _pretraining()
    network = Network(**settings)
    if "noise" in trained:
        network.noise.load_state_dict(trained["noise"])
    sgd = partial(torch.optim.SGD, momentum=0.9, weight_decay=3e-4)
    phases = (
        Phase(
            "train",
            network.illumination,
            partial(_illumination_loss, network),
            partial(sgd, lr=0.015),
            clip=5.0,
        ),
        Phase(
            "train",
            network.noise,
            partial(_noise_loss, network),
            partial(sgd, lr=0.001 / NOISE_PERIOD),
            clip=5.0,
        ),
    )
    return Recipe(network, phases, "pairs", 1, 320, 800, network, decay=False)


def _pretraining() -> Recipe:
    network = NoiseRemoval()
    optimiser = partial(torch.optim.Adam, lr=1e-3)
    phase = Phase("train", network, partial(_pretraining_loss, network), optimiser)
    return Recipe(network, (phase,), "normal", 8, 64, 5_000, network)


@plugin(
    "enhancer",
    cite="Liu et al., CVPR 2021",
    title="RUAS",
    train=recipe,
    network=Network,
    parts=("noise", "model"),
    released=RELEASED,
    writes="truncate",
)
def ruas(network: Network) -> Method:
    """Brighten by unrolled illumination estimates, and remove noise where `denoise` says so.

    The authors' `test.py` clips to 0..255 and truncates to 8 bits; it removes noise with the
    weights `lol` alone.
    """
    return from_network(network)
