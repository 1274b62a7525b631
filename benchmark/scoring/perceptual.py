"""Perceptual distances of an output to its reference, and PSNR at the reference's brightness.

ST-LPIPS is LPIPS (Zhang et al., CVPR 2018) on an AlexNet that tolerates shifts (Ghildyal and Liu,
ECCV 2022); the wheel `stlpips_pytorch` contains its weights. LPIPS itself needs torchvision's
AlexNet, which no wheel contains: it is measured if torch's cache contains that file.
"""

import functools
import importlib.util
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.core.errors import InputError
from benchmark.core.images import Bytes, luma
from benchmark.scoring import lpips_weights, metrics

PACKAGE = "stlpips_pytorch"
FILE = Path("weights", "vST0.0", "alex_shift_tolerant.pth")
LAYERS = ((3, 64, 11, 2), (64, 192, 5, 2), (192, 384, 3, 1), (384, 256, 3, 1), (256, 256, 3, 1))
"""Convolutions of AlexNet: input channels, output channels, side of the kernel, padding."""
MIN_SIDE_PX = 48
"""Smallest image side; smaller images leave no pixels in the deeper layers of AlexNet."""


class ShiftTolerant(nn.Module):
    """ST-LPIPS: a weighted distance between unit-length features of five layers.

    The first convolution has stride 1, and the resolution is halved by binomial 3x3 filters with
    stride 2 and two reflected pixels on each side.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        """Load the network.

        Raises:
            InputError: The wheel is not installed.
        """
        super().__init__()
        self.register_buffer("shift", torch.zeros(1, 3, 1, 1))
        self.register_buffer("scale", torch.ones(1, 3, 1, 1))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, side, padding=padding)
            for inputs, outputs, side, padding in LAYERS
        )
        self.weights = nn.ParameterList(torch.zeros(1, layer[1], 1, 1) for layer in LAYERS)
        stored = torch.load(_weights_file(), map_location="cpu", weights_only=True)
        self.load_state_dict(_select(stored))
        self.requires_grad_(False)

    def features(self, image: Tensor) -> list[Tensor]:
        """Return the five layers' features of an image (N, 3, H, W) in [-1, 1], of unit length."""
        x = (image - self.shift) / self.scale
        found = []
        for place, convolution in enumerate(self.convolutions):
            if place in (1, 2):
                x = _halve(functional.max_pool2d(x, 3, stride=1))
            x = convolution(x)
            x = functional.relu(_halve(x) if place == 0 else x)
            found.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return found

    def distance(self, ours: list[Tensor], theirs: list[Tensor]) -> float:
        """Compute the distance of two images from their features; 0 for equal images."""
        terms = [
            (weight * (a - b).square()).sum(1).mean()
            for weight, a, b in zip(self.weights, ours, theirs, strict=True)
        ]
        return float(torch.stack(terms).sum())


def _halve(x: Tensor) -> Tensor:
    """Filter (N, C, H, W) with the binomial 3x3 filter at stride 2."""
    row = torch.tensor([0.25, 0.5, 0.25], dtype=x.dtype)
    kernel = torch.outer(row, row).expand(x.shape[1], 1, 3, 3)
    padded = functional.pad(x, (2, 2, 2, 2), mode="reflect")
    return functional.conv2d(padded, kernel, stride=2, groups=x.shape[1])


def _weights_file() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (Path(place) / FILE).is_file():
            return Path(place) / FILE
    raise InputError(
        f"ST-LPIPS needs the wheel {PACKAGE} 0.0.2, and {FILE} of it is not here: "
        f"run `pip install {PACKAGE}==0.0.2`."
    )


def _select(stored: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the file's keys to those of `ShiftTolerant`; they are numbered as in AlexNet."""
    renamed = {"shift": stored["scaling_layer.shift"], "scale": stored["scaling_layer.scale"]}
    for place, layer in enumerate((0, 5, 9, 11, 13)):
        for kind in ("weight", "bias"):
            key = f"net.slice{place + 1}.{layer}.{kind}"
            renamed[f"convolutions.{place}.{kind}"] = stored[key]
        renamed[f"weights.{place}"] = stored[f"lin{place}.model.1.weight"]
    return renamed


@functools.cache
def _network() -> ShiftTolerant:
    return ShiftTolerant()


@functools.lru_cache(maxsize=1)
def _reference_features(pixels: bytes, shape: tuple[int, ...]) -> list[Tensor]:
    return _network().features(_signed(np.frombuffer(pixels, np.uint8).reshape(shape)))


def _signed(pixels: Bytes) -> Tensor:
    """Convert uint8 pixels (H, W, 3) to a tensor (1, 3, H, W) in [-1, 1]."""
    signed = np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32) / 127.5 - 1.0
    return torch.from_numpy(signed)[None]


def st_lpips(output: Bytes, reference: Bytes) -> float:
    """Compute the ST-LPIPS distance (AlexNet) of uint8 images (H, W, 3); lower is better.

    Raises:
        InputError: The wheel is not installed, or a side is below `MIN_SIDE_PX`.
    """
    _require_size(output)
    with torch.inference_mode():
        theirs = _reference_features(reference.tobytes(), reference.shape)
        return _network().distance(_network().features(_signed(output)), theirs)


def _require_size(output: Bytes) -> None:
    if min(output.shape[:2]) < MIN_SIDE_PX:
        raise InputError(
            f"Argument `output` must be at least {MIN_SIDE_PX} x {MIN_SIDE_PX} pixels for a "
            f"perceptual distance, but got {output.shape[0]} x {output.shape[1]}: leave it out."
        )


@functools.cache
def _lpips(file: Path) -> nn.Module:
    import lpips

    network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    trunk = torch.load(file, map_location="cpu", weights_only=True)
    places = {name.split(".")[-2]: name.rpartition(".")[0] for name in network.net.state_dict()}
    renamed = {
        f"{places[key.split('.')[1]]}.{key.split('.')[2]}": value
        for key, value in trunk.items()
        if key.startswith("features.")
    }
    network.net.load_state_dict(renamed)
    evaluated: nn.Module = network.eval()
    return evaluated


def lpips_distance(output: Bytes, reference: Bytes) -> float:
    """Compute LPIPS (AlexNet, version 0.1) of uint8 images (H, W, 3); lower is better.

    Raises:
        InputError: AlexNet is missing (`lpips_weights.absence`), or a side is below `MIN_SIDE_PX`.
    """
    _require_size(output)
    reason = lpips_weights.absence()
    if reason:
        raise InputError(f"{reason}.")
    with torch.inference_mode():
        return float(_lpips(lpips_weights.alexnet_file())(_signed(output), _signed(reference)))


def psnr_gtmean(output: Bytes, reference: Bytes) -> float:
    """Compute the PSNR in dB after scaling the output to the reference's mean brightness.

    Many papers report this value (the output times the ratio of the mean grey levels, clipped), but
    no user can obtain such an output, because it needs the reference. The suite shows it only in a
    marked column.
    """
    ours, theirs = (float(luma(pixels).mean()) for pixels in (output, reference))
    if ours == 0.0:
        return metrics.METRICS["sound", "psnr"](output, reference)
    matched = np.clip(np.round(output * (theirs / ours)), 0, 255).astype(np.uint8)
    return metrics.METRICS["sound", "psnr"](matched, reference)
