"""Anchors of anchor-based detectors: generation, decoding and non-maximum suppression.

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
"""Scale factors of centre and size offsets, the same in RetinaFace and PyramidBox."""
MEAN_BGR = (104.0, 117.0, 123.0)
"""ImageNet means in levels of 255, which both networks subtract from blue, green and red."""
CANDIDATES = 5000
"""Number of best boxes that enter the suppression (`top_k` in both networks' public tests)."""


class Level(NamedTuple):
    """The anchors of one feature map.

    Attributes:
        stride: Distance of neighbouring cells in pixels.
        sides: Sides of the square anchors of each cell in pixels.
    """

    stride: int
    sides: tuple[int, ...]


def as_input(image: Image) -> torch.Tensor:
    """Convert an image to the input of both networks: (1, 3, H, W) in BGR, minus the mean.

    The image is rounded to 8 bits first, as it would be in a file.
    """
    levels = torch.from_numpy(np.ascontiguousarray(to_uint8(image)[..., ::-1])).float()
    return (levels - torch.tensor(MEAN_BGR)).permute(2, 0, 1)[None]


def squares(levels: Sequence[Level], sizes: Sequence[tuple[int, int]]) -> torch.Tensor:
    """Return anchors as (n, 4) centre x, centre y, width, height in pixels.

    Args:
        levels: Feature maps, finest first.
        sizes: Height and width of each map in cells.

    Returns:
        Anchors in the order of the networks' outputs: by level, row, cell and side.
    """
    anchors = []
    for level, (height, width) in zip(levels, sizes, strict=True):
        y = (torch.arange(height) + 0.5) * level.stride
        x = (torch.arange(width) + 0.5) * level.stride
        sides = torch.tensor(level.sides, dtype=torch.float32)
        grid = torch.cartesian_prod(y, x, sides).reshape(-1, 3)  # (cells * sides, 3)
        anchors.append(torch.stack([grid[:, 1], grid[:, 0], grid[:, 2], grid[:, 2]], dim=1))
    return torch.cat(anchors)


def decode(anchors: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Decode boxes x0, y0, x1, y1 from anchors (n, 4) and their offsets (n, 4)."""
    centre = anchors[:, :2] + offsets[:, :2] * VARIANCES[0] * anchors[:, 2:]
    half = anchors[:, 2:] * torch.exp(offsets[:, 2:] * VARIANCES[1]) / 2
    return torch.cat([centre - half, centre + half], dim=1)


def candidates(boxes: torch.Tensor, scores: torch.Tensor, floor: float) -> Boxes:
    """Return the best `CANDIDATES` boxes with a score of at least `floor`, best first."""
    chosen = torch.nonzero(scores >= floor).flatten()
    order = torch.argsort(scores[chosen], descending=True, stable=True)
    best = chosen[order[:CANDIDATES]]
    return Boxes(
        boxes[best].double().numpy().reshape(-1, 4), scores[best].double().numpy().reshape(-1)
    )


def suppressed(detections: Boxes, iou: float) -> Boxes:
    """Drop boxes that overlap a better one by more than `iou` (torchvision's NMS)."""
    kept = torchvision.ops.nms(
        torch.from_numpy(detections.boxes), torch.from_numpy(detections.scores), iou
    )
    return Boxes(detections.boxes[kept.numpy()], detections.scores[kept.numpy()])


def tidy(boxes: NDArray[np.float64], scores: NDArray[np.float64], height: int, width: int) -> Boxes:
    """Clip boxes to the image, drop those without area, and return the best, best first."""
    clipped = np.clip(boxes, 0.0, [width, height, width, height])
    whole = np.flatnonzero((clipped[:, :2] < clipped[:, 2:]).all(axis=1))
    best = whole[np.argsort(-scores[whole], kind="stable")[:MAX_BOXES]]
    return Boxes(clipped[best], scores[best])
