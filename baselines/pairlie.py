"""PairLIE: reflectance and illumination, learned from two exposures that share the reflectance.

Source of all that follows: Fu et al., "Learning a Simple Low-light Image Enhancer from Paired
Low-light Instances", CVPR 2023, and its program.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.methods import Method, Released, WeightsFile, from_network, plugin
from benchmark.training import Batch, Phase, Recipe, Terms

CONVS = 5
NOISE = 0.03
"""Standard deviation of a second exposure's noise as a share of the image; in LOL's dark images
it is about 0.0015 on a mean of 0.053."""


class Decomposition(NamedTuple):
    """An image in parts, each in [0, 1]: of H x W pixels, illumination with one channel."""

    illumination: Tensor
    reflectance: Tensor
    projected: Tensor


class Branch(nn.Module):
    """Five convolutions that mirror the image at its border, then a sigmoid."""

    def __init__(self, width: int, outside: int) -> None:
        super().__init__()
        widths = [3, *[width] * (CONVS - 1), outside]
        self.convs = nn.ModuleList(
            nn.Conv2d(widths[place], widths[place + 1], 3) for place in range(CONVS)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, 3, H, W) to (N, outside, H, W) in [0, 1]."""
        features = self.convs[0](_bordered(image))
        for conv in self.convs[1:]:
            features = conv(_bordered(features.relu_()))
        opened: Tensor = features.sigmoid()
        return opened


def _bordered(maps: Tensor) -> Tensor:
    """Add a pixel on each side; an image of one row or column has nothing to mirror."""
    mode = "reflect" if min(maps.shape[2:]) > 1 else "replicate"
    return functional.pad(maps, (1, 1, 1, 1), mode=mode)


class Network(nn.Module):
    """The three branches, 341,767 parameters at width 64: (N, 3, H, W) in [0, 1] to the same.

    Args:
        width: Channels of a branch.
        exponent: Of the illumination in the result; 1 gives the projected image back.
    """

    def __init__(self, width: int = 64, exponent: float = 0.2) -> None:
        super().__init__()
        self.exponent = exponent
        self.projection = Branch(width, 3)
        self.illumination = Branch(width, 1)
        self.reflectance = Branch(width, 3)

    def decompose(self, image: Tensor) -> Decomposition:
        """Take what no decomposition explains out of the image, then decompose it."""
        projected = self.projection(image)
        return Decomposition(self.illumination(projected), self.reflectance(projected), projected)

    def forward(self, image: Tensor) -> Tensor:
        """Return the brightened image."""
        layers = self.decompose(image)
        return layers.illumination**self.exponent * layers.reflectance


def another_exposure(image: Tensor) -> Tensor:
    """Return the images as another exposure would have them, each by a factor of 1/2 to 2.

    Not in the paper: its training set has several exposures of a scene, ours one. The second is
    made of the first: brighter or darker, saturated at 1, and with noise of its own, in proportion
    to the image as it is in LOL's dark images, so that noise is not common to the two.
    """
    factors = 2.0 ** (2 * torch.rand(len(image), 1, 1, 1, device=image.device) - 1)
    return (factors * image * (1 + NOISE * torch.randn_like(image))).clamp(0.0, 1.0)


def retinex(layers: Decomposition, image: Tensor) -> Tensor:
    """Compare the parts with what they are made from; the illumination with the largest channel.

    The reflectance is compared with the quotient too, which leaves the illumination alone.
    """
    illumination, reflectance, projected = layers
    quotient = projected / illumination.detach()
    brightest = image.amax(1, keepdim=True)
    return (
        functional.mse_loss(illumination * reflectance, projected)
        + functional.mse_loss(reflectance, quotient)
        + functional.mse_loss(illumination, brightest)
        + variation(illumination)
    )


def variation(maps: Tensor) -> Tensor:
    """Return the mean absolute difference of pixels two apart, rows and columns added."""
    vertical = (maps[..., 2:, :] - maps[..., :-2, :]).abs().mean()
    horizontal = (maps[..., 2:] - maps[..., :-2]).abs().mean()
    return vertical + horizontal


def _loss(network: Network, batch: Batch) -> Terms:
    """Return the three terms, weighted as in the authors' program."""
    layers = network.decompose(batch.input)
    other = network.decompose(another_exposure(batch.input))
    return {
        "consistency": functional.mse_loss(layers.reflectance, other.reflectance),
        "retinex": retinex(layers, batch.input),
        "projection": 500 * functional.mse_loss(layers.projected, batch.input),
    }


def recipe(part: str, trained: Mapping[str, Mapping[str, Tensor]], **settings: Any) -> Recipe:
    """Train as published: Adam at 1e-4, one crop of 128 x 128 a step, 400 epochs of 324 scenes.

    Not in the paper: `another_exposure`; and the rate falls linearly to 0, where the program
    halves it every 100 epochs. No loss reads the normal-light image of a pair; it serves the
    validation PSNR.
    """
    network = Network(**settings)
    phase = Phase("train", network, partial(_loss, network), partial(torch.optim.Adam, lr=1e-4))
    return Recipe(
        network=network,
        phases=(phase,),
        source="pairs",
        batch=1,
        crop=128,
        steps=129_600,
        predict=network,
    )


_NAMES = {"N": "projection", "L": "illumination", "R": "reflectance"}
_FILE = WeightsFile(
    file="pairlie/PairLIE.pth",
    size=1_377_483,
    sha256="e223ec9e66504550e69f65b631ce520be9b5c4e8e0aba882768d06af355b0631",
    source="https://github.com/zhenqifu/PairLIE (weights)",
)


def _renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Turn the authors' `L_net.L_net.4.weight` into our `illumination.convs.1.weight`."""
    renamed = {}
    for name, value in state.items():
        letter, _, place, kind = re.split(r"_net\.|\.", name)
        renamed[f"{_NAMES[letter]}.convs.{int(place) // 3}.{kind}"] = value
    return renamed


@plugin(
    "enhancer",
    cite="Fu et al., CVPR 2023",
    title="PairLIE",
    train=recipe,
    network=Network,
    released=(
        Released("lol", (_FILE,), adapt=_renamed, settings={"exponent": 0.14}),
        Released("default", (_FILE,), adapt=_renamed),
    ),
    writes="truncate",
    quick={"width": 8},
)
def pairlie(network: Network) -> Method:
    """Brighten by a smaller exponent of the illumination.

    The authors' `eval.py` has 0.2, and 0.14 for LOL. Their published 19.51 dB there is reproduced
    with 0.14 (PSNR on RGB, 8 bits); 0.2 gives 18.47. Images are stored by torchvision's
    `ToPILImage`, which truncates to 8 bits.
    """
    return from_network(network)
