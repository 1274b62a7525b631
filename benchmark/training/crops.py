"""Training crops: sampling of images, quality factors, positions and symmetries."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.core.errors import InputError
from benchmark.core.images import Bytes, read_uint8
from benchmark.data.inputs import TrainingImage
from benchmark.training.recipe import UNCHANGED, Batch, Change, Whole

VALIDATION_GRID = 64
"""Sides of validation crops are multiples of it, in pixels: networks halve their input up to six
times. A whole image of LOL, 600x400, is validated on 576x384."""
VALIDATION_MOST = 1024
"""Largest side of a validation crop, in pixels: a bound on memory."""
Pixels: TypeAlias = NDArray[np.uint8] | NDArray[np.float32]
"""(H, W, C), uint8 or float32 in [0, 1]."""


class ImageCache:
    """Cache of decoded images; once its memory budget is spent, further images are read each time.

    Images are cached after the recipe's transform of whole images, so that it runs once per image.
    """

    def __init__(self, budget_bytes: int) -> None:
        self.left = budget_bytes
        self.kept: dict[tuple[Path, Change | None], Pixels] = {}

    def read(self, path: Path, change: Change | None = None) -> Pixels:
        """Return the image at `path` after the transform `change`, if one is given."""
        found = self.kept.get((path, change))
        if found is not None:
            return found
        pixels = _changed(read_uint8(path), change)
        if pixels.nbytes <= self.left:
            self.left -= pixels.nbytes
            self.kept[path, change] = pixels
        return pixels


def _changed(pixels: Bytes, change: Change | None) -> Pixels:
    return pixels if change is None else change(pixels)


class CropSampler:
    """Sampler of random aligned crops; a step's crops depend only on seed, step and process.

    A crop is cut after the whole image was compressed, so that it may start anywhere in the 8x8
    grid; then one of the eight symmetries of the square, drawn at random, is applied.
    """

    def __init__(
        self,
        items: Sequence[TrainingImage],
        crop: int,
        batch: int,
        seed: int,
        budget_bytes: int = 3 << 30,
        others: Sequence[Path] = (),
        whole: Whole = UNCHANGED,
    ) -> None:
        """Prepare the sampler.

        Args:
            items: Training images.
            crop: Side of a crop in pixels; smaller images are extended by reflection.
            batch: Number of crops per step.
            seed: Seed of the choice of images, quality factors, positions and symmetries.
            budget_bytes: Memory for decoded images, in bytes.
            others: Unpaired normal-light images. If given, targets are cropped from these,
                independently of the inputs.
            whole: Transforms of whole images before crops are cut.

        Raises:
            InputError: There are no items.
        """
        if not items:
            raise InputError("There are no training images: see `mlsm-bench data status`.")
        self.items, self.crop, self.batch, self.seed = items, crop, batch, seed
        self.others, self.whole = others, whole
        self.cache = ImageCache(budget_bytes)

    def draw(self, step: int, process: int) -> Batch:
        """Return the batch of a step; see `benchmark.training.recipe.Batches`."""
        random = np.random.default_rng([self.seed, step, process])
        return _batch([self._one(random) for _ in range(self.batch)])

    def _one(self, random: np.random.Generator) -> tuple[Pixels, Pixels, int]:
        item = self.items[int(random.integers(len(self.items)))]
        qf = sorted(item.inputs)[int(random.integers(len(item.inputs)))]
        symmetry = int(random.integers(8))
        place = random.random(2)
        made = _cut(self.cache.read(item.inputs[qf], self.whole.input), self.crop, place, symmetry)
        target = item.target
        if self.others:
            target = self.others[int(random.integers(len(self.others)))]
            symmetry, place = int(random.integers(8)), random.random(2)
        wanted = self.cache.read(target, self.whole.target)
        return made, _cut(wanted, self.crop, place, symmetry), qf


def _cut(pixels: Pixels, crop: int, place: NDArray[np.float64], symmetry: int) -> Pixels:
    """Cut a square and apply a symmetry; `place` in [0, 1)^2 spans all possible positions."""
    missing = [max(0, crop - side) for side in pixels.shape[:2]]
    if any(missing):
        beyond = ((0, missing[0]), (0, missing[1]), (0, 0))
        pixels = cast(Pixels, np.pad(pixels, beyond, mode="symmetric"))
    top, left = (
        int(where * (side - crop + 1)) for where, side in zip(place, pixels.shape[:2], strict=True)
    )
    square = np.rot90(pixels[top : top + crop, left : left + crop], symmetry % 4)
    return square[:, ::-1] if symmetry >= 4 else square


def batch(images: Sequence[tuple[Bytes, Bytes, int]], whole: Whole = UNCHANGED) -> Batch:
    """Stack whole images of one size into a batch, after the recipe's transforms.

    Args:
        images: Input and target, uint8 (H, W, 3), and quality factor of each image.
        whole: Transforms of the images.
    """
    return _batch(
        [
            (_changed(made, whole.input), _changed(target, whole.target), qf)
            for made, target, qf in images
        ]
    )


def _batch(crops: Sequence[tuple[Pixels, Pixels, int]]) -> Batch:
    inputs, targets, qfs = zip(*crops, strict=True)
    return Batch(_tensor(inputs), _tensor(targets), torch.tensor(qfs))


def _tensor(crops: Sequence[Pixels]) -> Tensor:
    pixels = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).contiguous()  # (N, C, c, c)
    return pixels if pixels.is_floating_point() else pixels.float().div_(255.0)


def validation(
    items: Sequence[TrainingImage],
    limit: int = 16,
    whole: Whole = UNCHANGED,
) -> list[Batch]:
    """Return batches of one image each, of up to `limit` evenly chosen items.

    Images are cut at the centre to multiples of `VALIDATION_GRID`; what is smaller than that stays
    whole. Quality of a whole image and of its middle differ by a decibel, since a network that sees
    more of a scene knows more of its light. Each image has one quality factor; these alternate over
    the items. No symmetry is applied.
    """
    count = min(limit, len(items))
    chosen = [items[index * len(items) // count] for index in range(count)]
    batches = []
    for index, item in enumerate(chosen):
        qfs = sorted(item.inputs)
        qf = qfs[index % len(qfs)]
        pair = (
            _changed(read_uint8(item.inputs[qf]), whole.input),
            _changed(read_uint8(item.target), whole.target),
        )
        batches.append(_batch([(_on_grid(pair[0]), _on_grid(pair[1]), qf)]))
    return batches


def _on_grid(pixels: Pixels) -> Pixels:
    """Cut the centre of an image to multiples of `VALIDATION_GRID` where it is as large."""
    height, width = (
        min(side // VALIDATION_GRID * VALIDATION_GRID, VALIDATION_MOST) or side
        for side in pixels.shape[:2]
    )
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]
