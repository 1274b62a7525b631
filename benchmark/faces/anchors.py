"""Anchors, their decoding and the end of every anchor-based detector: one box a face.

Coordinates are continuous, as in `benchmark.data.labels.boxes`: an anchor is a square around the
centre of its cell, and its offsets move and stretch it as in SSD (Liu et al., ECCV 2016, Eq. 2).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torchvision
from numpy.typing import NDArray

from benchmark.core.images import Image, to_uint8
from benchmark.data.labels.boxes import MAX_BOXES, Boxes

VARIANCES = (0.1, 0.2)
"""What centre and size offsets are scaled by, in RetinaFace and PyramidBox alike."""
MEAN_BGR = (104.0, 117.0, 123.0)
"""Of ImageNet in levels of 255; what both networks subtract from blue, green and red."""
CANDIDATES = 5000
"""Boxes that enter the suppression, the best ones (the `top_k` of both networks' public tests)."""


class Level(NamedTuple):
    """The anchors of one feature map.

    Attributes:
        stride: Pixels from one cell to the next.
        sides: Of the square anchors of each cell, pixels.
    """

    stride: int
    sides: tuple[int, ...]


def as_input(image: Image) -> torch.Tensor:
    """Return an image as both networks see it: (1, 3, H, W) blue, green, red, less their mean.

    They see the 8-bit image that a file would hold.
    """
    levels = torch.from_numpy(np.ascontiguousarray(to_uint8(image)[..., ::-1])).float()
    return (levels - torch.tensor(MEAN_BGR)).permute(2, 0, 1)[None]


def squares(levels: Sequence[Level], sizes: Sequence[tuple[int, int]]) -> torch.Tensor:
    """Return anchors as (n, 4) centre x, centre y, width, height in pixels.

    Args:
        levels: Feature maps, finest first.
        sizes: Height and width of each map, cells.

    Returns:
        Level by level, row by row, cell by cell, side by side: the order of the networks' outputs.
    """
    made = []
    for level, (height, width) in zip(levels, sizes, strict=True):
        y = (torch.arange(height) + 0.5) * level.stride
        x = (torch.arange(width) + 0.5) * level.stride
        sides = torch.tensor(level.sides, dtype=torch.float32)
        grid = torch.cartesian_prod(y, x, sides).reshape(-1, 3)  # (cells * sides, 3)
        made.append(torch.stack([grid[:, 1], grid[:, 0], grid[:, 2], grid[:, 2]], dim=1))
    return torch.cat(made)


def decode(anchors: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Return boxes x0, y0, x1, y1 of anchors (n, 4) moved and stretched by offsets (n, 4)."""
    centre = anchors[:, :2] + offsets[:, :2] * VARIANCES[0] * anchors[:, 2:]
    half = anchors[:, 2:] * torch.exp(offsets[:, 2:] * VARIANCES[1]) / 2
    return torch.cat([centre - half, centre + half], dim=1)


def candidates(boxes: torch.Tensor, scores: torch.Tensor, floor: float) -> Boxes:
    """Return the best `CANDIDATES` boxes that score at least `floor`, by falling score."""
    chosen = torch.nonzero(scores >= floor).flatten()
    order = torch.argsort(scores[chosen], descending=True, stable=True)
    best = chosen[order[:CANDIDATES]]
    return Boxes(
        boxes[best].double().numpy().reshape(-1, 4), scores[best].double().numpy().reshape(-1)
    )


def suppressed(found: Boxes, iou: float) -> Boxes:
    """Return the boxes that overlap no better one by more than `iou` (torchvision's NMS)."""
    kept = torchvision.ops.nms(torch.from_numpy(found.boxes), torch.from_numpy(found.scores), iou)
    return Boxes(found.boxes[kept.numpy()], found.scores[kept.numpy()])


def tidy(boxes: NDArray[np.float64], scores: NDArray[np.float64], height: int, width: int) -> Boxes:
    """Clip boxes to the image, drop those without area, keep the best by falling score."""
    clipped = np.clip(boxes, 0.0, [width, height, width, height])
    whole = np.flatnonzero((clipped[:, :2] < clipped[:, 2:]).all(axis=1))
    best = whole[np.argsort(-scores[whole], kind="stable")[:MAX_BOXES]]
    return Boxes(clipped[best], scores[best])
