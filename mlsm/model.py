"""The whole method: N = D_N(M(E_C(c))) (eqs. 4, 8 and 19).

Shapes for k = 3 levels of C channels; H and W are padded to multiples of 16 first:

    c (N, 3, H, W) in [0, 1], then [-1, 1]
    |
    E_C^0 -------- l_c^0 (N, C, H, W) ------- M_0 --- l~_n^0 --(+)--- D_N^0 -- n~ (N, 3, H, W)
    | stride 2                                 |                |
    E_C^1 -------- l_c^1 (N, C, H/2, W/2) --- M_1 --- l~_n^1 --(+)-- up x2
    | stride 2                                 |                |    D_N^1
    E_C^2 -------- l_c^2 (N, C, H/4, W/4) --- M_2 --- l~_n^2 -- D_N^2, up x2
                     |                         |
                     +----- up to level i -----+   every M_i also sees l_c^{k-1} up

    M_i:  l_c^i ------------------> ResBlock x2 -> ASPP -> ResBlock --+
          l_c^i - l_c^{k-1} up ---> UNet ----------------------------(+)-> ResBlock -> l~_n^i
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mlsm.config import Config
from mlsm.mapping import LatentMapping
from mlsm.vae import VAE, Decoder, Encoder, to_signed, to_unit


class Tone(nn.Module):
    """A global branch: a small copy of the dark image decides on gamma and colour of the output.

    Not in the paper. n' = A n^g with g (3,) and A (3, 3), one of each per image; both start as 1.
    """

    SIDE = 32
    """Side of the small copy in pixels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.see = nn.Sequential(
            nn.Conv2d(3, width, 3, 2, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, 2 * width, 3, 2, 1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(32 * width, 2 * width),
            nn.ReLU(inplace=True),
        )
        self.decide = nn.Linear(2 * width, 12)
        nn.init.zeros_(self.decide.weight)
        nn.init.zeros_(self.decide.bias)

    def forward(self, output: Tensor, dark: Tensor) -> Tensor:
        """Change an output by what the dark image says; both (N, 3, H, W) near [-1, 1]."""
        small = functional.adaptive_avg_pool2d(dark, self.SIDE)  # (N, 3, 32, 32)
        chosen = self.decide(self.see(small))  # (N, 12)
        gamma = chosen[:, :3].exp()[..., None, None]  # (N, 3, 1, 1)
        matrix = torch.eye(3, device=dark.device) + chosen[:, 3:].unflatten(1, (3, 3))  # (N, 3, 3)
        light = to_unit(output).clamp(min=1e-3) ** gamma
        return to_signed(torch.einsum("nij,njhw->nihw", matrix, light))


class MLSM(nn.Module):
    """Compressed dark image to normal-light image.

    Holds what inference needs: the encoder of the dark VAE, k mapping networks, the decoder of the
    normal-light VAE.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.mapping = LatentMapping(config)
        self.decoder = Decoder(config)
        self.tone = Tone(config.width) if config.tone else None

    def adopt(self, dark: VAE, normal: VAE) -> None:
        """Take over trained VAEs and freeze them: "the parameters of two VAEs are frozen"."""
        self.encoder.load_state_dict(dark.encoder.state_dict())
        self.decoder.load_state_dict(normal.decoder.state_dict())
        self.encoder.requires_grad_(False)
        self.decoder.requires_grad_(False)

    def latents(self, image: Tensor) -> list[Tensor]:
        """Encode and map: l~_n^i for c, the inside of eq. 19 (Algorithm 2, steps 1 and 3).

        Args:
            image: (N, 3, H, W) in [-1, 1]; H and W multiples of `Config.stride`.
        """
        mapped: list[Tensor] = self.mapping([p.mu for p in self.encoder(image)])  # eqs. 9 and 16
        return mapped

    def decode(self, latents: list[Tensor], image: Tensor) -> Tensor:
        """Decode l~_n^i to n~ (eq. 17), with the tone that the dark image asks for.

        Args:
            latents: As `latents` returns them.
            image: The dark image that they come from, (N, 3, H, W) in [-1, 1].
        """
        output: Tensor = self.decoder(latents)
        return output if self.tone is None else self.tone(output, image)

    def forward(self, image: Tensor) -> Tensor:
        """Enhance a batch (eq. 19).

        Args:
            image: Compressed dark images, (N, 3, H, W) in [0, 1]; H and W at least 1.

        Returns:
            The same shape, clipped to [0, 1].
        """
        height, width = image.shape[-2:]
        padded = pad(to_signed(image), self.config.stride)  # (N, 3, H', W')
        output = to_unit(self.decode(self.latents(padded), padded))  # (N, 3, H', W')
        return output[..., :height, :width].clamp(0.0, 1.0)


class Direct(nn.Module):
    """The control of Table V: a network with the structure of one VAE, from dark to normal light.

    It has neither mapping networks nor noise, and no head for logvar.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.encoder.logvar_heads.requires_grad_(False)

    def decode(self, image: Tensor) -> Tensor:
        """Map (N, 3, H, W) in [-1, 1] to near the same range; sides as `MLSM.latents` wants."""
        output: Tensor = self.decoder([p.mu for p in self.encoder(image)])
        return output

    def forward(self, image: Tensor) -> Tensor:
        """Enhance a batch: (N, 3, H, W) in [0, 1] to the same shape and range."""
        height, width = image.shape[-2:]
        padded = pad(to_signed(image), self.config.stride)  # (N, 3, H', W')
        return to_unit(self.decode(padded))[..., :height, :width].clamp(0.0, 1.0)


def pad(image: Tensor, stride: int) -> Tensor:
    """Extend an image to the right and below to multiples of `stride`, and to two strides at least.

    Not in the paper: it reflects, or repeats the border where the image is too small for that. The
    upper left corner stays, so the 8x8 grid of JPEG keeps its phase. One stride would leave a
    single value to the instance norm at the bottom of the deblocking UNet.

    Args:
        image: (N, 3, H, W).
        stride: Pixels.

    Returns:
        (N, 3, H', W').
    """
    height, width = image.shape[-2:]
    below, right = (max(-(-side // stride), 2) * stride - side for side in (height, width))
    mode = "reflect" if below < height and right < width else "replicate"
    return functional.pad(image, (0, right, 0, below), mode=mode)
