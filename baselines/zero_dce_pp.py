"""Zero-DCE++: Zero-DCE with one curve for all iterations, drawn on a small copy of the image.

Source of all that follows: Li et al., "Learning to Enhance Low-Light Image via Zero-Reference Deep
Curve Estimation", IEEE TPAMI 2021, and its program.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.zero_dce import (
    CURVES,
    bend,
    colour_constancy,
    curve_smoothness,
    exposure,
    spatial_consistency,
)
from benchmark.methods import Method, Released, WeightsFile, from_network, plugin
from benchmark.training import Batch, Phase, Recipe, Terms


class Separable(nn.Sequential):
    """A 3 x 3 convolution of every channel on its own, then a 1 x 1 convolution across them."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__(
            nn.Conv2d(inside, inside, 3, padding=1, groups=inside), nn.Conv2d(inside, outside, 1)
        )


class Network(nn.Module):
    """The curve network, 10,561 parameters at width 32: (N, 3, H, W) in [0, 1] to the same.

    Args:
        width: Channels.
        scale: How many times smaller the copy is that curves are drawn on.
    """

    def __init__(self, width: int = 32, scale: int = 12) -> None:
        super().__init__()
        self.scale = scale
        inside = [3, width, width, width, 2 * width, 2 * width, 2 * width]
        outside = [width] * 6 + [3]
        self.convs = nn.ModuleList(
            Separable(*widths) for widths in zip(inside, outside, strict=True)
        )

    def curve(self, image: Tensor) -> Tensor:
        """Return the parameters of the curve at the image's own size, (N, 3, H, W) in [-1, 1]."""
        first, second, third, fourth = self._encode(image)
        fifth = self.convs[4](torch.cat([third, fourth], 1)).relu_()
        sixth = self.convs[5](torch.cat([second, fifth], 1)).relu_()
        curve: Tensor = self.convs[6](torch.cat([first, sixth], 1)).tanh()
        return curve

    def _encode(self, image: Tensor) -> list[Tensor]:
        features = [image]
        for conv in self.convs[:4]:
            features.append(conv(features[-1]).relu_())
        return features[1:]

    def forward(self, image: Tensor) -> Tensor:
        """Return the brightened image.

        Not in the authors' program, which cuts off what exceeds a multiple of `scale`: here the
        border is repeated up to one, and what it adds is cut off in the end.
        """
        if self.scale == 1:
            return brightened(image, self.curve(image))
        height, width = image.shape[2:]
        missing = (0, -width % self.scale, 0, -height % self.scale)
        padded = functional.pad(image, missing, mode="replicate")
        small = functional.interpolate(padded, scale_factor=1 / self.scale, mode="bilinear")
        curve = functional.interpolate(
            self.curve(small), padded.shape[2:], mode="bilinear", align_corners=True
        )
        return brightened(image, curve[..., :height, :width])


def brightened(image: Tensor, curve: Tensor) -> Tensor:
    """Apply one curve eight times."""
    return bend(image, curve.repeat(1, CURVES, 1, 1))


def _loss(network: Network, batch: Batch) -> Terms:
    """Return the four terms of Zero-DCE, with the weights of the authors' program.

    It trains at the full size: the strong weight of smoothness makes up curves that a small copy
    of the image can tell.
    """
    curve = network.curve(batch.input)
    output = brightened(batch.input, curve)
    return {
        "spatial": spatial_consistency(output, batch.input),
        "exposure": 10 * exposure(output),
        "colour": 5 * colour_constancy(output),
        "smoothness": 1600 * curve_smoothness(curve),
    }


def recipe(part: str, trained: Mapping[str, Mapping[str, Tensor]], **settings: Any) -> Recipe:
    """Train as published: Adam at 1e-4, weight decay 1e-4, gradient norm at most 0.1, batch 8.

    Not in the paper: 512 x 512 pixels are cut from the image instead of resizing it to that size,
    because resizing would remove the compression artefacts that this suite is about. No loss reads
    the normal-light image of a pair; it serves the validation PSNR, and `scale` counts there alone.
    """
    network = Network(**settings)
    optimiser = partial(torch.optim.Adam, lr=1e-4, weight_decay=1e-4)
    phase = Phase("train", network, partial(_loss, network), optimiser, clip=0.1)
    return Recipe(
        network=network,
        phases=(phase,),
        source="pairs",
        batch=8,
        crop=512,
        steps=25_000,  # 100 epochs of about 2,000 images
        predict=network,
        decay=False,
    )


def _renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Turn the authors' `e_conv1.point_conv.weight` into our `convs.0.1.weight`."""
    pattern = re.compile(r"^e_conv(\d)\.(depth|point)_conv")
    order = {"depth": 0, "point": 1}
    return {
        pattern.sub(lambda match: f"convs.{int(match[1]) - 1}.{order[match[2]]}", name): value
        for name, value in state.items()
    }


@plugin(
    "enhancer",
    cite="Li et al., TPAMI 2021",
    title="Zero-DCE++",
    train=recipe,
    network=Network,
    released=(
        Released(
            name="Epoch99",
            files=(
                WeightsFile(
                    file="zero_dce_pp/Epoch99.pth",
                    size=52_395,
                    sha256="ca8855b90df9a80fa4195a831f33d3476b1964f787eb70602797c773067f3b84",
                    source="https://github.com/Li-Chongyi/Zero-DCE_extension "
                    "(Zero-DCE++/snapshots_Zero_DCE++)",
                ),
            ),
            adapt=_renamed,
        ),
    ),
    writes="jpeg75",
)
def zero_dce_pp(network: Network) -> Method:
    """Brighten with a trained curve network on a copy of the image, `scale` times smaller.

    The authors' `lowlight_test.py` has 12; it stores the output under the input's name by
    torchvision's `save_image`, so that a JPEG file stays one, of PIL's quality 75.
    """
    return from_network(network)
