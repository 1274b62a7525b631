"""Zero-DCE: a network draws eight brightening curves for every pixel.

Trained without references, from four losses of the result alone. Source of all that follows: Guo
et al., "Zero-Reference Deep Curve Estimation for Low-Light Image Enhancement", CVPR 2020.
"""

import re
from collections.abc import Mapping
from functools import partial
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.methods import Method, Released, WeightsFile, from_network, plugin
from benchmark.training import Batch, Phase, Recipe, Terms

CURVES = 8
EXPOSURE = 0.6
"""Grey level that the exposure loss pulls regions to."""


class Network(nn.Module):
    """The curve network, 79,416 parameters at width 32: (N, 3, H, W) in [0, 1] to the same."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        widths = [3, width, width, width, 2 * width, 2 * width, 2 * width]
        outputs = [width] * 6 + [3 * CURVES]
        self.convs = nn.ModuleList(
            nn.Conv2d(inside, outside, 3, padding=1)
            for inside, outside in zip(widths, outputs, strict=True)
        )

    def curves(self, image: Tensor) -> Tensor:
        """Return the parameters of the curves, (N, 24, H, W) in [-1, 1]: 8 times RGB."""
        first, second, third, fourth = self._encode(image)
        fifth = self.convs[4](torch.cat([third, fourth], 1)).relu_()
        sixth = self.convs[5](torch.cat([second, fifth], 1)).relu_()
        curves: Tensor = self.convs[6](torch.cat([first, sixth], 1)).tanh()
        return curves

    def _encode(self, image: Tensor) -> list[Tensor]:
        features = [image]
        for conv in self.convs[:4]:
            features.append(conv(features[-1]).relu_())
        return features[1:]

    def forward(self, image: Tensor) -> Tensor:
        """Return the brightened image."""
        return bend(image, self.curves(image))


def bend(image: Tensor, curves: Tensor) -> Tensor:
    """Apply the curves one after the other: x + A (x^2 - x)."""
    for curve in curves.chunk(CURVES, 1):
        image = image + curve * (image.square() - image)
    return image


def spatial_consistency(output: Tensor, image: Tensor) -> Tensor:
    """Compare the contrast of neighbouring 4x4 regions before and after.

    As in the authors' program: differences are signed, where the paper's formula has absolute ones,
    and regions at the frame have neighbours of value 0 outside, before and after alike.
    """
    change = functional.avg_pool2d((output - image).mean(1, keepdim=True), 4)
    pairs = change.diff(dim=2).square().sum() + change.diff(dim=3).square().sum()
    ends = [0, -1]
    frame = change[..., ends, :].square().sum() + change[..., ends].square().sum()
    return (2 * pairs + frame) / change.numel()  # every pair is seen from both of its ends


def exposure(output: Tensor) -> Tensor:
    """Compare the grey level of 16x16 regions with `EXPOSURE`; squared, as the program has it."""
    return (functional.avg_pool2d(output.mean(1), 16) - EXPOSURE).square().mean()


def colour_constancy(output: Tensor) -> Tensor:
    """Compare the means of the three channels: root of the sum of 4th powers of differences."""
    means = output.mean((2, 3))  # (N, 3)
    powers = [(means[:, a] - means[:, b]) ** 4 for a, b in combinations(range(3), 2)]
    # The root has no slope at 0, where a grey image is.
    return (torch.stack(powers).sum(0) + 1e-12).sqrt().mean()


def curve_smoothness(curves: Tensor) -> Tensor:
    """Sum the squared differences of neighbouring curves over the maps; mean over places."""
    vertical = curves.diff(dim=2).square().mean((0, 2, 3)).sum()
    horizontal = curves.diff(dim=3).square().mean((0, 2, 3)).sum()
    return 2 * (vertical + horizontal)


def _loss(network: Network, batch: Batch) -> Terms:
    """Return the four terms, weighted as in the authors' program."""
    curves = network.curves(batch.input)
    output = bend(batch.input, curves)
    return {
        "spatial": spatial_consistency(output, batch.input),
        "exposure": 10 * exposure(output),
        "colour": 5 * colour_constancy(output),
        "smoothness": 200 * curve_smoothness(curves),
    }


def recipe(part: str, trained: Mapping[str, Mapping[str, Tensor]], **settings: Any) -> Recipe:
    """Train as published: Adam at 1e-4, weight decay 1e-4, gradient norm at most 0.1, batch 8.

    Not in the paper: 256 x 256 pixels are cut from the image instead of resizing it to that size,
    because resizing would remove the compression artefacts that this suite is about. No loss reads
    the normal-light image of a pair; it serves the validation PSNR. The released file is the
    program's `Epoch99`: of its 200 epochs, which are these 50,000 steps, it has had 100.
    """
    network = Network(**settings)
    for name, parameter in network.named_parameters():
        if name.endswith("weight"):
            nn.init.normal_(parameter, 0.0, 0.02)
    optimiser = partial(torch.optim.Adam, lr=1e-4, weight_decay=1e-4)
    phase = Phase("train", network, partial(_loss, network), optimiser, clip=0.1)
    return Recipe(
        network=network,
        phases=(phase,),
        source="pairs",
        batch=8,
        crop=256,
        steps=50_000,  # 200 epochs of about 2,000 images
        predict=network,
        decay=False,
    )


def _renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Turn the authors' `e_conv1.weight` into our `convs.0.weight`."""
    pattern = re.compile(r"^e_conv(\d)")
    return {
        pattern.sub(lambda match: f"convs.{int(match[1]) - 1}", name): value
        for name, value in state.items()
    }


@plugin(
    "enhancer",
    cite="Guo et al., CVPR 2020",
    title="Zero-DCE",
    train=recipe,
    network=Network,
    released=(
        Released(
            name="Epoch99",
            files=(
                WeightsFile(
                    file="zero_dce/Epoch99.pth",
                    size=320_017,
                    sha256="a4395acb874f320375d9704997cef874eaaaaa26a1777ceb29a92b70f74c3612",
                    source="https://github.com/Li-Chongyi/Zero-DCE (Zero-DCE_code/snapshots)",
                ),
            ),
            adapt=_renamed,
        ),
    ),
    writes="jpeg75",
)
def zero_dce(network: Network) -> Method:
    """Brighten with a trained curve network."""
    return from_network(network)
