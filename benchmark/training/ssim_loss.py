"""Differentiable structural similarity for losses; tables report `benchmark.scoring.metrics`."""

import torch
from torch import Tensor
from torch.nn import functional


def ssim(first: Tensor, second: Tensor) -> Tensor:
    """Compute the mean SSIM of images (N, 3, H, W) in [0, 1] (Gaussian 11 x 11, sigma 1.5).

    The mean is taken over all channels and all positions at which the window lies inside.

    Source: Wang et al., IEEE TIP 2004; mean over the channels.
    """
    distance = torch.arange(-5, 6, dtype=first.dtype, device=first.device)
    weights = torch.exp(-(distance**2) / (2 * 1.5**2))
    window = torch.outer(weights, weights) / weights.sum() ** 2
    maps = torch.cat([first, second, first * first, second * second, first * second], 1)
    kernel = window.expand(maps.shape[1], 1, 11, 11)
    averages = functional.conv2d(maps, kernel, groups=maps.shape[1]).chunk(5, 1)
    one, other, one_squared, other_squared, product = averages
    means, squares = one * other, one.square() + other.square()
    similarity = (2 * means + 0.01**2) * (2 * (product - means) + 0.03**2)
    similarity = similarity / (
        (squares + 0.01**2) * (one_squared + other_squared - squares + 0.03**2)
    )
    return similarity.mean()
