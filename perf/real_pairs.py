"""Pairs that really are misaligned: LSRW's evaluation pairs, whose true transform nobody knows.

What can be measured is what is left: the shift that phase correlation finds on tiles of the
brightness-normalised images, before and after warping.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.registration import phase_cross_correlation

from benchmark.core import images
from benchmark.core.images import Image
from benchmark.data import registry
from benchmark.registration import dense, register
from benchmark.registration.criteria import RegistrationSettings
from benchmark.registration.geometry import Matrix, Plane, largest_rectangle, valid_mask, warp

TILE_PX = 160
FAR_PX = 16.0
"""A tile's shift beyond this is no alignment error but a tile without structure."""


@dataclass(frozen=True)
class Pair:
    """A pair to register, whose true transform is not known."""

    dark: Path
    normal: Path

    def read(self) -> tuple[Image, Image]:
        """Return both images, float32 (H, W, 3) in [0, 1]."""
        return images.read(self.dark), images.read(self.normal)


def pairs() -> list[Pair]:
    """Return LSRW's test pairs; none where the set is in no raw data folder."""
    root = registry.find("LSRW", registry.raw_roots(None))
    if root is None:
        return []
    found = registry.SETS["LSRW"].read(root)
    return [Pair(p.dark, p.normal) for p in found if p.split == "test" and p.dark and p.normal]


def tile_shifts(dark: Plane, normal: Plane) -> NDArray[np.float64]:
    """Return the length of the shift of every tile in pixels, without tiles of no structure."""
    found = []
    for top in range(0, dark.shape[0] - TILE_PX + 1, TILE_PX):
        for left in range(0, dark.shape[1] - TILE_PX + 1, TILE_PX):
            tile = np.s_[top : top + TILE_PX, left : left + TILE_PX]
            shift = phase_cross_correlation(dark[tile], normal[tile], upsample_factor=10)[0]
            found.append(float(np.hypot(*shift)))
    lengths = np.array(found)
    return lengths[lengths <= FAR_PX]


def residuals(
    pair: Pair, matrix: Matrix, settings: RegistrationSettings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the shifts of a pair's tiles before and after warping, over the same area."""
    planes = register.normalised(*pair.read(), settings)
    dark, normal = (dense.flatten(plane) for plane in planes)
    crop = largest_rectangle(valid_mask(matrix, dark.shape, normal.shape))
    warped = warp(normal, matrix, dark.shape)
    return tile_shifts(dark[crop], normal[crop]), tile_shifts(dark[crop], warped[crop])


def section(methods: Mapping[str, Any], settings: RegistrationSettings) -> Iterator[str]:
    """Register the pairs by each method and say what became of them.

    Args:
        methods: Name -> function of a dark and a normal-light image that returns a registration.
        settings: Those in use, under which a pair is refused.
    """
    listed = pairs()
    if not listed:
        yield "\nLSRW is in no raw data folder: set MLSM_BENCH_DATA for this part of the report."
        return
    yield (
        f"\nAll {len(listed)} pairs that are here, 960x720 JPEG files. Nobody knows their true "
        f"transform; what can be seen is the shift that phase correlation finds on tiles of "
        f"{TILE_PX} pixels, brightness-normalised, before and after warping, over accepted pairs "
        f"(tiles without structure, whose shift exceeds {FAR_PX:g} px, are left out)."
    )
    columns = ("accepted", "models", "largest displacement, median px", "to px")
    left = ("tiles before, median px", "90th percentile px", "tiles after, median px")
    yield f"\n| Method | {' | '.join((*columns, *left, '90th percentile px'))} |"
    yield "| :-- | --: | :-- | --: | --: | --: | --: | --: | --: |"
    refused = []
    for name, method in methods.items():
        found = [method(*pair.read()) for pair in listed]
        kept = [(p, r) for p, r in zip(listed, found, strict=True) if r.accepted]
        moved = [r.max_displacement_px for _, r in kept]
        shifts = [residuals(pair, r.matrix, settings) for pair, r in kept]
        before, after = (np.concatenate(side) for side in zip(*shifts, strict=True))
        models = ", ".join(f"{m} {n}" for m, n in Counter(r.model for _, r in kept).most_common())
        numbers = [np.median(moved), max(moved)]
        numbers += [f(side) for side in (before, after) for f in (np.median, _ninth)]
        cells = " | ".join(f"{number:.2f}" for number in numbers)
        yield f"| {name} | {len(kept)} of {len(listed)} | {models} | {cells} |"
        reasons = Counter(r.reason.partition(":")[0] for r in found if not r.accepted)
        told = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
        refused.append(f"{name}: {told or 'none'}")
    yield f"\nRefused for: {'; '.join(refused)}."


def _ninth(values: NDArray[np.float64]) -> float:
    return float(np.percentile(values, 90))
