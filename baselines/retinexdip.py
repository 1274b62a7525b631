"""RetinexDIP: two untrained networks, fitted to one image, split it into light and reflectance.

Nothing is learned from other images: a convolutional network that starts at random and sees a
fixed noise fits the smooth parts of an image first ("deep image prior"). Source of all that
follows: Zhao et al., "RetinexDIP: A Unified Deep Framework for Low-Light Image Enhancement", IEEE
TCSVT 2022; what the paper leaves open is as in the authors' program (`Retinexdip.py`,
`net/skip.py`, `net/losses.py`).
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from benchmark.core.errors import InputError
from benchmark.core.images import Image
from benchmark.methods import Method, plugin

REFLECTANCE = (8, 16, 32, 64, 128)
ILLUMINATION = (8, 16, 32, 64)
"""Channels of the two networks, finest scale first."""
CHANNELS = 3
"""Of the noise that the networks see; the program says that 8 may suit extremely dark images."""
NOISE, JITTER = 0.005, 1e-4
"""The uniform noise lies between -NOISE and NOISE; every iteration adds a new normal one of the
deviation JITTER."""
RATE = 0.01
GAMMA = 0.5
STEP_PX = 2 ** len(REFLECTANCE)
DARKEST = 2e-7
"""What the program divides by where the illumination is 0, in levels 0..255."""


class _Halve(nn.Conv2d):
    """A 3x3 convolution followed by a 2x2 mean, as one 4x4 convolution of stride 2.

    The two are equal; this one needs 16 products a value instead of 36.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H/2, W/2)."""
        shifted = [
            functional.pad(self.weight, (left, 1 - left, top, 1 - top))
            for left in range(2)
            for top in range(2)
        ]
        kernel = torch.stack(shifted).mean(0)  # (C', C, 4, 4)
        return functional.conv2d(features, kernel, self.bias, stride=2, padding=1)


class Hourglass(nn.Module):
    """An encoder and decoder without skips: noise (1, 3, s, s) to an image of that size in [0, 1].

    565,491 parameters with the widths `REFLECTANCE`, 141,683 with `ILLUMINATION`. Statistics of the
    normalisations are always those of the image itself.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        outer = [CHANNELS, *widths[:-1]]
        inner = [*widths[1:], widths[-1]]
        self.down = nn.ModuleList(
            nn.Sequential(
                *_activated(_Halve(before, width, 3), width),
                *_activated(nn.Conv2d(width, width, 3, padding=1), width),
            )
            for before, width in zip(outer, widths, strict=True)
        )
        self.up = nn.ModuleList(
            nn.Sequential(
                nn.UpsamplingBilinear2d(scale_factor=2),  # corners aligned
                _normalisation(below),
                *_activated(nn.Conv2d(below, width, 3, padding=1), width),
                *_activated(nn.Conv2d(width, width, 1), width),
            )
            for below, width in zip(inner, widths, strict=True)
        )
        self.last = nn.Conv2d(widths[0], 3, 1)

    def forward(self, noise: Tensor) -> Tensor:
        """Return the image of a noise whose sides halve evenly at every scale."""
        features = noise
        for part in [*self.down, *reversed(self.up)]:
            features = part(features)
        output: Tensor = self.last(features).sigmoid()
        return output


def _activated(conv: nn.Module, width: int) -> tuple[nn.Module, ...]:
    return conv, _normalisation(width), nn.LeakyReLU(0.2, inplace=True)


def _normalisation(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, track_running_stats=False)


def initialised(
    widths: Sequence[int], generator: torch.Generator, dtype: torch.dtype = torch.float32
) -> Hourglass:
    """Make a network whose weights come from the generator alone.

    Convolutions start at N(0, 1/2 sqrt(2 / n)), n the kernel's area times the output channels;
    biases at 0; normalisations as the identity. Numbers are drawn in 64 bits whatever `dtype` is.
    """
    with torch.device("meta"):  # torch's own initialisation would draw from the global generator
        network = Hourglass(widths)
    network.to_empty(device="cpu").to(dtype)
    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            count = part.weight.shape[0] * part.weight[0, 0].numel()
            drawn = torch.randn(part.weight.shape, generator=generator, dtype=torch.float64)
            part.weight.data.copy_(0.5 * math.sqrt(2 / count) * drawn)
            part.bias.data.zero_()  # type: ignore[union-attr]  # every convolution here has one
        elif isinstance(part, nn.BatchNorm2d):
            part.reset_parameters()
    return network


def total_variation(image: Tensor, guide: Tensor | None = None) -> Tensor:
    """Return the mean absolute difference of vertical neighbours plus that of horizontal ones.

    Args:
        image: (1, 3, s, s).
        guide: Where this image has an edge, one of `image` costs less: by exp(-|difference|).
    """
    parts = []
    for axis in (2, 3):
        change = image.diff(dim=axis).abs()
        parts.append(
            (change if guide is None else change / guide.diff(dim=axis).abs().exp()).mean()
        )
    return parts[0] + parts[1]


def terms(illumination: Tensor, reflectance: Tensor, image: Tensor) -> dict[str, Tensor]:
    """Return what is added up and minimised; all arguments (1, 3, s, s) in [0, 1].

    The product of both has to give the image, the illumination has to be smooth and near to the
    brightest channel. The program's smoothness has no sharper weights than exp(-|gradient|).
    """
    brightest = image.amax(1, keepdim=True).clamp(min=1 / 255).expand_as(image)
    return {
        "smoothness": 0.5 * total_variation(illumination, reflectance),
        "reflectance": 1e-4 * total_variation(reflectance),
        "brightest": functional.smooth_l1_loss(illumination, brightest),
        "product": functional.mse_loss(illumination * reflectance, image),
    }


def illuminate(image: Tensor, iterations: int, seed: int) -> Tensor:
    """Fit both networks with Adam and return the illumination of the last iteration.

    Args:
        image: (1, 3, s, s) in [0, 1]; s a multiple of `STEP_PX` and at least twice that. The fit
            has its precision.
        iterations: How many.
        seed: Of the weights, the noise and its jitter.

    Returns:
        (1, 3, s, s) in [0, 1], of the image's type.
    """
    generator, dtype = torch.Generator().manual_seed(seed), image.dtype
    networks = [initialised(widths, generator, dtype) for widths in (REFLECTANCE, ILLUMINATION)]
    shape = (1, CHANNELS, *image.shape[-2:])
    uniform = partial(torch.rand, shape, generator=generator, dtype=torch.float64)
    normal = partial(torch.randn, shape, generator=generator, dtype=torch.float64)
    noises = [NOISE * (2 * uniform() - 1) for _ in networks]
    parameters = [parameter for network in networks for parameter in network.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=RATE, fused=True)
    for _ in range(iterations):
        jittered = [noise + JITTER * normal() for noise in noises]
        reflectance, illumination = (
            network(noise.to(dtype)) for network, noise in zip(networks, jittered, strict=True)
        )
        optimiser.zero_grad(set_to_none=True)
        total = torch.stack(list(terms(illumination, reflectance, image).values())).sum()
        total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    fitted: Tensor = illumination.detach()
    return fitted


def brighten(image: Image, illumination: NDArray[np.floating[Any]]) -> Image:
    """Divide an image by the square root of its illumination.

    The illumination is stored in 8 bits before and after the root, as in the program.

    Args:
        image: float32 (H, W, 3) in [0, 1].
        illumination: (H, W) in [0, 1].
    """
    levels = np.round(illumination * 255) / 255
    light = np.round(levels**GAMMA * 255)
    output = image * 255 / np.maximum(light, np.float32(DARKEST))[..., None]
    return np.clip(output, 0.0, 1.0).astype(np.float32)


@plugin(
    "enhancer",
    cite="Zhao et al., IEEE TCSVT 2022",
    title="RetinexDIP",
    writes="truncate",
    quick={"side": 64, "iterations": 2},
)
def retinexdip(
    side: int = 512,
    iterations: int = 300,
    stretch: bool = True,
    seed: int = 0,
    double: bool = False,
) -> Method:
    """Fit an illumination to each image, resized to a square, and divide by its root.

    The program's script truncates its output to 8 bits (`astype(np.uint8)`) and names it as the
    input. It resizes the illumination with `scipy.misc.imresize`, which stretches floats from their
    minimum and maximum to 0..255; no text mentions that.

    Args:
        side: Pixels of the square, a multiple of 32 from 64 on.
        iterations: Of Adam; an image takes time in proportion to side^2 times iterations.
        stretch: Whether the illumination is stretched to 0..1.
        seed: Of weights and noise, the same for every image. Results depend on it: at side 64 a
            dark miniature became 1.4, 2.2 and 1.2 times as bright with the seeds 0, 1 and 2 after
            40 iterations, and 1.6, 2.6 and 1.5 times after 300. So more iterations alone do not
            make a row a number; several seeds would tell how far it can be trusted.
        double: Whether the fit is computed in 64 bits. Not in the program.
    """
    if side % STEP_PX or side < 2 * STEP_PX or iterations < 1:
        raise InputError(
            f"RetinexDIP takes a `side` of at least {2 * STEP_PX} pixels, a multiple of {STEP_PX}, "
            f"and 1 iteration or more, but got {side} and {iterations}: see methods.retinexdip in "
            "params.yaml."
        )

    def method(image: Image) -> Image:
        batch = torch.from_numpy(np.array(image.transpose(2, 0, 1), order="C"))[None]
        batch = batch.double() if double else batch
        with torch.enable_grad():
            light = illuminate(_resized(batch, (side, side)), iterations, seed)
        if stretch:
            lowest, highest = light.min(), light.max()
            light = (light - lowest) / (highest - lowest if highest > lowest else 1.0)
        light = _resized(light, image.shape[:2]).amax(1)[0]  # (H, W)
        return brighten(image, light.numpy())

    return method


def _resized(batch: Tensor, size: tuple[int, ...]) -> Tensor:
    """Resize as Pillow does: bilinear, over a wider window where pixels become fewer."""
    resized: Tensor = functional.interpolate(batch, size, mode="bilinear", antialias=True)
    return resized.clamp(0.0, 1.0)
