"""SCI: a network of 258 weights estimates the illumination, which divides the image.

In training the result is calibrated and goes in again, so that one pass suffices afterwards.
Source of all that follows: Ma et al., "Toward Fast, Flexible, and Robust Low-Light Image
Enhancement", CVPR 2022, and its program.
"""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines._smoothness import smoothness
from benchmark.methods import Method, Released, WeightsFile, from_network, plugin
from benchmark.training import Batch, Phase, Recipe, Terms

STAGES = 3
_SOURCE = "https://github.com/vis-opt-group/SCI (weights)"


class Network(nn.Module):
    """What is left after training, 258 weights at width 3: (N, 3, H, W) in [0, 1] to the same."""

    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width))
        self.last = nn.Conv2d(width, 3, 3, padding=1)

    def illumination(self, image: Tensor) -> Tensor:
        """Estimate the illumination, (N, 3, H, W) in [1e-4, 1]: never darker than the image."""
        features = self.first(image).relu()
        features = features + self.second(features).relu()
        brighter: Tensor = image + self.last(features).sigmoid()
        return brighter.clamp(1e-4, 1.0)

    def forward(self, image: Tensor) -> Tensor:
        """Return the brightened image."""
        return (image / self.illumination(image)).clamp(0.0, 1.0)


class Calibration(nn.Module):
    """Brings a result back to what the first stage saw; needed in training alone."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _normalised(3, width)
        self.block = nn.Sequential(_normalised(width, width), _normalised(width, width))
        self.last = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, bright: Tensor) -> Tensor:
        """Return what the next stage's input has more than the image, (N, 3, H, W)."""
        features = self.first(bright)
        for _ in range(3):  # the same block, three times
            features = features + self.block(features)
        change: Tensor = bright - self.last(features).sigmoid()
        return change


def _normalised(inside: int, outside: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU()
    )


class Stage(NamedTuple):
    """What a stage sees, (N, 3, H, W), and the illumination it finds there."""

    input: Tensor
    illumination: Tensor


class Cascade(nn.Module):
    """The network and its calibration, as they are trained."""

    def __init__(self, network: Network, calibration: Calibration) -> None:
        super().__init__()
        self.network = network
        self.calibration = calibration

    def forward(self, image: Tensor) -> Iterator[Stage]:
        """Give the stages, all of which have the same weights."""
        seen = image
        for _ in range(STAGES):
            illumination = self.network.illumination(seen)
            yield Stage(seen, illumination)
            bright = (image / illumination).clamp(0.0, 1.0)
            seen = image + self.calibration(bright)


def _loss(cascade: Cascade, batch: Batch) -> Terms:
    """Keep every stage's illumination close to what the stage sees, yet smooth."""
    stages = list(cascade(batch.input))
    seen = torch.cat([stage.input for stage in stages])
    illumination = torch.cat([stage.illumination for stage in stages])
    return {  # the program adds the stages, and in the second term the three channels too
        "fidelity": STAGES * 1.5 * functional.mse_loss(illumination, seen),
        "smoothness": STAGES * 3 * smoothness(seen, illumination),
    }


def recipe(
    part: str,
    trained: Mapping[str, Mapping[str, Tensor]],
    calibration_width: int = 16,
    **settings: Any,
) -> Recipe:
    """Train as published: Adam at 3e-4, weight decay 3e-4, gradient norm at most 5, 1000 epochs.

    Not in the paper: 320 x 320 pixels are cut, the size that the program's loader names and no
    longer uses, since whole images differ in size; an epoch has 485 images, as LOL does; and the
    rate falls linearly to 0, where the program's stays, so that a shorter budget ends at a low rate
    too. No loss reads the normal-light image of a pair; it serves the validation PSNR.
    """
    cascade = Cascade(Network(**settings), Calibration(calibration_width))
    for module in cascade.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.zeros_(module.bias)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
    optimiser = partial(torch.optim.Adam, lr=3e-4, weight_decay=3e-4)
    phase = Phase("train", cascade, partial(_loss, cascade), optimiser, clip=5.0)
    return Recipe(
        network=cascade.network,
        phases=(phase,),
        source="pairs",
        batch=1,
        crop=320,
        steps=485_000,
        predict=cascade.network,
    )


_NAMES = {"in_conv.0": "first", "conv.0": "second.0", "conv.1": "second.1", "out_conv.0": "last"}


def _renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keep the authors' `enhance.*`, less `blocks.*`, which repeats `conv.*`."""
    renamed = {}
    for name, value in state.items():
        match = re.fullmatch(r"enhance\.((?:in_|out_)?conv\.\d)\.(\w+)", name)
        if match:
            renamed[f"{_NAMES[match[1]]}.{match[2]}"] = value
    return renamed


def _released(name: str, sha256: str) -> Released:
    file = WeightsFile(f"sci/{name}.pt", 43_967, sha256, _SOURCE)
    return Released(name, (file,), adapt=_renamed)


@plugin(
    "enhancer",
    cite="Ma et al., CVPR 2022",
    title="SCI",
    train=recipe,
    network=Network,
    released=(
        _released("medium", "4ff1e7e66e8f18114f790e5085ca4c936f0858e329e7ad1cb65b8aa09a9c6916"),
        _released("easy", "b17326a26a93bf187ecbab217f9d3c57467a8b56020d4d9ff600ba257bbffb36"),
        _released("difficult", "657fa1f280cae1035df0d5cbe628e91f2d0f28660df608a3fa3f7e9a71da5a13"),
    ),
    writes="truncate",
)
def sci(network: Network) -> Method:
    """Brighten by one pass of the network.

    The authors' `test.py` and `predict.py` clip to 0..255 and truncate to 8 bits. `predict.py`
    takes the weights `medium` where none are named, and so does the track `released`.
    """
    return from_network(network)
