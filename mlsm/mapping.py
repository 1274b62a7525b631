"""The mapping networks M_0 ... M_{k-1} between two latent spaces (Sec. III-D, eqs. 14-16)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from mlsm.blocks import (
    ASPP,
    ChannelSpatialAttention,
    ResBlock,
    conv3,
    conv_block,
    initialise,
    normalisation,
)
from mlsm.config import Config, Norm


class EnlightenBranch(nn.Sequential):
    """Restore illumination and major details: F_en = f(l_c^i) (eq. 14).

    Two ResBlocks, ASPP, one ResBlock; (N, C, h, w) to the same shape.
    """

    def __init__(self, config: Config) -> None:
        width, norm = config.width, config.mapping_norm
        super().__init__(
            ResBlock(width, norm),
            ResBlock(width, norm),
            ASPP(width, config.aspp_rates, config.aspp_pool, norm),
            ResBlock(width, norm),
        )


class DeblockingBranch(nn.Module):
    """Remove blocking cues from a residual: F_de = g(l_c^i - l_c^{k-1} up) (eq. 15).

    A UNet with two downsample blocks (3x3 convolution, stride 2, padding 1) and two upsample
    blocks (deconvolution, factor 2), as Fig. 6 says. Not in the paper: widths C, 2C, 4C, skips by
    concatenation, the 2x2 kernel of the deconvolution, and a last convolution without activation.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, norm = config.width, config.mapping_norm
        self.first = conv_block(width, width, norm)
        self.down1 = _down(width, 2 * width, norm)
        self.down2 = _down(2 * width, 4 * width, norm)
        self.up2 = _up(4 * width, 2 * width, norm)
        self.mix2 = conv_block(4 * width, 2 * width, norm)
        self.up1 = _up(2 * width, width, norm)
        self.mix1 = conv_block(2 * width, width, norm)
        self.last = conv3(width, width)

    def forward(self, residual: Tensor) -> Tensor:
        """Map (N, C, h, w) to the same shape; h and w are multiples of 4."""
        full = self.first(residual)  # (N, C, h, w)
        half = self.down1(full)  # (N, 2C, h/2, w/2)
        quarter = self.down2(half)  # (N, 4C, h/4, w/4)
        half = self.mix2(torch.cat((self.up2(quarter), half), 1))  # (N, 2C, h/2, w/2)
        full = self.mix1(torch.cat((self.up1(half), full), 1))  # (N, C, h, w)
        y: Tensor = self.last(full)  # (N, C, h, w)
        return y


def _down(inputs: int, outputs: int, norm: Norm) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=norm != "instance"),
        normalisation(norm, outputs),
        nn.ReLU(inplace=True),
    )


def _up(inputs: int, outputs: int, norm: Norm) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, outputs, 2, stride=2, bias=norm != "instance"),
        normalisation(norm, outputs),
        nn.ReLU(inplace=True),
    )


class BranchMapping(nn.Module):
    """One M_i of Sec. III-D1: both branches, their sum, one ResBlock."""

    def __init__(self, config: Config, level: int) -> None:
        super().__init__()
        self.subtract = config.topres == "literal" or level < config.levels - 1
        self.enlighten = EnlightenBranch(config)
        self.deblock = DeblockingBranch(config)
        self.fuse = ResBlock(config.width, config.mapping_norm)

    def residual(self, latent: Tensor, top: Tensor) -> Tensor:
        """Return the block-aware cues l_c^i - l_c^{k-1} up (eq. 15).

        At the top level the two are one tensor, so this is 0 everywhere and the deblocking branch
        gives a constant that no input reaches; `Config.topres="feature"` passes the latent there.
        """
        return latent - top if self.subtract else latent

    def forward(self, latent: Tensor, top: Tensor) -> Tensor:
        """Map l_c^i and l_c^{k-1} up, both (N, C, h, w), to l~_n^i of the same shape (eq. 16)."""
        enlightened = self.enlighten(latent)  # eq. 14, (N, C, h, w)
        deblocked = self.deblock(self.residual(latent, top))  # eq. 15, (N, C, h, w)
        y: Tensor = self.fuse(enlightened + deblocked)
        return y


class AttentionMapping(nn.Module):
    """One M_i as the end of Sec. III-D2 has it: ResBlocks, attention, ResBlocks, no residual."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, norm = config.width, config.mapping_norm
        self.body = nn.Sequential(
            ResBlock(width, norm),
            ResBlock(width, norm),
            ChannelSpatialAttention(width),
            ResBlock(width, norm),
            ResBlock(width, norm),
        )

    def forward(self, latent: Tensor, top: Tensor) -> Tensor:
        """Map l_c^i (N, C, h, w) to l~_n^i; `top` is part of eq. 16 and unused in this form."""
        y: Tensor = self.body(latent)
        return y


class LatentMapping(nn.Module):
    """The k mapping networks "with the same structure" (eq. 16; Algorithm 2, step 3)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            BranchMapping(config, i) if config.mapping == "branches" else AttentionMapping(config)
            for i in range(config.levels)
        )
        initialise(self, config.init)

    def forward(self, latents: Sequence[Tensor]) -> list[Tensor]:
        """Map the latents of a dark image to those of a normal-light image.

        Args:
            latents: l_c^i, (N, C, H/2^i, W/2^i), finest first; H and W multiples of 2^(k+1).

        Returns:
            l~_n^i in the same order and of the same shapes.
        """
        return [
            level(latent, resize_like(latents[-1], latent))
            for level, latent in zip(self.levels, latents, strict=True)
        ]


def resize_like(top: Tensor, latent: Tensor) -> Tensor:
    """Upsample l_c^{k-1} to the size of l_c^i bilinearly; at the top level it is the same tensor.

    Args:
        top: (N, C, H/2^(k-1), W/2^(k-1)).
        latent: (N, C, H/2^i, W/2^i).
    """
    size = latent.shape[-2:]
    if top.shape[-2:] == size:
        return top
    return functional.interpolate(top, size=size, mode="bilinear", align_corners=False)
