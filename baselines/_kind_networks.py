"""The three networks of KinD; `kind.py` says where they come from."""

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class Layers(NamedTuple):
    """What an image is the product of, both in [0, 1]."""

    reflectance: Tensor  # (N, 3, H, W)
    illumination: Tensor  # (N, 1, H, W)


class Up(nn.Module):
    """Doubles the size and appends the features of that size from the way down.

    The port's transposed convolution has a bias and an activation, the authors' has neither.
    """

    def __init__(self, inside: int, outside: int, port: bool) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(inside, outside, 2, stride=2, bias=port)
        self.slope = 0.01 if port else 1.0

    def forward(self, maps: Tensor, skip: Tensor) -> Tensor:
        """Return (N, 2 outside, H, W), where H and W are those of `skip`, odd or even."""
        height, width = skip.shape[-2:]
        larger = functional.leaky_relu(self.conv(maps), self.slope)
        return torch.cat([larger[..., :height, :width], skip], 1)


class Decomposition(nn.Module):
    """Splits an image into its layers; 235,876 parameters at width 32 (237,252 in the port)."""

    def __init__(self, width: int, port: bool) -> None:
        super().__init__()
        self.slope = slope_of(port)
        self.first = _conv3(3, width)
        self.down = nn.ModuleList([_conv3(width, 2 * width), _conv3(2 * width, 4 * width)])
        self.enlarge = nn.ModuleList([Up(4 * width, 2 * width, port), Up(2 * width, width, port)])
        self.up = nn.ModuleList([_conv3(4 * width, 2 * width), _conv3(2 * width, width)])
        side = 3 if port else 1
        self.reflectance = nn.Conv2d(width, 3, side, padding=side // 2)
        self.light = _conv3(width, width)
        self.illumination = nn.Conv2d(2 * width, 1, side, padding=side // 2)

    def forward(self, image: Tensor) -> Layers:
        """Decompose (N, 3, H, W)."""
        first = self._active(self.first, image)
        second = self._active(self.down[0], halve(first))
        current = self._active(self.down[1], halve(second))
        for enlarge, conv, skip in zip(self.enlarge, self.up, (second, first), strict=True):
            current = self._active(conv, enlarge(current, skip))
        light = torch.cat([self._active(self.light, first), current], 1)
        return Layers(self.reflectance(current).sigmoid(), self.illumination(light).sigmoid())

    def _active(self, conv: nn.Module, maps: Tensor) -> Tensor:
        return functional.leaky_relu(conv(maps), self.slope)


class Restoration(nn.Module):
    """Cleans a dark image's reflectance; 7,760,739 parameters at width 32."""

    def __init__(self, width: int, port: bool) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(5)]
        slope = slope_of(port)
        self.down = nn.ModuleList(
            _two(inside, outside, slope) for inside, outside in pairwise([4, *widths])
        )
        steps = list(pairwise(reversed(widths)))
        self.enlarge = nn.ModuleList(Up(inside, outside, port) for inside, outside in steps)
        self.up = nn.ModuleList(_two(inside, outside, slope) for inside, outside in steps)
        side = 1 if port else 3
        self.last = nn.Conv2d(width, 3, side, padding=side // 2)

    def forward(self, layers: Layers) -> Tensor:
        """Return the restored reflectance, (N, 3, H, W) in [0, 1]."""
        features = [self.down[0](torch.cat(layers, 1))]
        for stage in list(self.down)[1:]:
            features.append(stage(halve(features[-1])))
        current = features.pop()
        for enlarge, stage in zip(self.enlarge, self.up, strict=True):
            current = stage(enlarge(current, features.pop()))
        output: Tensor = self.last(current).sigmoid()
        return output


class Adjustment(nn.Module):
    """Changes the illumination by a ratio; 19,393 parameters at width 32."""

    def __init__(self, width: int, port: bool) -> None:
        super().__init__()
        self.slope = slope_of(port)
        self.last_slope = 1.0 if port else self.slope
        self.convs = nn.ModuleList([_conv3(2, width), _conv3(width, width), _conv3(width, width)])
        self.last = _conv3(width, 1)

    def forward(self, illumination: Tensor, ratio: Tensor) -> Tensor:
        """Return the new illumination.

        Args:
            illumination: (N, 1, H, W) in [0, 1].
            ratio: (N, 1, 1, 1), wanted mean over present mean.
        """
        maps = torch.cat([illumination, ratio.expand_as(illumination)], 1)
        for conv in self.convs:
            maps = functional.leaky_relu(conv(maps), self.slope)
        return functional.leaky_relu(self.last(maps), self.last_slope).sigmoid()


class Network(nn.Module):
    """All three, 8,016,008 parameters at width 32: (N, 3, H, W) in [0, 1] to the same.

    Args:
        width: Channels of the first layers.
        ratio: How many times brighter the illumination is asked to be; 5.0 in `evaluate.py`.
        stretch: Stretch each image to the whole range first, as the authors' program does.
        port: Use the layers of the PyTorch port that the released weights belong to: other last
            kernels, a bias and an activation after transposed convolutions, slope 0.01.
    """

    def __init__(
        self, width: int = 32, ratio: float = 5.0, stretch: bool = True, port: bool = False
    ) -> None:
        super().__init__()
        self.decomposition = Decomposition(width, port)
        self.restoration = Restoration(width, port)
        self.adjustment = Adjustment(width, port)
        self.ratio, self.stretched = ratio, stretch

    def forward(self, image: Tensor) -> Tensor:
        """Return the brightened image; the image is stretched first, as a whole."""
        return self.brighten(stretch(image) if self.stretched else image)

    def brighten(self, image: Tensor) -> Tensor:
        """Brighten a stretched image as `evaluate.py` does, with the same ratio for every image.

        Where the reflectance is dark its restoration is darkened, and where the illumination is
        bright the input itself is blended in.
        """
        layers: Layers = self.decomposition(image)
        ratio = image.new_full((len(image), 1, 1, 1), self.ratio)
        light: Tensor = self.adjustment(layers.illumination, ratio)
        restored: Tensor = self.restoration(layers) * light
        brightened = restored * (2 * blur(luma(layers.reflectance))).sqrt().clamp(max=1.0)
        return image * layers.illumination + brightened * (1 - layers.illumination)


def stretch(image: Tensor) -> Tensor:
    """Stretch each image of (N, 3, H, W) to [0, 1], by at most a factor of 1,000."""
    low = image.amin((1, 2, 3), keepdim=True)
    high = image.amax((1, 2, 3), keepdim=True)
    return (image - low) / (high - low).clamp(min=0.001)


def luma(image: Tensor) -> Tensor:
    """Return the luma (N, 1, H, W) of (N, 3, H, W), weighted as in scikit-image (BT.709)."""
    weights = image.new_tensor([0.2125, 0.7154, 0.0721]).view(1, 3, 1, 1)
    return (image * weights).sum(1, keepdim=True)


def blur(maps: Tensor) -> Tensor:
    """Blur (N, 1, H, W) with a Gaussian of sigma 3 cut at 12 pixels; borders are extended."""
    distance = torch.arange(-12, 13, dtype=maps.dtype, device=maps.device)
    weights = torch.exp(-(distance**2) / (2 * 3.0**2))
    weights = weights / weights.sum()
    padded = functional.pad(maps, (12, 12, 12, 12), mode="replicate")
    rows = functional.conv2d(padded, weights.view(1, 1, 25, 1))
    return functional.conv2d(rows, weights.view(1, 1, 1, 25))


def halve(maps: Tensor) -> Tensor:
    """Return the largest of each 2x2 pixels; an odd last row or column stands alone."""
    return functional.max_pool2d(maps, 2, ceil_mode=True)


def slope_of(port: bool) -> float:
    """Return the slope of the activations below 0."""
    return 0.01 if port else 0.2


def _conv3(inside: int, outside: int) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, 3, padding=1)


def _two(inside: int, outside: int, slope: float) -> nn.Sequential:
    return nn.Sequential(
        _conv3(inside, outside),
        nn.LeakyReLU(slope),
        _conv3(outside, outside),
        nn.LeakyReLU(slope),
    )
