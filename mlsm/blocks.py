"""Building blocks that the VAEs and the mapping networks share."""

import torch
from torch import Tensor, nn

from mlsm.config import GROUPS, Init, Norm

INIT_STD = 0.02


class LayerNorm2d(nn.Module):
    """Normalise the channels of each position, then scale and shift them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        y: Tensor = self.norm(x.movedim(1, -1))  # (N, H, W, C)
        return y.movedim(-1, 1)


def normalisation(norm: Norm, channels: int) -> nn.Module:
    """Return the layer that `Config.norm` names.

    Instance norm has neither affine parameters nor running statistics, as in the ancestor. It is
    written as group norm with one channel a group, which PyTorch runs in half the time.
    """
    if norm == "instance":
        return nn.GroupNorm(channels, channels, affine=False)
    if norm == "group":
        return nn.GroupNorm(GROUPS, channels)
    if norm == "layer2d":
        return LayerNorm2d(channels)
    return nn.Identity()


def conv3(inputs: int, outputs: int, norm: Norm = "none", stride: int = 1) -> nn.Conv2d:
    """Return a 3x3 convolution with reflect padding.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        norm: What follows it; instance norm would cancel a bias, so there is none then.
        stride: 1 keeps (H, W), 2 halves them.
    """
    return nn.Conv2d(inputs, outputs, 3, stride, 1, padding_mode="reflect", bias=norm != "instance")


def conv_block(inputs: int, outputs: int, norm: Norm) -> nn.Sequential:
    """Return "3x3 convolution followed by instance normalization and ReLU" (Sec. III-C1)."""
    return nn.Sequential(
        conv3(inputs, outputs, norm), normalisation(norm, outputs), nn.ReLU(inplace=True)
    )


class ResBlock(nn.Module):
    """Add conv-norm-ReLU-conv-norm to the input (Fig. 6b).

    Not in the paper: no activation follows the sum, as in the ancestor, so latents stay signed.
    """

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *conv_block(channels, channels, norm),
            conv3(channels, channels, norm),
            normalisation(norm, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        y: Tensor = self.body(x)
        return x + y


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: parallel dilated convolutions, concatenated and mixed.

    Not in the paper beyond the rates [1, 6, 12, 18]: those are DeepLab v3's, so its form is used
    (rate 1 is a 1x1 convolution, the others are 3x3; concatenation, not the sum of DeepLab v2,
    which the paper cites and whose rates are 6, 12, 18, 24). Dilated convolutions pad with zeros.
    """

    def __init__(self, channels: int, rates: tuple[int, ...], pool: bool, norm: Norm) -> None:
        super().__init__()
        bias = norm != "instance"
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, channels, 1, bias=bias)
                if rate == 1
                else nn.Conv2d(channels, channels, 3, padding=rate, dilation=rate, bias=bias),
                normalisation(norm, channels),
                nn.ReLU(inplace=True),
            )
            for rate in rates
        )
        # One value a channel has no variance over positions, hence no norm in this branch.
        self.pool = (
            nn.Sequential(
                nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels, 1), nn.ReLU(inplace=True)
            )
            if pool
            else None
        )
        self.project = nn.Sequential(
            nn.Conv2d((len(rates) + int(pool)) * channels, channels, 1, bias=bias),
            normalisation(norm, channels),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        parts = [branch(x) for branch in self.branches]  # each (N, C, H, W)
        if self.pool is not None:
            parts.append(self.pool(x).expand_as(x))  # (N, C, 1, 1) -> (N, C, H, W)
        y: Tensor = self.project(torch.cat(parts, 1))  # (N, 4C, H, W) -> (N, C, H, W)
        return y


class ChannelSpatialAttention(nn.Module):
    """Weigh channels, then positions.

    Not in the paper, which names "channel attention and spatial attention" and no more: this is
    CBAM (Woo et al., ECCV 2018), with one hidden unit for four channels.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(1, channels // 4)
        self.channel = nn.Sequential(
            nn.Conv2d(channels, hidden, 1), nn.ReLU(inplace=True), nn.Conv2d(hidden, channels, 1)
        )
        self.spatial = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        average = self.channel(x.mean((2, 3), keepdim=True))  # (N, C, 1, 1)
        largest = self.channel(x.amax((2, 3), keepdim=True))  # (N, C, 1, 1)
        x = x * torch.sigmoid(average + largest)
        summary = torch.cat((x.mean(1, keepdim=True), x.amax(1, keepdim=True)), 1)  # (N, 2, H, W)
        return x * torch.sigmoid(self.spatial(summary))


def initialise(network: nn.Module, init: Init) -> None:
    """Set first weights as `Config.init` says; "torch" leaves PyTorch's own."""
    if init == "torch":
        return
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, INIT_STD)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
