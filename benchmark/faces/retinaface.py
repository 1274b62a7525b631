"""RetinaFace with MobileNet 0.25 (Deng et al., CVPR 2020), for the weights of its public port.

The network follows the shapes and names in the released file (Pytorch_Retinaface, MIT); the
landmark heads are loaded but not run. Not in the paper of MLSM, which cites only PyramidBox: a
second detector shows whether a ranking of enhancers depends on the detector.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.core.images import Image
from benchmark.data.labels.boxes import Boxes, Detector
from benchmark.faces import anchors
from benchmark.faces.anchors import Level

LEVELS = (Level(8, (16, 32)), Level(16, (64, 128)), Level(32, (256, 512)))
OVERLAP = 0.4
"""IoU threshold of the suppression, as in the port's test on WIDER FACE."""

_SLOPE = 0.1
_WIDTHS = ((8, 16, 32, 32, 64, 64), (128,) * 6, (256, 256))
_HALVED = ({2, 4}, {0}, {0})  # which blocks of a stage have stride 2


def _conv(into: int, out: int, side: int = 3, stride: int = 1, active: bool = True) -> nn.Module:
    layers: list[nn.Module] = [
        nn.Conv2d(into, out, side, stride, padding=side // 2, bias=False),
        nn.BatchNorm2d(out),
    ]
    return nn.Sequential(*layers, *([nn.LeakyReLU(_SLOPE)] if active else []))


def _separable(into: int, out: int, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(into, into, 3, stride, padding=1, groups=into, bias=False),
        nn.BatchNorm2d(into),
        nn.LeakyReLU(_SLOPE),
        nn.Conv2d(into, out, 1, bias=False),
        nn.BatchNorm2d(out),
        nn.LeakyReLU(_SLOPE),
    )


class _Body(nn.Module):
    """MobileNet with a quarter of the width, which returns three maps at strides 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        into = 3
        for number, (widths, halved) in enumerate(zip(_WIDTHS, _HALVED, strict=True), start=1):
            blocks: list[nn.Module] = []
            for place, out in enumerate(widths):
                if into == 3:
                    blocks.append(_conv(3, out, stride=2))
                else:
                    blocks.append(_separable(into, out, 2 if place in halved else 1))
                into = out
            self.add_module(f"stage{number}", nn.Sequential(*blocks))

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for stage in self.children():
            x = stage(x)
            maps.append(x)
        return maps


class _Pyramid(nn.Module):
    """Feature pyramid: top-down sums of the three maps with 64 channels each."""

    def __init__(self) -> None:
        super().__init__()
        for number, width in enumerate((64, 128, 256), start=1):
            self.add_module(f"output{number}", _conv(width, 64, side=1))
        self.merge1, self.merge2 = _conv(64, 64), _conv(64, 64)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        fine, middle, coarse = (
            getattr(self, f"output{number}")(x) for number, x in enumerate(maps, start=1)
        )
        middle = self.merge2(middle + functional.interpolate(coarse, size=middle.shape[2:]))
        fine = self.merge1(fine + functional.interpolate(middle, size=fine.shape[2:]))
        return [fine, middle, coarse]


class _Context(nn.Module):
    """Context module with three field sizes, concatenated (Najibi et al., "SSH", ICCV 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv3X3 = _conv(64, 32, active=False)
        self.conv5X5_1 = _conv(64, 16)
        self.conv5X5_2 = _conv(16, 16, active=False)
        self.conv7X7_2 = _conv(16, 16)
        self.conv7x7_3 = _conv(16, 16, active=False)

    def forward(self, x: Tensor) -> Tensor:
        half = self.conv5X5_1(x)
        wide = self.conv7x7_3(self.conv7X7_2(half))
        joined: Tensor = torch.cat([self.conv3X3(x), self.conv5X5_2(half), wide], dim=1)
        return functional.relu(joined)


class _Head(nn.Module):
    """A 1x1 convolution whose channels are the outputs of each cell's anchors in sequence."""

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.numbers = numbers
        self.conv1x1 = nn.Conv2d(64, 2 * numbers, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv1x1(x).permute(0, 2, 3, 1).reshape(-1, self.numbers)  # type: ignore[no-any-return]


class RetinaFace(nn.Module):
    """The network: maps (1, 3, H, W) to offsets (n, 4), scores (n,) and the sizes of its maps."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.fpn = _Body(), _Pyramid()
        self.ssh1, self.ssh2, self.ssh3 = _Context(), _Context(), _Context()
        for name, numbers in (("ClassHead", 2), ("BboxHead", 4), ("LandmarkHead", 10)):
            self.add_module(name, nn.ModuleList(_Head(numbers) for _ in LEVELS))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, list[tuple[int, int]]]:
        """Run the network without its landmark heads."""
        contexts = (self.ssh1, self.ssh2, self.ssh3)
        maps = [net(m) for net, m in zip(contexts, self.fpn(self.body(x)), strict=True)]
        heads = [self.get_submodule(name) for name in ("ClassHead", "BboxHead")]
        classes, offsets = (
            torch.cat([layer(m) for layer, m in zip(head.children(), maps, strict=True)])
            for head in heads
        )
        sizes = [(int(m.shape[2]), int(m.shape[3])) for m in maps]
        return offsets, classes.softmax(dim=1)[:, 1], sizes


def build(state: Mapping[str, Any], floor: float = 0.01) -> Detector:
    """Build the detector, at the image's own scale, on the CPU.

    Args:
        state: The released state dict.
        floor: Lowest score that is returned, [0, 1).
    """
    network = RetinaFace()
    network.load_state_dict(dict(state))
    network.eval()

    def detect(image: Image) -> Boxes:
        height, width, _ = image.shape
        with torch.inference_mode():
            offsets, scores, sizes = network(anchors.as_input(image))
            boxes = anchors.decode(anchors.squares(LEVELS, sizes), offsets)
            kept = anchors.suppressed(anchors.candidates(boxes, scores, floor), OVERLAP)
        return anchors.tidy(kept.boxes, kept.scores, height, width)

    return detect
