"""The discriminators that eqs. 12, 13 and 18 need and the paper does not describe."""

from typing import TypeAlias

from torch import Tensor, nn
from torch.nn import functional

from mlsm.blocks import initialise

Judgement: TypeAlias = list[list[Tensor]]
"""For each scale, finest first: the features of every layer, the score map last."""

SCALES = 2
MAX_WIDTH = 512


class PatchDiscriminator(nn.Module):
    """Score overlapping patches of an image as real (1) or made (0).

    Five 4x4 convolutions with padding 2, LeakyReLU 0.2, instance norm in the middle three; the
    first three have stride 2, so one score sees 70x70 pixels.
    Source: pix2pixHD (Wang et al., CVPR 2018), which the paper's ancestor uses.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        wide = [min(width * factor, MAX_WIDTH) for factor in (1, 2, 4, 8)]
        self.layers = nn.ModuleList(
            [
                nn.Sequential(_conv(channels, wide[0], stride=2), nn.LeakyReLU(0.2)),
                _middle(wide[0], wide[1], stride=2),
                _middle(wide[1], wide[2], stride=2),
                _middle(wide[2], wide[3], stride=1),
                _conv(wide[3], 1, stride=1),
            ]
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the output of each layer for (N, channels, H, W); the last is (N, 1, h, w).

        For H = W = 64 the sides are 33, 17, 9, 10 and 11.
        """
        features = []
        x = image
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features


def _conv(inputs: int, outputs: int, stride: int, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 4, stride, 2, bias=bias)


def _middle(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        _conv(inputs, outputs, stride, bias=False),  # the norm would cancel a bias
        nn.InstanceNorm2d(outputs),
        nn.LeakyReLU(0.2),
    )


class Discriminator(nn.Module):
    """Patch discriminators at full and half resolution, without shared weights."""

    def __init__(self, channels: int = 3, width: int = 64) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchDiscriminator(channels, width) for _ in range(SCALES))
        initialise(self, "normal")

    def forward(self, image: Tensor) -> Judgement:
        """Judge a batch.

        Args:
            image: (N, channels, H, W) in [-1, 1]; H and W at least 16.
        """
        judgement = []
        for scale, network in enumerate(self.scales):
            if scale > 0:
                image = functional.avg_pool2d(image, 3, 2, 1, count_include_pad=False)  # (H/2, W/2)
            judgement.append(network(image))
        return judgement
