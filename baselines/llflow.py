"""LLFlow: a normalizing flow between normal-light images and a latent, given the dark image.

The latent of a normal-light image is trained to lie around its colour map, which an encoder
predicts from the dark image; brightening maps the predicted colour map back. Source: Wang et al.,
"Low-Light Image Enhancement with Normalizing Flow", AAAI 2022; what it leaves open is taken from
its authors' program (github.com/wyf0912/LLFlow, code/confs/LOL-pc.yml and LOL_smallNet.yml).
"""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines._llflow_encoder import Encoder, colour_map, with_equalised
from baselines._llflow_flow import SCALE, Flow, Undo
from benchmark.core.errors import InputError
from benchmark.core.images import Bytes, to_float, to_uint8
from benchmark.methods import Method, from_network, plugin
from benchmark.training import Batch, Phase, Recipe, Terms, Whole

MULTIPLE = 16
"""The sides of an image are extended to multiples of this."""
QUANTA = 32
"""Uniform noise of width 1/QUANTA makes the levels of an image continuous."""
TRUE_COLOURS = 0.2
"""How often the latent's mean is the true colour map instead of the predicted one."""


class Network(nn.Module):
    """Encoder and flow: (N, 3, H, W) in [0, 1] to about the same.

    37,677,395 parameters with the default settings and 4,967,635 with the small ones. The published
    37.75 and 4.99 million count four layers that the program's encoder makes and never applies:
    two 3x3 convolutions of its width, one to 3 channels, and a linear one to 3.

    Attributes:
        undos: Inverses of the flow's matrices, kept where weights no longer change.
    """

    def __init__(
        self,
        width: int = 64,
        blocks: int = 24,
        taps: int = 4,
        growth: int = 32,
        hidden: int = 64,
        flow_steps: int = 12,
    ) -> None:
        super().__init__()
        self.encoder = Encoder(width, blocks, taps, growth)
        self.flow = Flow((taps + 1) * width, hidden, flow_steps)
        self.undos: Sequence[Sequence[Undo]] | None = None

    def forward(self, image: Tensor) -> Tensor:
        """Brighten whole images, whose histograms are equalised as a whole."""
        height, width = image.shape[2:]
        return self.brighten(with_equalised(_padded(image)))[..., :height, :width]

    def brighten(self, pair: Tensor) -> Tensor:
        """Map the predicted colour map, the mean of the latent, back to an image.

        The program also offers to draw the latent around the mean; its results do not (heat 0).

        Args:
            pair: (N, 6, H, W), the image and its equalised self.
        """
        height, width = pair.shape[2:]
        features, colours = self.encoder(_padded(pair))
        latent = functional.pixel_unshuffle(colours, SCALE)
        undos = self.undos or self.flow.undos()
        return self.flow.inverse(latent, features, undos)[..., :height, :width]


def _padded(image: Tensor) -> Tensor:
    """Extend the right and lower side to multiples of 16 by reflection.

    An image too small for that is extended by repeating its last row and column.
    """
    height, width = image.shape[2:]
    below, right = -height % MULTIPLE, -width % MULTIPLE
    mode = "reflect" if below < height and right < width else "replicate"
    return functional.pad(image, (0, right, 0, below), mode)


def likelihood_loss(latent: Tensor, mean: Tensor, logdet: Tensor) -> Tensor:
    """Return the negative logarithm of the likelihood of images, in bits a pixel.

    Args:
        latent: (N, 192, H/8, W/8), normally distributed around `mean` with variance 1.
        mean: Of the same shape.
        logdet: (N,) of the map from image to latent.

    Returns:
        A scalar, the mean over images. The noise that makes levels continuous adds a constant.
    """
    values = latent[0].numel()
    normal = 0.5 * ((latent - mean).square().sum((1, 2, 3)) + values * math.log(2 * math.pi))
    nats = normal - logdet + values * math.log(QUANTA)
    return (nats / (math.log(2) * values / 3)).mean()


def equalised_beside(pixels: Bytes) -> Bytes:
    """Return a whole image, uint8 (H, W, 3), with its equalised self, uint8 (H, W, 6)."""
    image = torch.from_numpy(to_float(pixels)).permute(2, 0, 1)[None]
    return to_uint8(with_equalised(image)[0].permute(1, 2, 0).numpy())


def _loss(network: Network, batch: Batch) -> Terms:
    if any(side % SCALE for side in batch.target.shape[2:]):
        raise InputError(
            f"Crops of LLFlow must have sides that are multiples of {SCALE}, but got "
            f"{batch.target.shape[2]} pixels: set `crop` of training.llflow to one."
        )
    features, colours = network.encoder(batch.input)
    noise = (torch.rand_like(batch.target) - 0.5) / QUANTA
    latent, logdet = network.flow(batch.target + noise, features)
    # Both enter, so that every parameter has a gradient in every process of a training.
    is_true = torch.rand((), device=colours.device) < TRUE_COLOURS
    colours = torch.where(is_true, colour_map(batch.target), colours)
    mean = functional.pixel_unshuffle(colours, SCALE)
    return {"nll": likelihood_loss(latent, mean, logdet)}


def recipe(part: str, trained: Mapping[str, Mapping[str, Tensor]], **settings: Any) -> Recipe:
    """Train by maximum likelihood: Adam at 5e-4 with betas .9 and .99, batch 16, crops of 160.

    The published small network is width 32, blocks 4, taps 1 and flow_steps 4, trained for 45,000
    steps. Not in the paper: the learning rate falls linearly to 0 where the program halves it
    after 50, 75, 90 and 95 % of the steps; it rises over 50 steps where the program has 3,000
    (large) or none (small), which a short budget could not afford; and gradients are clipped to a
    norm of 1, because likelihoods are steep where a scale is small. The program names its betas
    in a way that Adam of PyTorch does not read, so it ran with .9 and .999; its configuration's
    are kept here. Crops are flipped in the program; those of this suite are turned as well. As in
    the program, histograms are equalised over whole images, and crops cut after.
    """
    network = Network(**settings)
    optimiser = partial(torch.optim.Adam, lr=5e-4, betas=(0.9, 0.99))
    return Recipe(
        network=network,
        phases=(Phase("train", network, partial(_loss, network), optimiser, clip=1.0),),
        source="pairs",
        batch=16,
        crop=160,
        steps=40_000,
        predict=network.brighten,
        warmup=50,
        whole=Whole(input=equalised_beside),
    )


@plugin(
    "enhancer",
    cite="Wang et al., AAAI 2022",
    title="LLFlow",
    train=recipe,
    network=Network,
    writes="truncate",
    quick={"width": 8, "blocks": 2, "taps": 1, "growth": 4, "hidden": 8, "flow_steps": 1},
)
def llflow(network: Network) -> Method:
    """Brighten with a trained flow.

    The output is not scaled to the mean of the normal-light image, which the authors' test.py does
    and their test_unpaired.py does not. Both cut off the fraction of a level when they store it
    (`rgb` in code/test_unpaired.py). There the image is always extended on all four sides; here
    on two, and only where it must be.
    """
    network.undos = network.flow.undos()
    return from_network(network)
