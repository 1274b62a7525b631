"""The encoder of LLFlow: features of a dark image at three sizes, and the colours to aim at.

Source: Wang et al., "Low-Light Image Enhancement with Normalizing Flow", AAAI 2022, Sec. "Network";
details from its authors' program.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

LEVELS_8_BIT = 256
INPUTS = 12
SLOPE = 0.2
SHARE = 0.2
"""What residual blocks multiply their change by."""


class Condition(NamedTuple):
    """What the flow is given of a dark image.

    Attributes:
        features: (N, F, .., ..) at a half, a quarter and an eighth of the image's sides.
        colours: (N, 3, H, W) in (0, 1), the predicted colour map of the normal-light image.
    """

    features: tuple[Tensor, Tensor, Tensor]
    colours: Tensor


def equalise(image: Tensor) -> Tensor:
    """Equalise the histogram of each channel of each image, on 8-bit levels.

    A level becomes the share of values that lie above the lowest level and not above this one. A
    channel of a single level stays as it is.

    Args:
        image: (N, 3, H, W) in [0, 1].

    Returns:
        (N, 3, H, W), multiples of 1/255.
    """
    levels = (image * 255).round().clamp(0, 255).long().flatten(2)  # (N, 3, HW)
    rows = levels.flatten(0, 1)  # (3N, HW)
    offsets = torch.arange(len(rows), device=image.device)[:, None] * LEVELS_8_BIT
    counts = torch.bincount((rows + offsets).flatten(), minlength=len(rows) * LEVELS_8_BIT)
    below = counts.view(-1, LEVELS_8_BIT).cumsum(1)  # (3N, 256), values up to each level
    lowest = below.gather(1, rows.amin(1, keepdim=True))
    others = rows.shape[1] - lowest  # values above the lowest level
    table = ((below - lowest) * 255 / others.clamp(min=1)).round()
    made = torch.where(others > 0, table.gather(1, rows), rows)
    return (made / 255).view_as(image).to(image.dtype)


def colour_map(image: Tensor) -> Tensor:
    """Return the share of each channel in the sum of a pixel's three, (N, 3, H, W)."""
    return image / (image.sum(1, keepdim=True) + 1e-4)


def noise_map(colours: Tensor) -> Tensor:
    """Return the larger slope of a colour map, (N, 3, H, W): central differences, 0 outside."""
    padded = functional.pad(colours, (1, 1, 1, 1))
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    right = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    return torch.maximum(down.abs(), right.abs())


def with_equalised(image: Tensor) -> Tensor:
    """Return whole images (N, 3, H, W) and, as three more channels, their equalised selves."""
    return torch.cat([image, equalise(image)], 1)


def inputs(pair: Tensor) -> Tensor:
    """Return what the encoder sees: logarithm, equalised image, colour map and noise map.

    Args:
        pair: (N, 6, H, W), as `with_equalised` gives them for whole images, or crops of these.
    """
    image, equalised = pair.chunk(2, 1)
    lifted = image + 1e-3
    colours = colour_map(lifted)
    return torch.cat([lifted.log(), equalised, colours, noise_map(colours)], 1)


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees all before it; a share of the last is added."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        outsides = [growth] * 4 + [width]
        self.convs = nn.ModuleList(
            nn.Conv2d(width + index * growth, outside, 3, padding=1)
            for index, outside in enumerate(outsides)
        )
        for conv in self.convs:
            assert isinstance(conv, nn.Conv2d)
            _start_small(conv)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (N, C, H, W)."""
        seen = [features]
        for conv in self.convs[:-1]:
            seen.append(functional.leaky_relu(conv(torch.cat(seen, 1)), SLOPE))
        change: Tensor = self.convs[-1](torch.cat(seen, 1))
        return features + SHARE * change


def _start_small(conv: nn.Conv2d) -> None:
    nn.init.kaiming_normal_(conv.weight)
    with torch.no_grad():
        conv.weight.mul_(0.1)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)


class Rrdb(nn.Module):
    """Three dense blocks inside a residual one."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DenseBlock(width, growth) for _ in range(3)))

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (N, C, H, W)."""
        made: Tensor = self.blocks(features)
        return features + SHARE * made


class Encoder(nn.Module):
    """Convolutions, dense blocks at half size, and two steps down.

    Features of each size are stacked with the results of the blocks 1, 3, 5, ... (counted from 0),
    as many as there are `taps`.
    """

    def __init__(self, width: int, blocks: int, taps: int, growth: int) -> None:
        super().__init__()
        self.taps = [2 * index + 1 for index in range(taps)]
        self.first = nn.Conv2d(INPUTS, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.blocks = nn.ModuleList(Rrdb(width, growth) for _ in range(blocks))
        self.trunk = nn.Conv2d(width, width, 3, padding=1)
        self.quarter = nn.Conv2d(width, width, 3, padding=1)
        self.eighth = nn.Conv2d(width, width, 3, padding=1)
        self.colours = nn.Conv2d(width, 3, 1)

    def forward(self, pair: Tensor) -> Condition:
        """Encode a dark image.

        Args:
            pair: (N, 6, H, W) in [0, 1], the image and its equalised self (see
                `with_equalised`), sides multiples of 8.
        """
        features = self.second(functional.leaky_relu(self.first(inputs(pair)), SLOPE))
        head = features = functional.max_pool2d(features, 2)  # (N, C, H/2, W/2)
        tapped = []
        for index, block in enumerate(self.blocks):
            features = block(features)
            if index in self.taps:
                tapped.append(features)
        half = head + self.trunk(features)
        # The program activates the features of a quarter in place, so the flow sees them so too.
        quarter = functional.leaky_relu(self.quarter(functional.avg_pool2d(half, 2)), SLOPE)
        eighth = self.eighth(functional.avg_pool2d(quarter, 2))
        stacked = [_stack(level, tapped) for level in (half, quarter, eighth)]
        # A 1x1 convolution before enlarging by repetition gives what it gives after.
        colours = torch.sigmoid(functional.interpolate(self.colours(half), scale_factor=2))
        return Condition((stacked[0], stacked[1], stacked[2]), colours)


def _stack(features: Tensor, tapped: list[Tensor]) -> Tensor:
    """Return features and tapped ones, brought to their size by taking the nearest."""
    size = (features.shape[2], features.shape[3])
    return torch.cat([features, *(functional.interpolate(each, size) for each in tapped)], 1)
