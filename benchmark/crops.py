"""Training crops: which images a recipe sees, at which quality factors, and where they are cut."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.compression import Item
from benchmark.errors import InputError
from benchmark.images import Bytes, read_uint8
from benchmark.training import Batch

VALIDATION_CROP = 192


class Cache:
    """Decoded images, kept in memory as uint8 until the budget is spent, then read each time."""

    def __init__(self, budget_bytes: int) -> None:
        self.left = budget_bytes
        self.kept: dict[Path, Bytes] = {}

    def read(self, path: Path) -> Bytes:
        """Return the image at `path` as uint8 (H, W, 3)."""
        found = self.kept.get(path)
        if found is not None:
            return found
        pixels = read_uint8(path)
        if pixels.nbytes <= self.left:
            self.left -= pixels.nbytes
            self.kept[path] = pixels
        return pixels


class Crops:
    """Random aligned crops of items; the crops of a step follow from the seed and the step alone.

    A crop is cut after the whole image was compressed, so that it starts anywhere on the 8x8 grid,
    then flipped and turned by a random one of the eight symmetries of the square.
    """

    def __init__(
        self,
        items: Sequence[Item],
        crop: int,
        batch: int,
        seed: int,
        budget_bytes: int = 3 << 30,
        others: Sequence[Path] = (),
    ) -> None:
        """Prepare crops.

        Args:
            items: Training images.
            crop: Side in pixels; smaller images are extended by reflection.
            batch: Crops a step.
            seed: Of the choice of images, quality factors, places and symmetries.
            budget_bytes: Memory for decoded images.
            others: Normal-light images; if there are any, targets are crops of these, each drawn
                on its own, instead of the items' targets.

        Raises:
            InputError: There are no items.
        """
        if not items:
            raise InputError("There are no training images: see `mlsm-bench data status`.")
        self.items, self.crop, self.batch, self.seed = items, crop, batch, seed
        self.others = others
        self.cache = Cache(budget_bytes)

    def draw(self, step: int, process: int) -> Batch:
        """Return the batch of a step: see `benchmark.training.Batches`."""
        random = np.random.default_rng([self.seed, step, process])
        return _batch([self._one(random) for _ in range(self.batch)])

    def _one(self, random: np.random.Generator) -> tuple[Bytes, Bytes, int]:
        item = self.items[int(random.integers(len(self.items)))]
        qf = sorted(item.inputs)[int(random.integers(len(item.inputs)))]
        symmetry = int(random.integers(8))
        place = random.random(2)
        made = _cut(self.cache.read(item.inputs[qf]), self.crop, place, symmetry)
        target = item.target
        if self.others:
            target = self.others[int(random.integers(len(self.others)))]
            symmetry, place = int(random.integers(8)), random.random(2)
        return made, _cut(self.cache.read(target), self.crop, place, symmetry), qf


def _cut(pixels: Bytes, crop: int, place: NDArray[np.float64], symmetry: int) -> Bytes:
    """Cut a square at a place in [0, 1)^2 of the possible ones and apply a symmetry."""
    missing = [max(0, crop - side) for side in pixels.shape[:2]]
    if any(missing):
        pixels = np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
    top, left = (
        int(where * (side - crop + 1)) for where, side in zip(place, pixels.shape[:2], strict=True)
    )
    square = np.rot90(pixels[top : top + crop, left : left + crop], symmetry % 4)
    return square[:, ::-1] if symmetry >= 4 else square


def _batch(crops: Sequence[tuple[Bytes, Bytes, int]]) -> Batch:
    inputs, targets, qfs = zip(*crops, strict=True)
    return Batch(_tensor(inputs), _tensor(targets), torch.tensor(qfs))


def _tensor(crops: Sequence[Bytes]) -> Tensor:
    pixels = torch.from_numpy(np.stack(crops))  # (N, c, c, 3) uint8
    return pixels.permute(0, 3, 1, 2).contiguous().float().div_(255.0)  # (N, 3, c, c)


def validation(items: Sequence[Item], limit: int = 16, crop: int = VALIDATION_CROP) -> list[Batch]:
    """Return the centre crops of up to `limit` items, evenly chosen, each at one quality factor.

    The quality factors alternate over the items. No symmetry is applied.
    """
    count = min(limit, len(items))
    chosen = [items[index * len(items) // count] for index in range(count)]
    centre = np.array([0.5, 0.5])
    batches = []
    for index, item in enumerate(chosen):
        qfs = sorted(item.inputs)
        qf = qfs[index % len(qfs)]
        pair = (read_uint8(item.inputs[qf]), read_uint8(item.target))
        side = min(crop, *pair[0].shape[:2])
        batches.append(
            _batch([(_cut(pair[0], side, centre, 0), _cut(pair[1], side, centre, 0), qf)])
        )
    return batches
