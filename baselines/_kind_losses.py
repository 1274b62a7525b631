"""What the losses of KinD compare; `kind.py` says where they come from."""

import torch
from torch import Tensor
from torch.nn import functional

from baselines import _tensorflow


def slopes(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return the slopes of (N, 1, H, W), across and down, each stretched to [0, 1] over the batch.

    They hold the step from the last row and column to a black frame. This step is as high as the
    map itself, so it sets the scale: slopes are relative to the level of the map, and a map with
    less contrast has smaller ones.
    """
    across, down = (_stretched(steps) for steps in _tensorflow.slopes(maps))
    return across, down


def _stretched(steps: Tensor) -> Tensor:
    return (steps - steps.min()) / (steps.max() - steps.min() + 0.0001)


def mutual_consistency(dark: Tensor, normal: Tensor) -> Tensor:
    """Return how many edges only one of two illuminations (N, 1, H, W) has.

    g exp(-10 g) of the sum g of both slopes is small where there is no edge or both have a strong
    one.
    """
    sums = (first + second for first, second in zip(slopes(dark), slopes(normal), strict=True))
    return torch.stack([(both * torch.exp(-10 * both)).mean() for both in sums]).sum()


def smoothness(illumination: Tensor, image: Tensor) -> Tensor:
    """Return the slopes of the illumination relative to those of the grey image, at least 0.01."""
    pairs = zip(slopes(illumination), slopes(_tensorflow.grey(image)), strict=True)
    return torch.stack([(light / grey.clamp(min=0.01)).mean() for light, grey in pairs]).sum()


def slope_distance(first: Tensor, second: Tensor) -> Tensor:
    """Return the mean squared difference of slopes, both directions added."""
    pairs = zip(slopes(first), slopes(second), strict=True)
    return torch.stack([functional.mse_loss(one, other) for one, other in pairs]).sum()
