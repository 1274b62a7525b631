"""The multi-level VAE of one image domain (Sec. III-C, eqs. 9-11, Algorithm 1)."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from mlsm.blocks import ResBlock, conv3, conv_block, initialise
from mlsm.config import Config

LOGVAR_MIN, LOGVAR_MAX = -10.0, 4.0


class Posterior(NamedTuple):
    """The distribution of one level's latent; all three are (N, C, H/2^i, W/2^i)."""

    mu: Tensor
    logvar: Tensor
    sample: Tensor


class Reconstruction(NamedTuple):
    """What a VAE makes of a batch: the image (N, 3, H, W) in [-1, 1] and one posterior a level."""

    image: Tensor
    posteriors: list[Posterior]


def to_signed(image: Tensor) -> Tensor:
    """Map [0, 1] to the networks' range [-1, 1]."""
    return image * 2.0 - 1.0


def to_unit(image: Tensor) -> Tensor:
    """Map [-1, 1] back to [0, 1]; the inverse of `to_signed`."""
    return (image + 1.0) * 0.5


def upsample2(x: Tensor) -> Tensor:
    """Double height and width bilinearly: the up arrow of eq. 10."""
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class Encoder(nn.Module):
    """The sub-encoders E^0 ... E^{k-1} and the strided convolutions between them (eq. 9)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, levels, norm = config.width, config.levels, config.norm
        self.trunks = nn.ModuleList(
            conv_block(3 if i == 0 else width, width, norm) for i in range(levels)
        )
        # "The downsampling operation is realized by convolution with stride 2" (Sec. III-C1).
        self.downs = nn.ModuleList(conv3(width, width, stride=2) for _ in range(levels - 1))
        heads = levels if config.variant == "sound" else 0
        self.mu_heads = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(heads))
        self.logvar_heads = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(heads))
        initialise(self, config.init)
        for name, parameter in self.logvar_heads.named_parameters():
            if name.endswith("bias"):
                nn.init.constant_(parameter, config.logvar_bias)

    def forward(self, image: Tensor, sample: bool = False) -> list[Posterior]:
        """Encode a batch.

        The chain between levels is deterministic: E^i reads mu^{i-1}, never the noisy sample.

        Args:
            image: (N, 3, H, W) in [-1, 1]; H and W multiples of 2^(k-1).
            sample: Draw each latent from its posterior (stage 1). Otherwise it is the mean, as in
                stage 2 and at inference.

        Returns:
            One posterior a level, finest first.
        """
        posteriors: list[Posterior] = []
        x = image
        for i, trunk in enumerate(self.trunks):
            if i > 0:
                x = self.downs[i - 1](x)  # (N, C, H/2^i, W/2^i)
            feature = trunk(x)  # (N, C, H/2^i, W/2^i), >= 0
            mu, logvar = self._distribution(feature, i)
            noisy = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu) if sample else mu
            posteriors.append(Posterior(mu, logvar, noisy))
            x = mu  # Algorithm 1; eq. 9's last line says l^{k-1} of itself, a slip
        return posteriors

    def _distribution(self, feature: Tensor, level: int) -> tuple[Tensor, Tensor]:
        if not self.mu_heads:  # literal: N(l, I)
            return feature, torch.zeros_like(feature)
        logvar = self.logvar_heads[level](feature).clamp(LOGVAR_MIN, LOGVAR_MAX)
        return self.mu_heads[level](feature), logvar


class Decoder(nn.Module):
    """The sub-decoders D^{k-1} ... D^0 with additive skips (eqs. 10 and 17).

    Not in the paper: D^i is a mirror of E^i, followed by `Config.n_res` ResBlocks.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, norm = config.width, config.norm
        self.blocks = nn.ModuleList(
            nn.Sequential(
                *conv_block(width, width, norm),
                *(ResBlock(width, norm) for _ in range(config.n_res)),
            )
            for _ in range(config.levels)
        )
        self.to_rgb = conv3(width, 3)
        self.bounded = config.output == "tanh"
        initialise(self, config.init)

    def forward(self, latents: Sequence[Tensor]) -> Tensor:
        """Decode one latent a level, finest first, to (N, 3, H, W).

        The output is in (-1, 1) with tanh and only near [-1, 1] without.
        """
        y = latents[-1]  # (N, C, H/2^(k-1), W/2^(k-1))
        for i in range(len(latents) - 1, 0, -1):
            # y^{i-1} = up(D^i(y^i)) + l^{i-1}; eq. 17 prints l_n^{k-2}, Algorithm 2 the mapped one
            y = upsample2(self.blocks[i](y)) + latents[i - 1]  # (N, C, H/2^(i-1), W/2^(i-1))
        rgb: Tensor = self.to_rgb(self.blocks[0](y))  # (N, 3, H, W)
        return torch.tanh(rgb) if self.bounded else rgb


class VAE(nn.Module):
    """Encoder and decoder of one domain: compressed dark images or normal-light images."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def forward(self, image: Tensor, sample: bool = True) -> Reconstruction:
        """Encode and decode a batch (eqs. 9 and 10; eq. 11 for normal light).

        Args:
            image: (N, 3, H, W) in [-1, 1]; H and W multiples of 2^(k-1).
            sample: Decode samples (training) or means.
        """
        posteriors = self.encoder(image, sample)
        return Reconstruction(self.decoder([p.sample for p in posteriors]), posteriors)
