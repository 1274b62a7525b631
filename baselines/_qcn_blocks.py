"""What QCN and QGCN share: maps of the quantisation tables, blocks, recipe.

Source: Li et al., "Learning a Single Model with a Wide Range of Quality Factors for JPEG Image
Artifacts Removal", IEEE TIP 29, 2020 (arXiv:2009.06912), and for what it leaves open its authors'
program (github.com/VDIGPKU/QGCN: src/nets/qmar.py, qmarg.py and base.py, src/params.py,
src/dataset/jpeg_qmg.py, src/utils/util_image.py).
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.core import jpeg
from benchmark.core.images import Image
from benchmark.methods import Method, from_network
from benchmark.training import Batch, Phase, Recipe, Terms

BLOCK = 8
"""Side of JPEG's blocks and of the quantisation tables, in pixels."""
RESIDUAL_SCALE = 0.1
STEPS = 100_000


def conv(inside: int, outside: int, bias: bool = False) -> nn.Conv2d:
    """Return a 3x3 convolution that keeps the size; most have no bias."""
    return nn.Conv2d(inside, outside, 3, padding=1, bias=bias)


class Block(nn.Module):
    """Two convolutions, a tenth of whose result is added to the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv(width, width)
        self.second = conv(width, width)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (N, C, H, W)."""
        change: Tensor = self.second(self.first(features).relu_())
        return features + RESIDUAL_SCALE * change


def head(width: int) -> nn.Sequential:
    """Return the 4x4 convolution that halves the resolution."""
    return nn.Sequential(nn.Conv2d(width, width, 4, stride=2, padding=1, bias=False), nn.ReLU())


def tail(width: int) -> nn.Sequential:
    """Return the two convolutions and the pixel shuffle that double the resolution again."""
    return nn.Sequential(conv(width, width), conv(width, 4 * width, bias=True), nn.PixelShuffle(2))


class Guided(nn.Module):
    """A network that sees the quantisation tables beside the image."""

    def forward(self, image: Tensor, tables: Tensor) -> Tensor:
        """Return the deblocked image.

        Args:
            image: (N, 3, H, W) in [0, 1], its blocks starting at its top left corner.
            tables: (N, 2, 8, 8) quantisation steps of luma and chroma.
        """
        height, width = image.shape[2:]
        padding = (0, -width % BLOCK, 0, -height % BLOCK)
        padded = functional.pad(image, padding, mode="replicate") * 2 - 1
        output = self.restore(padded, maps(tables, *padded.shape[2:]))
        return (output[:, :, :height, :width] + 1) / 2

    def restore(self, image: Tensor, steps: Tensor) -> Tensor:
        """Return the deblocked image.

        Args:
            image: (N, 3, H, W) in [-1, 1], H and W multiples of 8.
            steps: (N, 2, H, W) in [-1, 1]: see `maps`.
        """
        raise NotImplementedError


def maps(tables: Tensor, height: int, width: int) -> Tensor:
    """Tile quantisation tables over an image.

    Not in the authors' program, which reads 8-bit tables alone: steps above 255 count as 255.

    Args:
        tables: (N, 2, 8, 8) quantisation steps.
        height: Of the image, a multiple of 8.
        width: Likewise.

    Returns:
        (N, 2, height, width): 0..255 on [-1, 1].
    """
    scaled = tables.clamp(max=255) / 127.5 - 1
    return scaled.tile(1, 1, height // BLOCK, width // BLOCK)


def tables_of(qf: Tensor) -> Tensor:
    """Return the tables of quality factors (N,), (N, 2, 8, 8) in the default precision."""
    found = [torch.from_numpy(jpeg.tables_of_quality(int(q)).astype("float32")) for q in qf]
    return torch.stack(found).to(qf.device, torch.get_default_dtype())


def method_of(network: Guided) -> Method:
    """Make a method that is given the image and its tables."""

    def method(image: Image, tables: jpeg.Tables) -> Image:
        steps = torch.from_numpy(tables.astype("float32"))[None]  # (1, 2, 8, 8)
        return from_network(_Bound(network, steps))(image)

    return method


class _Bound(nn.Module):
    """A network with its tables filled in."""

    def __init__(self, network: Guided, tables: Tensor) -> None:
        super().__init__()
        self.network, self.tables = network, tables

    def forward(self, image: Tensor) -> Tensor:
        output: Tensor = self.network(image, self.tables)
        return output


def recipe_of(network: Guided) -> Recipe:
    """Train on compressed and uncompressed images, half of them dark: L1, Adam at 1e-4.

    Batch 256 of 64 x 64 pixels as published. Not in the paper or the program: the number of steps
    (50 epochs of a number of patches that is not stated). Not the authors': the learning rate
    falls linearly to 0, in place of a tenth after each 20 epochs; quality factors are those of the
    profile, not all of 1 to 60 (QCN) or 1 to 100 (QGCN); whole images are compressed and crops
    start anywhere on the grid of blocks, so the maps tell the network the quantisation steps, but
    not, as in the program, where blocks start; weights start as PyTorch draws them, because from
    the program's, with variance 2 / (9 x outputs), a short training stays behind: at 8 blocks of
    width 32, 1500 steps from those give 36.1 dB in validation on LOL, 300 from these 35.8 dB.
    """
    predict = partial(_predict, network)
    return Recipe(
        network=network,
        phases=(
            Phase("train", network, partial(_loss, predict), partial(torch.optim.Adam, lr=1e-4)),
        ),
        source="both",
        batch=256,
        crop=64,
        steps=STEPS,
        predict=predict,
        sees_qf=True,
    )


def _predict(network: Guided, image: Tensor, qf: Tensor) -> Tensor:
    output: Tensor = network(image, tables_of(qf))
    return output


def _loss(predict: Callable[[Tensor, Tensor], Tensor], batch: Batch) -> Terms:
    """Return the mean absolute error on [-1, 1]."""
    return {"l1": 2 * functional.l1_loss(predict(batch.input, batch.qf), batch.target)}
