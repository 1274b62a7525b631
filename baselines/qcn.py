"""QCN: a residual network at half resolution that sees the JPEG file's quantisation tables.

It is the restoration branch of QGCN alone. Source: see `baselines/_qcn_blocks.py`.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from baselines import _qcn_blocks
from benchmark.methods import Method, plugin
from benchmark.training import Recipe


class Network(_qcn_blocks.Guided):
    """The deblocker, 4,973,312 parameters as published.

    Args:
        blocks: Residual blocks.
        width: Channels.
    """

    def __init__(self, blocks: int = 64, width: int = 64) -> None:
        super().__init__()
        self.features = _qcn_blocks.conv(3 + 2, width)
        self.down = _qcn_blocks.head(width)
        self.body = nn.Sequential(*(_qcn_blocks.Block(width) for _ in range(blocks)))
        self.up = _qcn_blocks.tail(width)
        self.output = _qcn_blocks.conv(width, 3)

    def restore(self, image: Tensor, steps: Tensor) -> Tensor:
        """Return the deblocked image; see `Guided.restore`."""
        features = self.features(torch.cat([image, steps], 1))  # (N, C, H, W)
        change = self.up(self.body(self.down(features)))  # inside (N, C, H/2, W/2)
        output: Tensor = self.output(features + change)
        return output


def recipe(part: str, trained: Mapping[str, Mapping[str, Tensor]], **settings: Any) -> Recipe:
    """Train QCN: see `baselines._qcn_blocks.recipe_of`."""
    return _qcn_blocks.recipe_of(Network(**settings))


@plugin(
    "deblocker",
    cite="Li et al., IEEE TIP 2020",
    title="QCN",
    train=recipe,
    network=Network,
    needs="tables",
    quick={"blocks": 2, "width": 8},
)
def qcn(network: Network) -> Method:
    """Remove JPEG artefacts, given the quantisation tables.

    As the second step of a chain it is given the tables of the JPEG file at the head of the chain,
    although its input is no longer a JPEG image: the enhancer has stretched the errors, and no
    table describes them. The MLSM paper does not say what it passed. The tables of an image that
    never was JPEG are ones.

    Outputs are rounded, as the authors' script does (src/utils/util_image.py, `tensor2uint`).
    """
    return _qcn_blocks.method_of(network)
