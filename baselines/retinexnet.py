"""RetinexNet: split an image into reflectance and illumination, and brighten the illumination.

Two networks, trained one after the other on pairs. Source of all that follows: Wei et al., "Deep
Retinex Decomposition for Low-Light Enhancement", BMVC 2018, and its authors' program
(github.com/weichen582/RetinexNet), which the paper's description is read with.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines import _tensorflow
from baselines._retinexnet_networks import Decomposition, Layers, Network
from benchmark.methods import Method, Released, WeightsFile, from_network, plugin
from benchmark.training import Batch, Phase, Recipe, Terms

STEPS = 9_200
"""Steps of either part: 100 epochs of 1,485 pairs (485 of LOL, 1,000 synthetic) by 16."""


def smoothness(illumination: Tensor, reflectance: Tensor) -> Tensor:
    """Return how much the illumination changes where the reflectance does not.

    The absolute difference of neighbours, weighted by exp(-10 g), where g is the same of the grey
    reflectance, averaged over 3x3 pixels; the means of both directions are added. As in the
    authors' program, the right and lower border differ from a black frame.

    Args:
        illumination: (N, 1, H, W).
        reflectance: (N, 3, H, W).
    """
    light = _tensorflow.slopes(illumination)
    colour = _tensorflow.slopes(_tensorflow.grey(reflectance))
    total = illumination.new_zeros(())
    for steps, edges in zip(light, colour, strict=True):
        nearby = functional.avg_pool2d(edges, 3, 1, 1, count_include_pad=False)
        total = total + (steps * torch.exp(-10 * nearby)).mean()
    return total


def decomposition_terms(network: Decomposition, batch: Batch) -> Terms:
    """Return the losses of the first network, weighted as in the authors' program."""
    dark: Layers = network(batch.input)
    normal: Layers = network(batch.target)
    return {
        "dark": _distance(dark.reflectance * dark.illumination, batch.input),
        "normal": _distance(normal.reflectance * normal.illumination, batch.target),
        "dark_crossed": 0.001 * _distance(normal.reflectance * dark.illumination, batch.input),
        "normal_crossed": 0.001 * _distance(dark.reflectance * normal.illumination, batch.target),
        "dark_smoothness": 0.1 * smoothness(dark.illumination, dark.reflectance),
        "normal_smoothness": 0.1 * smoothness(normal.illumination, normal.reflectance),
        "reflectance": 0.01 * _distance(dark.reflectance, normal.reflectance),
    }


def relighting_terms(network: Network, batch: Batch) -> Terms:
    """Return the losses of the second network, weighted as in the authors' program."""
    with torch.no_grad():
        layers: Layers = network.decomposition(batch.input)
    brightened: Tensor = network.relighting(layers)
    return {
        "output": _distance(layers.reflectance * brightened, batch.target),
        "smoothness": 3 * smoothness(brightened, layers.reflectance),
    }


def _distance(first: Tensor, second: Tensor) -> Tensor:
    return (first - second).abs().mean()


def recipe(part: str, trained: Mapping[str, Mapping[str, Tensor]], **settings: Any) -> Recipe:
    """Train one part as published: Adam at 1e-3, 16 crops of 48 pixels, TensorFlow's first weights.

    Not in the authors' program: the rate falls linearly to 0, where theirs falls to a tenth after
    a fifth of the steps, so that a shorter budget ends at a low rate too. The first part's
    validation compares the reflectance, which is the image under even light, with the
    normal-light image.
    """
    whole = Network(**settings)
    _tensorflow.start(whole)
    if part == "model":
        whole.decomposition.load_state_dict(trained["decomposition"])
        whole.decomposition.requires_grad_(False)
        return _recipe(
            Phase("train", whole.relighting, partial(relighting_terms, whole), _adam), whole, whole
        )
    network = whole.decomposition
    phase = Phase("train", network, partial(decomposition_terms, network), _adam)
    return _recipe(phase, network, _Reflectance(network))


_adam = partial(torch.optim.Adam, lr=1e-3)


class _Reflectance(nn.Module):
    def __init__(self, network: Decomposition) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        layers: Layers = self.network(image)
        return layers.reflectance


def _recipe(phase: Phase, network: nn.Module, predict: nn.Module) -> Recipe:
    return Recipe(
        network=network,
        phases=(phase,),
        source="pairs",
        batch=16,
        crop=48,
        steps=STEPS,
        predict=predict,
    )


_NAMES = (
    (r"^net1_conv0", "decomposition.first"),
    (r"^net1_recon", "decomposition.last"),
    (r"^net2_conv0_1", "relighting.first"),
    (r"^net2_fusion", "relighting.fusion"),
    (r"^net2_output", "relighting.last"),
)


def _renamed(*states: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Turn the port's `net1_convs.2.weight` into our `decomposition.convs.1.weight`."""
    renamed = {}
    for name, value in ((name, value) for state in states for name, value in state.items()):
        ours = re.sub(
            r"^net1_convs\.(\d)", lambda match: f"decomposition.convs.{int(match[1]) // 2}", name
        )
        ours = re.sub(
            r"^net2_(de)?conv1_(\d)",
            lambda match: f"relighting.{'up' if match[1] else 'down'}.{int(match[2]) - 1}",
            ours,
        )
        for theirs, replacement in _NAMES:
            ours = re.sub(theirs, replacement, ours)
        renamed[ours] = value
    return renamed


_PORT = "https://github.com/aasharma90/RetinexNet_PyTorch (ckpts/{}/9200.tar)"


@plugin(
    "enhancer",
    cite="Wei et al., BMVC 2018",
    title="RetinexNet",
    train=recipe,
    network=Network,
    parts=("decomposition", "model"),
    released=(
        Released(
            name="port",
            files=(
                WeightsFile(
                    file="retinexnet/Decom_9200.tar",
                    size=833_535,
                    sha256="40c090e3bb884e697f6b396fe7fddade67172b30b428daa316c68a0b9247d4b5",
                    source=_PORT.format("Decom"),
                ),
                WeightsFile(
                    file="retinexnet/Relight_9200.tar",
                    size=1_392_856,
                    sha256="513ae3a0bf503b9a6ecce1a46112135aefcfeb393cf61531e18cc3356701efde",
                    source=_PORT.format("Relight"),
                ),
            ),
            adapt=_renamed,
            settings={"port": True},
        ),
    ),
    writes="truncate",
    quick={"width": 8},
)
def retinexnet(network: Network) -> Method:
    """Brighten with trained networks.

    The authors' script truncates its output to 8 bits and stores PNG (`save_images` in utils.py).
    The port's stores it beside its input in one JPEG of quality 75.
    """
    return from_network(network)
