"""PyramidBox (Tang et al., ECCV 2018), the detector that the paper cites, without weights.

The network is written from its paper and the tensor shapes of its public ports; the suite contains
no weights. Not in the paper of MLSM: the implementation, weights and test scales behind Table VII.
Two conventions are supported (`Config`): the official code does not dilate `fc6` and scales
features after the context modules; a widespread port dilates it by 6 and scales before them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.faces.anchors import Level

LEVELS = tuple(Level(4 * 2**i, (16 * 2**i,)) for i in range(6))
"""Anchors of 16 to 512 px at strides 4 to 128."""

_VGG = (2, 2, 3, 3, 3)  # convolutions of each block
_WIDTHS = (64, 128, 256, 512, 512)
_MAPS = (256, 512, 512, 1024, 512, 256)  # channels of the six maps before the context modules


@dataclass(frozen=True)
class Config:
    """The settings in which implementations differ.

    Attributes:
        dilation: Dilation of `fc6`: 6 in the port, 1 in the official code.
        scale_first: Whether the three finest maps are normalised before their context module (the
            port) or after it (the official code).
        width: Factor of all widths; 1 is published, smaller factors are for tests.
    """

    dilation: int = 6
    scale_first: bool = True
    width: float = 1.0

    def channels(self, published: int) -> int:
        """Return the number of channels for a published number, after scaling by `width`."""
        return max(4, round(published * self.width))


class Scale(nn.Module):
    """L2-normalise features over channels and scale each by a learned weight (ParseNet)."""

    def __init__(self, channels: int, start: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), start))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise and scale features (N, C, H, W)."""
        return functional.normalize(x, dim=1, eps=1e-10) * self.weight[:, None, None]


class _Normed(nn.Module):
    def __init__(self, into: int, out: int, side: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(into, out, side, padding=side // 2)
        self.bn1 = nn.BatchNorm2d(out)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.bn1(self.conv1(x))
        return out


class Context(nn.Module):
    """The context-sensitive module: a residual block, then three fields of view (Sec. 3.3)."""

    def __init__(self, into: int, config: Config) -> None:
        super().__init__()
        wide, middle, half, quarter = (config.channels(n) for n in (1024, 256, 256, 128))
        self.branch1 = _Normed(into, wide, 1)
        self.branch2a = _Normed(into, middle, 1)
        self.branch2b = _Normed(middle, middle, 3)
        self.branch2c = _Normed(middle, wide, 1)
        self.ssh_1 = nn.Conv2d(wide, half, 3, padding=1)
        self.ssh_dimred = nn.Conv2d(wide, quarter, 3, padding=1)
        self.ssh_2 = nn.Conv2d(quarter, quarter, 3, padding=1)
        self.ssh_3a = nn.Conv2d(quarter, quarter, 3, padding=1)
        self.ssh_3b = nn.Conv2d(quarter, quarter, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, 512, H, W), at published width."""
        inner = functional.relu(self.branch2b(functional.relu(self.branch2a(x))))
        x = functional.relu(self.branch1(x) + self.branch2c(inner))
        near = functional.relu(self.ssh_dimred(x))
        far = self.ssh_3b(functional.relu(self.ssh_3a(near)))
        return functional.relu(torch.cat([self.ssh_1(x), self.ssh_2(near), far], dim=1))


class PyramidBox(nn.Module):
    """The network without its body anchors, whose heads are loaded but not decoded.

    Args:
        config: The convention of its weights.
    """

    def __init__(self, config: Config | None = None) -> None:
        super().__init__()
        self.config = config or Config()
        width = self.config.channels
        maps = [width(n) for n in _MAPS]
        self.vgg = nn.ModuleList(_trunk(self.config))
        self.extras = nn.ModuleList(
            [
                nn.Conv2d(width(1024), width(256), 1),
                nn.Conv2d(width(256), width(512), 3, 2, padding=1),
                nn.Conv2d(width(512), width(128), 1),
                nn.Conv2d(width(128), width(256), 3, 2, padding=1),
            ]
        )
        out = width(256) + 2 * width(128)
        fine = maps[:3] if self.config.scale_first else [out] * 3
        for name, channels, start in zip(
            ("3_3", "4_3", "5_3"), fine, (10.0, 8.0, 5.0), strict=True
        ):
            self.add_module(f"L2Norm{name}", Scale(channels, start))
        down = [(maps[3], maps[2]), (maps[2], maps[1]), (maps[1], maps[0])]
        self.lfpn_topdown = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in down)
        self.lfpn_later = nn.ModuleList(nn.Conv2d(b, b, 1) for _, b in down)
        self.cpm = nn.ModuleList(Context(channels, self.config) for channels in maps)
        self.loc_layers = nn.ModuleList(nn.Conv2d(out, 8, 3, padding=1) for _ in LEVELS)
        classes = [8, *(6 for _ in LEVELS[1:])]
        self.conf_layers = nn.ModuleList(nn.Conv2d(out, n, 3, padding=1) for n in classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, list[tuple[int, int]]]:
        """Map (1, 3, H, W) to face offsets (n, 4), face scores (n,) and the sizes of the maps."""
        contexts = self._contexts(self._pyramid(x))
        offsets, logits = [], []
        for level, x in enumerate(contexts):
            offsets.append(self.loc_layers[level](x)[:, :4].permute(0, 2, 3, 1).reshape(-1, 4))
            logits.append(_face_logits(self.conf_layers[level](x), finest=level == 0))
        scores = torch.cat(logits).softmax(dim=1)[:, 1]
        sizes = [(int(x.shape[2]), int(x.shape[3])) for x in contexts]
        return torch.cat(offsets), scores, sizes

    def _pyramid(self, x: Tensor) -> list[Tensor]:
        """Return the six maps, the three finest multiplied from the top down (Sec. 3.2)."""
        kept = []
        for place, layer in enumerate(self.vgg):
            x = layer(x)
            if place in (15, 22, 29):  # after conv3_3, conv4_3 and conv5_3 with their ReLU
                kept.append(x)
        coarse = [x]  # fc7
        for place, layer in enumerate(self.extras):
            x = functional.relu(layer(x))
            if place % 2:
                coarse.append(x)
        top, fine = coarse[0], []
        for place, lateral in enumerate(reversed(kept)):
            top = functional.relu(self.lfpn_topdown[place](top))
            top = functional.interpolate(top, size=lateral.shape[2:], mode="bilinear")
            top = functional.relu(top * self.lfpn_later[place](lateral))
            fine.append(top)
        return [*reversed(fine), *coarse]

    def _contexts(self, maps: list[Tensor]) -> list[Tensor]:
        features = []
        names = ("L2Norm3_3", "L2Norm4_3", "L2Norm5_3")
        for place, (module, x) in enumerate(zip(self.cpm, maps, strict=True)):
            scale = self.get_submodule(names[place]) if place < len(names) else nn.Identity()
            first = self.config.scale_first
            features.append(module(scale(x)) if first else scale(module(x)))
        return features


def _trunk(config: Config) -> list[nn.Module]:
    """Return VGG16 to conv5_3, pool5, and fc6 and fc7 as convolutions, with their ReLUs."""
    layers: list[nn.Module] = []
    into = 3
    for count, published in zip(_VGG, _WIDTHS, strict=True):
        for _ in range(count):
            out = config.channels(published)
            layers += [nn.Conv2d(into, out, 3, padding=1), nn.ReLU()]
            into = out
        layers.append(nn.MaxPool2d(2))
    wide = config.channels(1024)
    gap = config.dilation
    layers += [nn.Conv2d(into, wide, 3, padding=gap, dilation=gap), nn.ReLU()]
    return [*layers, nn.Conv2d(wide, wide, 1), nn.ReLU()]


def _face_logits(x: Tensor, finest: bool) -> Tensor:
    """Return (n, 2) background and face logits, one of which is the maximum of three channels.

    On the finest map this is the background's logit (max-in-out of S3FD), elsewhere the face's.
    """
    if finest:
        pair = torch.cat([x[:, :3].amax(dim=1, keepdim=True), x[:, 3:4]], dim=1)
    else:
        pair = torch.cat([x[:, :1], x[:, 1:4].amax(dim=1, keepdim=True)], dim=1)
    return pair.permute(0, 2, 3, 1).reshape(-1, 2)


def adapt(state: Mapping[str, Tensor], network: PyramidBox) -> dict[str, Tensor]:
    """Convert a state dict to the names of this network.

    The names of the widespread PyTorch port, which this network shares, are accepted with or
    without the prefix that wrappers add (`module.`), at the top level or inside `weight`,
    `state_dict` or `model`.

    Raises:
        ValueError: A tensor is missing, unknown or of another shape; the message names the first.
    """
    for key in ("weight", "state_dict", "model"):
        inner = state.get(key)
        if isinstance(inner, Mapping):
            state = inner
    tensors = {name.removeprefix("module."): value for name, value in state.items()}
    expected = network.state_dict()
    counters = {name for name in expected if name.endswith("num_batches_tracked")}
    for name, value in expected.items():
        if name not in tensors and name not in counters:
            raise ValueError(f"tensor {name} is missing")
        if name in tensors and tuple(tensors[name].shape) != tuple(value.shape):
            shapes = tuple(tensors[name].shape), tuple(value.shape)
            raise ValueError(f"tensor {name} has shape {shapes[0]}, expected {shapes[1]}")
    unknown = [name for name in tensors if name not in expected]
    if unknown:
        raise ValueError(f"tensor {unknown[0]} has no place in the network")
    return {name: tensors.get(name, value) for name, value in expected.items()}
