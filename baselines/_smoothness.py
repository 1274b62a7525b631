"""Edge-aware smoothness of an illumination map: the loss that RUAS and SCI share."""

import torch
from torch import Tensor

FALLOFF = 0.005
"""Of the weight with the squared colour difference, as both programs have it: 0.1^2 / 2 in RUAS,
1 / (2 * 10^2) in SCI."""

OFFSETS = [(down, right) for down in range(3) for right in range(-2, 3) if (down, right) > (0, 0)]
"""One of each two opposite neighbours in a window of 5 x 5 pixels."""

_YCBCR = ((0.257, 0.564, 0.098), (-0.148, -0.291, 0.439), (0.439, -0.368, -0.071))


def smoothness(guide: Tensor, illumination: Tensor) -> Tensor:
    """Sum, over 24 neighbours, the mean weighted absolute difference of the illumination.

    A weight is exp(-FALLOFF d^2), where d is the distance of the two pixels of the guide in YCbCr;
    with this falloff every weight lies between 0.99 and 1. The authors' programs read the guide's
    channels as if they came last, and so mix values of luma and colour; their weights lie between
    0.98 and 1, and the terms differ from these by some 0.1 %.

    Args:
        guide: (N, 3, H, W) in [0, 1], whose edges may stay.
        illumination: (N, C, H, W), H and W at least 3.

    Returns:
        A scalar, the mean over channels.

    Source: Ma et al., CVPR 2022, Eq. 6; Liu et al., CVPR 2021, in its program.
    """
    colours = torch.einsum("yc,nchw->nyhw", guide.new_tensor(_YCBCR), guide)
    total = illumination.new_zeros(())
    for down, right in OFFSETS:
        squares = _difference(colours, down, right).square().sum(1, keepdim=True)
        weights = (-FALLOFF * squares).exp()
        total = total + (weights * _difference(illumination, down, right).abs()).mean()
    return 2 * total  # opposite neighbours differ by as much


def _difference(maps: Tensor, down: int, right: int) -> Tensor:
    """Return every pixel's neighbour minus the pixel, where both are in the image."""
    height, width = maps.shape[2:]
    here = maps[..., : height - down, max(0, -right) : width - max(0, right)]
    there = maps[..., down:, max(0, right) : width + min(0, right)]
    return there - here
