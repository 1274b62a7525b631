"""QGCN: QCN with a second branch that looks at the whole image, made small.

Source: see `baselines/_qcn_blocks.py`. Where QCN joins its first features to the last, QGCN has a
skip within each half of its blocks, and none around both: nothing of the image goes past them.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines import _qcn_blocks
from benchmark.methods import Method, plugin
from benchmark.training import Recipe

GLOBAL_SIDE = 112
"""Side in pixels of the whole image as the global branch sees it."""


class GlobalBranch(nn.Module):
    """Describes the whole image by a vector: (N, 3, H, W) in [-1, 1] to (N, width)."""

    def __init__(self, width: int, channels: int, hidden: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inside = 3
        for outside in (channels, 2 * channels, 4 * channels, 4 * channels):
            layers += [nn.Conv2d(inside, outside, 4, stride=2, padding=1), nn.ReLU()]
            layers += [_qcn_blocks.conv(outside, outside, bias=True), nn.ReLU()]
            inside = outside
        self.convs = nn.Sequential(*layers)
        area = (GLOBAL_SIDE // 16) ** 2
        self.vector = nn.Sequential(
            nn.Linear(inside * area, hidden), nn.ReLU(), nn.Linear(hidden, width)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return the vector.

        Not the authors': torch's bicubic resizing with its filter against aliasing, in place of
        scikit-image's.
        """
        side = (GLOBAL_SIDE, GLOBAL_SIDE)
        small = functional.interpolate(image, side, mode="bicubic", antialias=True)
        vector: Tensor = self.vector(self.convs(small).flatten(1))
        return vector


class Network(_qcn_blocks.Guided):
    """The deblocker, 12,305,472 parameters as published.

    Args:
        blocks: Residual blocks, half of them before the global branch comes in.
        width: Channels of the restoration branch, and length of the global vector.
        channels: Of the first stage of the global branch; later stages have twice and four times.
        hidden: Units of its first fully connected layer.
    """

    def __init__(
        self, blocks: int = 64, width: int = 64, channels: int = 32, hidden: int = 1024
    ) -> None:
        super().__init__()
        self.whole = GlobalBranch(width, channels, hidden)
        self.features = _qcn_blocks.conv(3 + 2, width)
        self.down = _qcn_blocks.head(width)
        self.before = nn.Sequential(*(_qcn_blocks.Block(width) for _ in range(blocks // 2)))
        self.middle = _qcn_blocks.conv(2 * width, width, bias=True)
        self.after = nn.Sequential(*(_qcn_blocks.Block(width) for _ in range(blocks // 2)))
        self.up = _qcn_blocks.tail(width)
        self.output = _qcn_blocks.conv(width, 3)

    def restore(self, image: Tensor, steps: Tensor) -> Tensor:
        """Return the deblocked image; see `Guided.restore`."""
        features = self.down(self.features(torch.cat([image, steps], 1)))  # (N, C, H/2, W/2)
        features = self.before(features) + features
        vector = self.whole(image)[:, :, None, None].expand_as(features)
        features = self.middle(torch.cat([features, vector], 1)).relu_()
        features = self.after(features) + features
        output: Tensor = self.output(self.up(features))
        return output


def recipe(part: str, trained: Mapping[str, Mapping[str, Tensor]], **settings: Any) -> Recipe:
    """Train QGCN: see `baselines._qcn_blocks.recipe_of`.

    As in the authors' program, the global branch is trained on crops, stretched to its input's
    size, and meets whole images only when the method is used.
    """
    return _qcn_blocks.recipe_of(Network(**settings))


@plugin(
    "deblocker",
    cite="Li et al., IEEE TIP 2020",
    title="QGCN",
    train=recipe,
    network=Network,
    needs="tables",
    quick={"blocks": 2, "width": 8, "channels": 2, "hidden": 16},
)
def qgcn(network: Network) -> Method:
    """Remove JPEG artefacts, given the quantisation tables.

    As the second step of a chain it is given the tables of the JPEG file at the head of the chain,
    although its input is no longer a JPEG image: the enhancer has stretched the errors, and no
    table describes them. The MLSM paper does not say what it passed. The tables of an image that
    never was JPEG are ones.

    Outputs are rounded, as the authors' script does (src/utils/util_image.py, `tensor2uint`).
    """
    return _qcn_blocks.method_of(network)
