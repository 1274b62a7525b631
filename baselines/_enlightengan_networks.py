"""EnlightenGAN's networks: a generator guided by darkness, and discriminators without norm."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.core.images import LUMA

STAGES = 5
STRIDE = 2 ** (STAGES - 1)
SLOPE = 0.2
WIDEST_PX = 2200
"""Images wider than this are brightened at half their size."""


class Convolution(nn.Sequential):
    """A 3x3 convolution, LeakyReLU, then batch normalisation, in this order."""

    def __init__(self, inputs: int, outputs: int, norm: bool = True) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.LeakyReLU(SLOPE, inplace=True),
        ]
        super().__init__(*layers, *([nn.BatchNorm2d(outputs)] if norm else []))


class Generator(nn.Module):
    """Brighten (N, 3, H, W) in [0, 1]; a UNet of 8.64 M parameters at width 32.

    The attention is 1 where the image is black and 0 where it is white. It is a fourth channel of
    the input, multiplies every skip and the bottleneck, and the change that is added to the image.
    """

    luma: Tensor

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.register_buffer("luma", torch.tensor(LUMA).view(1, 3, 1, 1), persistent=False)
        wide = [width * 2**stage for stage in range(STAGES)]
        self.first = nn.ModuleList(map(Convolution, [4, *wide[:-1]], wide))
        self.second = nn.ModuleList(map(Convolution, wide, wide))
        self.up = nn.ModuleList(map(_conv3, wide[1:], wide[:-1]))
        self.mix = nn.ModuleList(map(Convolution, wide[1:], wide[:-1]))
        self.refine = nn.ModuleList(
            Convolution(inside, inside, norm=stage > 0) for stage, inside in enumerate(wide[:-1])
        )
        self.last = nn.Conv2d(width, 3, 1)
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        """Return the brightened image, which may leave [0, 1].

        Not in the authors' program: an image too small for reflection is padded with its border.
        """
        size = image.shape[-2:]
        if size[1] > WIDEST_PX:
            half = functional.avg_pool2d(image, 2, ceil_mode=True)
            return functional.interpolate(
                self._brighten(half), size, mode="bilinear", align_corners=False
            )
        return self._brighten(image)

    def _brighten(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        down, right = -height % STRIDE, -width % STRIDE
        sides = (right // 2, right - right // 2, down // 2, down - down // 2)
        reflects = max(sides[:2]) < width and max(sides[2:]) < height
        padded = functional.pad(image, sides, mode="reflect" if reflects else "replicate")
        attention = 1 - (padded * self.luma).sum(1, keepdim=True)  # (N, 1, H', W')
        change = self._latent(2 * padded - 1, attention) * attention / 2  # from [-1, 1] to [0, 1]
        return image + change[..., sides[2] :, sides[0] :][..., :height, :width]

    def _latent(self, image: Tensor, attention: Tensor) -> Tensor:
        """Return the change before attention, (N, 3, H', W'), of an image in [-1, 1]."""
        features = torch.cat([image, attention], 1)
        skips: list[Tensor] = []
        for stage, (first, second) in enumerate(zip(self.first, self.second, strict=True)):
            if stage:
                features = functional.max_pool2d(features, 2)
                attention = functional.max_pool2d(attention, 2)
            features = first(features)
            if stage == STAGES - 1:
                features = second(features * attention)
            else:
                features = second(features)
                skips.append(features * attention)
        for skip, up, mix, refine in reversed(
            list(zip(skips, self.up, self.mix, self.refine, strict=True))
        ):
            features = functional.interpolate(
                features, scale_factor=2, mode="bilinear", align_corners=False
            )
            features = refine(mix(torch.cat([up(features), skip], 1)))
        latent: Tensor = self.last(features)
        return latent


class Discriminator(nn.Sequential):
    """Score overlapping regions of (N, 3, H, W) in [-1, 1] as real (1) or made (0).

    11.15 M parameters with 5 halving layers and width 64, 6.96 M with 4.
    """

    def __init__(self, layers: int, width: int) -> None:
        wide = [width * min(2**layer, 8) for layer in range(layers + 1)]
        parts: list[nn.Module] = []
        for layer, (inputs, outputs) in enumerate(zip([3, *wide[:-1]], wide, strict=True)):
            stride = 2 if layer < layers else 1
            parts += [
                nn.Conv2d(inputs, outputs, 4, stride, 2),
                nn.LeakyReLU(SLOPE, inplace=True),
            ]
        super().__init__(*parts, nn.Conv2d(wide[-1], 1, 4, 1, 2))
        initialise(self)


def initialise(network: nn.Module) -> None:
    """Start weights of convolutions at N(0, 0.02), of normalisations at N(1, 0.02)."""
    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.normal_(part.weight, 0.0, 0.02)
        elif isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.weight, 1.0, 0.02)


def _conv3(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)
