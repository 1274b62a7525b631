"""Pairs that really are misaligned: LSRW's evaluation pairs, whose true transform nobody knows.

What can be measured is what is left: the shift that phase correlation finds on tiles of the
brightness-normalised images, before and after warping.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from misaligned import Case
from numpy.typing import NDArray
from skimage.registration import phase_cross_correlation

from benchmark.data import registry
from benchmark.registration import dense, register
from benchmark.registration.criteria import RegistrationSettings
from benchmark.registration.geometry import Matrix, Plane, largest_rectangle, valid_mask, warp

TILE_PX = 160
FAR_PX = 16.0
"""A tile's shift beyond this is no alignment error but a tile without structure."""


def pairs() -> list[Case]:
    """Return LSRW's test pairs as they came; none where the set is in no raw data folder."""
    root = registry.find("LSRW", registry.raw_roots(None))
    found = [] if root is None else registry.SETS["LSRW"].read(root)
    return [
        Case(pair.dark, pair.normal, None, None, False)
        for pair in found
        if pair.split == "test" and pair.dark and pair.normal
    ]


def counted(names: Iterable[str]) -> str:
    """Return names with how often each occurs, the commonest first; "none" for none."""
    return ", ".join(f"{name} {n}" for name, n in Counter(names).most_common()) or "none"


def cause(reason: str) -> str:
    """Return the criterion that a reason of refusal names."""
    return reason.partition(":")[0]


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
    pair: Case, matrix: Matrix, settings: RegistrationSettings
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
        models = counted(r.model for _, r in kept)
        numbers = [np.median(moved), max(moved)]
        numbers += [f(side) for side in (before, after) for f in (np.median, _ninth)]
        cells = " | ".join(f"{number:.2f}" for number in numbers)
        yield f"| {name} | {len(kept)} of {len(listed)} | {models} | {cells} |"
        refused.append(f"{name}: {counted(cause(r.reason) for r in found if not r.accepted)}")
    yield f"\nRefused for: {'; '.join(refused)}."


def _ninth(values: NDArray[np.float64]) -> float:
    return float(np.percentile(values, 90))
