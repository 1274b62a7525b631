"""The two networks of RetinexNet; `retinexnet.py` says where they come from."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

_Padding = Literal["zeros", "replicate"]


class Layers(NamedTuple):
    """What an image is the product of, both in [0, 1]."""

    reflectance: Tensor  # (N, 3, H, W)
    illumination: Tensor  # (N, 1, H, W)


class Decomposition(nn.Module):
    """Splits an image into its layers; 207,748 parameters at width 64."""

    def __init__(self, width: int, padding: _Padding) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, width, 9, padding=4, padding_mode=padding)
        self.convs = nn.ModuleList(_conv3(width, width, padding) for _ in range(5))
        self.last = _conv3(width, 4, padding)

    def forward(self, image: Tensor) -> Layers:
        """Decompose (N, 3, H, W)."""
        brightest = image.amax(1, keepdim=True)
        features = self.first(torch.cat([brightest, image], 1))  # no activation
        for conv in self.convs:
            features = conv(features).relu_()
        output = self.last(features).sigmoid()
        return Layers(output[:, :3], output[:, 3:])


class Relighting(nn.Module):
    """Brightens the illumination; 236,865 parameters at width 64 (347,457 with `concatenate`).

    Three steps down and three up, each of which takes the features of its size from the way down:
    by sum as the authors, or by concatenation as the port has it. Not in the authors' program: a
    step down extends its input by one pixel on each side, as the port does. TensorFlow extends one
    of even size on the right and below alone, so its kernels stand one pixel to the lower right of
    these.
    """

    def __init__(self, width: int, concatenate: bool, padding: _Padding) -> None:
        super().__init__()
        self.concatenate = concatenate
        self.first = _conv3(4, width, padding)
        self.down = nn.ModuleList(_conv3(width, width, padding, stride=2) for _ in range(3))
        inputs = 2 * width if concatenate else width
        self.up = nn.ModuleList(_conv3(inputs, width, padding) for _ in range(3))
        self.fusion = nn.Conv2d(3 * width, width, 1)
        self.last = _conv3(width, 1, padding)

    def forward(self, layers: Layers) -> Tensor:
        """Return the brightened illumination (N, 1, H, W), which nothing bounds."""
        features = [self.first(torch.cat(layers, 1))]  # no activation
        for conv in self.down:
            features.append(conv(features[-1]).relu_())
        current, decoded = features.pop(), []
        for conv in self.up:
            current = self._up(conv, current, features.pop())
            decoded.append(current)
        whole = [_resize(maps, decoded[-1]) for maps in decoded]
        output: Tensor = self.last(self.fusion(torch.cat(whole, 1)))
        return output

    def _up(self, conv: nn.Module, current: Tensor, skip: Tensor) -> Tensor:
        larger = _resize(current, skip)
        if self.concatenate:
            merged: Tensor = conv(torch.cat([larger, skip], 1)).relu_()
        else:
            merged = conv(larger).relu_() + skip
        return merged


class Network(nn.Module):
    """Both networks, 444,613 parameters at width 64: (N, 3, H, W) in [0, 1] to the same.

    Args:
        width: Channels of all layers inside.
        port: Use the layers of the PyTorch port that the released weights belong to, not those of
            the authors' program, whose weights are TensorFlow files that this suite cannot read:
            concatenation in place of sums, and borders extended by their last pixel.
    """

    def __init__(self, width: int = 64, port: bool = False) -> None:
        super().__init__()
        padding: _Padding = "replicate" if port else "zeros"
        self.decomposition = Decomposition(width, padding)
        self.relighting = Relighting(width, port, padding)

    def forward(self, image: Tensor) -> Tensor:
        """Return the reflectance under the brightened illumination."""
        layers: Layers = self.decomposition(image)
        brightened: Tensor = self.relighting(layers)
        return layers.reflectance * brightened


def _conv3(inside: int, outside: int, padding: _Padding, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, 3, stride, padding=1, padding_mode=padding)


def _resize(maps: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(maps, size=like.shape[-2:])  # nearest
