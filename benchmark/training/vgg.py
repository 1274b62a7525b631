"""The frozen VGG16 trunk that the `stlpips_pytorch` wheel carries, for perceptual losses.

An offline machine has no ImageNet VGG; this wheel contains one that was trained further for shift
tolerance (Ghildyal and Liu, "Shift-tolerant Perceptual Similarity Metric", ECCV 2022). Only its
weight file is read: importing the package fails because it does not declare its dependencies.
"""

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.core.errors import InputError

PACKAGE = "stlpips_pytorch"
FILE = Path("weights", "vST0.0", "vgg_shift_tolerant.pth")

WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Output channels of the 3x3 convolutions of each slice; slices end at relu1_2, relu2_2, relu3_3,
relu4_3 and relu5_3."""
MIN_SIDES = (1, 4, 6, 10, 18)
"""Smallest image side in pixels for 1 to 5 slices; reflect padding of smaller ones is
impossible."""

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""ImageNet statistics of RGB in [0, 1]; the network's own scaling layer holds the same."""


def weights_file() -> Path:
    """Return the path of the VGG16 weights in the wheel.

    Raises:
        InputError: The wheel is not installed or does not contain the file.
    """
    spec = importlib.util.find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or []) if spec else []
    for place in places:
        if (Path(place) / FILE).is_file():
            return Path(place) / FILE
    where = f"{places[0]} has no {FILE}" if places else "it is not installed"
    raise InputError(
        f"The perceptual loss needs the wheel {PACKAGE} 0.0.2, but {where}: "
        f"run `pip install {PACKAGE}==0.0.2`, or train without that loss."
    )


class _BlurPool(nn.Module):
    """Halve (N, C, H, W): 2x2 maximum at stride 1, then a binomial 3x3 filter at stride 2.

    The filter sees two reflected pixels on every side, so that H becomes H // 2 + 1.
    """

    filt: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        row = torch.tensor([1.0, 2.0, 1.0]) / 4.0
        self.register_buffer("filt", torch.outer(row, row).expand(channels, 1, 3, 3).clone())

    def forward(self, x: Tensor) -> Tensor:
        largest = functional.max_pool2d(x, 2, stride=1)  # (N, C, H-1, W-1)
        padded = functional.pad(largest, (2, 2, 2, 2), mode="reflect")  # (N, C, H+3, W+3)
        return functional.conv2d(padded, self.filt, stride=2, groups=x.shape[1])


class Trunk(nn.Module):
    """The first slices of VGG16 with frozen weights."""

    mean: Tensor
    std: Tensor

    def __init__(self, slices: int = len(WIDTHS)) -> None:
        """Load the trunk.

        Args:
            slices: Number of slices, 1 to 5, finest first; at 64x64 pixels two slices take 27 % of
                the time of all five, three take 56 %.

        Raises:
            ValueError: `slices` is not 1 to 5.
            InputError: The wheel is not installed.
        """
        super().__init__()
        if not 1 <= slices <= len(WIDTHS):
            raise ValueError(f"Argument `slices` must be 1 to {len(WIDTHS)}, but got {slices!r}.")
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        self.slices = nn.ModuleList(_slice(index) for index in range(slices))
        stored = torch.load(weights_file(), map_location="cpu", weights_only=True)
        self.slices.load_state_dict(_select(stored, slices))
        self.requires_grad_(False)

    def scaled(self, image: Tensor) -> Tensor:
        """Normalise images (N, 3, H, W) in [-1, 1] to the input range of the first slice."""
        return ((image + 1.0) * 0.5 - self.mean) / self.std

    def features(self, image: Tensor) -> list[Tensor]:
        """Return the output of every slice.

        Args:
            image: (N, 3, H, W) in [-1, 1]; H and W at least `MIN_SIDES[slices - 1]`.

        Returns:
            (N, 64, H, W), then (N, 128, H//2 + 1, W//2 + 1), and so on.

        Raises:
            ValueError: The image is too small.
        """
        side = MIN_SIDES[len(self.slices) - 1]
        if min(image.shape[-2:]) < side:
            raise ValueError(
                f"Argument `image` must have sides of at least {side} pixels for "
                f"{len(self.slices)} slices, but got {tuple(image.shape[-2:])}."
            )
        x = self.scaled(image)
        outputs = []
        for part in self.slices:
            x = part(x)
            outputs.append(x)
        return outputs


def _slice(index: int) -> nn.Sequential:
    inputs = WIDTHS[index - 1][-1] if index else 3
    layers: list[nn.Module] = [_BlurPool(inputs)] if index else []
    for outputs in WIDTHS[index]:
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
        inputs = outputs
    return nn.Sequential(*layers)


def _select(stored: dict[str, Tensor], slices: int) -> dict[str, Tensor]:
    """Rename the file's keys, `net.slice<s>.<layer of the whole VGG>`, to those of `Trunk`.

    The file counts max-pooling and filter as two layers; here they are one.
    """
    renamed = {}
    first = 0  # the file's number of this slice's first convolution
    for index in range(slices):
        own = 1 if index else 0  # ours
        if index:
            name = f"net.slice{index + 1}.{first - 1}.filt"
            renamed[f"{index}.0.filt"] = stored[name]
        for offset in range(0, 2 * len(WIDTHS[index]), 2):
            for kind in ("weight", "bias"):
                name = f"net.slice{index + 1}.{first + offset}.{kind}"
                renamed[f"{index}.{own + offset}.{kind}"] = stored[name]
        first += 2 * len(WIDTHS[index]) + 2
    return renamed
