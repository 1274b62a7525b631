"""KinD: split an image into reflectance and illumination, restore the one and adjust the other.

Three networks, trained on pairs. Source of all that follows: Zhang et al., "Kindling the Darkness",
ACM Multimedia 2019, and its authors' program (github.com/zhangyhuaee/KinD), which the paper's
description is read with.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from baselines import _tensorflow
from baselines._kind_losses import mutual_consistency, slope_distance, smoothness
from baselines._kind_networks import Decomposition, Layers, Network, stretch
from benchmark.core.images import Bytes, Image, to_float
from benchmark.methods import Method, Released, WeightsFile, from_network, plugin
from benchmark.training import UNCHANGED, Batch, Phase, Recipe, Terms, Whole
from benchmark.training.ssim_loss import ssim


def stretched(pixels: Bytes) -> Image:
    """Return a whole image, uint8 (H, W, 3), stretched to [0, 1] as `stretch` does."""
    return stretch(torch.from_numpy(to_float(pixels))[None])[0].numpy()


def decomposition_terms(network: Network, batch: Batch) -> Terms:
    """Return the losses of the decomposition network, weighted as in the authors' program."""
    dark: Layers = network.decomposition(batch.input)
    normal: Layers = network.decomposition(batch.target)
    return {
        "dark": functional.l1_loss(dark.reflectance * dark.illumination, batch.input),
        "normal": functional.l1_loss(normal.reflectance * normal.illumination, batch.target),
        "reflectance": 0.01 * functional.l1_loss(dark.reflectance, normal.reflectance),
        "mutual": 0.2 * mutual_consistency(dark.illumination, normal.illumination),
        "dark_smoothness": 0.15 * smoothness(dark.illumination, batch.input),
        "normal_smoothness": 0.15 * smoothness(normal.illumination, batch.target),
    }


def _layers(network: Network, batch: Batch) -> tuple[Layers, Layers]:
    """Return the layers of the dark and of the normal-light images."""
    with torch.no_grad():
        return network.decomposition(batch.input), network.decomposition(batch.target)


def restoration_terms(network: Network, batch: Batch) -> Terms:
    """Return the losses of the restoration network.

    Its target is the normal-light image's reflectance to the power of 1.2, for contrast.
    """
    dark, normal = _layers(network, batch)
    output: Tensor = network.restoration(dark)
    target = normal.reflectance**1.2
    return {
        "squares": functional.mse_loss(output, target),
        "slopes": slope_distance(_tensorflow.grey(output), _tensorflow.grey(target)),
        "ssim": 1 - ssim(output, target),
    }


def adjustment_terms(network: Network, batch: Batch) -> Terms:
    """Return the losses of the adjustment network, which learns to brighten and to darken.

    In training the ratio is the true one of the pair; where the method is used there is no such
    ratio. Not in the authors' program: each crop serves in both directions, where theirs draws one.
    """
    dark, normal = (layers.illumination for layers in _layers(network, batch))
    darker = (dark / (normal + 0.0001)).mean((1, 2, 3), keepdim=True)
    ratio = torch.cat([1 / darker + 0.0001, darker])
    output: Tensor = network.adjustment(torch.cat([dark, normal]), ratio)
    target = torch.cat([normal, dark])
    return {
        "squares": functional.mse_loss(output, target),
        "slopes": slope_distance(output, target),
    }


def _reflectance(decomposition: Decomposition, image: Tensor) -> Tensor:
    layers: Layers = decomposition(image)
    return layers.reflectance


def recipe(part: str, trained: Mapping[str, Mapping[str, Tensor]], **settings: Any) -> Recipe:
    """Train one part as published: Adam at 1e-4; the decomposition on 10 crops of 48 pixels.

    Whole images of both sides are stretched before crops are cut, and initial weights are those of
    TensorFlow. Restoration and adjustment do not depend on each other, so the second part trains
    both; the published budget, 4 crops of 384 pixels, is the restoration's. Not in the authors'
    program: the adjustment sees the same crops, not 10 of 48 pixels for 90,000 steps; crops are
    decomposed, where theirs cuts crops from the layers of whole images; and rates fall linearly to
    0, so that a shorter budget ends at a low rate too. The first part's validation compares the
    reflectance, which is the image under even light, with the normal-light image.
    """
    network = Network(**settings)
    _tensorflow.start(network)
    whole = Whole(stretched, stretched) if network.stretched else UNCHANGED
    optimiser = partial(torch.optim.Adam, lr=1e-4)
    if part == "decomposition":
        first: Decomposition = network.decomposition
        loss = partial(decomposition_terms, network)
        phases: tuple[Phase, ...] = (Phase("train", first, loss, optimiser),)
        # 2,000 epochs of 485 pairs
        predict = partial(_reflectance, first)
        return Recipe(first, phases, "pairs", 10, 48, 96_000, predict, whole=whole)
    network.decomposition.load_state_dict(trained["decomposition"])
    network.decomposition.requires_grad_(False)
    phases = (
        Phase("restore", network.restoration, partial(restoration_terms, network), optimiser),
        Phase("adjust", network.adjustment, partial(adjustment_terms, network), optimiser),
    )
    # 1,000 epochs of 466 pairs
    return Recipe(network, phases, "pairs", 4, 384, 116_000, network.brighten, whole=whole)


_DECOMPOSITION = {
    "conv_input": "first",
    "conv_r1": "down.0",
    "conv_r2": "down.1",
    "deconv_r1": "enlarge.0.conv",
    "conv_r3": "up.0",
    "deconv_r2": "enlarge.1.conv",
    "conv_r4": "up.1",
    "conv_r5": "reflectance",
    "conv_i1": "light",
    "conv_i2": "illumination",
}
_ADJUSTMENT = {"conv_i1": "convs.0", "conv_i2": "convs.1", "conv_i3": "convs.2", "conv_i4": "last"}
_SWAPPED = ("up.0.weight", "up.1.weight", "illumination.weight")
"""Layers whose two inputs the port concatenates in the other order."""


def _renamed(
    decomposition: Mapping[str, Tensor], adjustment: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Turn the port's `conv_r1.conv_relu.0.weight` into our `decomposition.down.0.weight`."""
    renamed = {}
    for name, value in decomposition.items():
        ours = f"{_DECOMPOSITION[name.split('.')[0]]}.{name.rsplit('.', 1)[1]}"
        turned = value.roll(value.shape[1] // 2, 1) if ours in _SWAPPED else value
        renamed[f"decomposition.{ours}"] = turned
    for name, value in adjustment.items():
        ours = f"{_ADJUSTMENT[name.split('.')[0]]}.{name.rsplit('.', 1)[1]}"
        renamed[f"adjustment.{ours}"] = value
    return renamed


_PORT = "https://github.com/fenghansen/KinD-pytorch (checkpoints)"


@plugin(
    "enhancer",
    cite="Zhang et al., ACM MM 2019",
    title="KinD",
    train=recipe,
    network=Network,
    parts=("decomposition", "model"),
    released=(
        Released(
            name="port",
            files=(
                WeightsFile(
                    file="kind/decom_net.pth",
                    size=953_816,
                    sha256="8c521942fa29bb724caf949753e3d71dac77a2e58c8b55018d7725e3b5570671",
                    source=_PORT,
                ),
                WeightsFile(
                    file="kind/illum_net.pth",
                    size=79_526,
                    sha256="5db0fc48d03df16c656f6641732199be97895a555cad69a8a5f35bb790864300",
                    source=_PORT,
                ),
            ),
            adapt=_renamed,
            settings={"port": True},
            partial="the restoration network's weights are not among them",
        ),
    ),
    writes="truncate",
    quick={"width": 4},
)
def kind(network: Network) -> Method:
    """Brighten with trained networks, all images by one ratio.

    The authors' `evaluate_LOLdataset.py` takes each image's ratio from its reference, which no user
    has: this suite never does, and follows their `evaluate.py`. Their script truncates its output
    to 8 bits and stores PNG (`save_images` in utils.py).
    """
    return from_network(network)
