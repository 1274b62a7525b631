"""What the losses of KinD compare; `kind.py` says where they come from."""

import torch
from torch import Tensor
from torch.nn import functional


def slopes(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return the absolute differences of neighbours of (N, 1, H, W), down and across.

    Each direction is stretched to [0, 1] over the whole batch, as in the authors' program. Not in
    their program: nothing differs across the image's border, where theirs sees a black frame.
    """
    down, across = (_steps(maps, axis) for axis in (2, 3))
    return down, across


def _steps(maps: Tensor, axis: int) -> Tensor:
    last = maps.narrow(axis, maps.shape[axis] - 1, 1)
    steps = maps.diff(dim=axis, append=last).abs()
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
    pairs = zip(slopes(illumination), slopes(grey_of(image)), strict=True)
    return torch.stack([(light / grey.clamp(min=0.01)).mean() for light, grey in pairs]).sum()


def slope_distance(first: Tensor, second: Tensor) -> Tensor:
    """Return the mean squared difference of slopes, both directions added."""
    pairs = zip(slopes(first), slopes(second), strict=True)
    return torch.stack([functional.mse_loss(one, other) for one, other in pairs]).sum()


def grey_of(image: Tensor) -> Tensor:
    """Return the grey (N, 1, H, W) of (N, 3, H, W), weighted as in BT.601."""
    weights = image.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (image * weights).sum(1, keepdim=True)
