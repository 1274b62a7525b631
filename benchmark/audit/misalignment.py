"""How far the two images of a pair lie apart, measured and not mended.

The images' brightness is made alike; their cross-correlation finds the neighbourhood, and the dense
alignment of registration the shift of the whole, then shift, rotation and scale together.
Perspective and what moves in the scene are the matter of registration, which also tells whether to
trust a pair.

The limits are above what aligned pairs measure. 31 normal-light images of LOL, darkened to the
brightness of their dark ones with a sensor's noise: shifts of up to 0.13 px, displacements of up
to 0.27 px; 40 aligned pairs of the built-in miniatures: 0.06 and 0.31 px.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from skimage.registration import phase_cross_correlation

from benchmark.core import code_digest, images
from benchmark.core.cache import ResultCache, cached_map
from benchmark.core.images import Image
from benchmark.registration import features, geometry

if TYPE_CHECKING:
    from benchmark.data.lists import PathResolver

SHIFT_PX = 0.3
"""Shift of the whole image from which a pair counts as misaligned ..."""
DISPLACEMENT_PX = 0.5
"""... or largest displacement within it."""
MEASURABLE = 0.3
"""Correlation below which a measurement says nothing: another scene, or noise. LOL's pairs reach
0.6 at least."""
_WINDOW_PX = 768  # the middle of larger images is looked at, which takes a second at most
_DENOISE_PX, _MEDIAN = 1.25, 0.4  # as registration has them


class Misalignment(NamedTuple):
    """How the normal-light image must move to lie on the dark one.

    Attributes:
        shift_px: Length of the best shift of the whole.
        displacement_px: Largest displacement in the image under the best similarity; of images
            larger than 768 px, within their middle.
        correlation: Of the two images under the shift, 0 to 1.
    """

    shift_px: float
    displacement_px: float
    correlation: float

    @property
    def measurable(self) -> bool:
        """Tell whether the numbers mean anything."""
        return self.correlation >= MEASURABLE

    @property
    def misaligned(self) -> bool:
        """Tell whether the pair is apart by more than aligned ones measure."""
        far = self.shift_px > SHIFT_PX or self.displacement_px > DISPLACEMENT_PX
        return self.measurable and far


def measure(dark: Image, normal: Image) -> Misalignment:
    """Measure how far two images of one size and scene lie apart.

    Args:
        dark: float32 (H, W, 3) in [0, 1].
        normal: The same.
    """
    flat_dark, flat_normal = (
        features.flatten(features.normalise(_middle(image), _DENOISE_PX, _MEDIAN))
        for image in (dark, normal)
    )
    if min(float(np.ptp(plane)) for plane in (flat_dark, flat_normal)) == 0.0:
        return Misalignment(0.0, 0.0, 0.0)
    (rows, columns), _, _ = phase_cross_correlation(  # type: ignore[no-untyped-call]
        flat_dark, flat_normal, normalization=None
    )
    start = np.eye(3)
    start[:2, 2] = columns, rows
    prepared = features.template(flat_normal)
    moved = features.refine(flat_dark, prepared, start, "translation")
    turned = features.refine(flat_dark, prepared, moved.matrix, "similarity")
    return Misalignment(
        shift_px=float(np.hypot(*moved.matrix[:2, 2])),
        displacement_px=float(geometry.displacement_px(turned.matrix, flat_normal.shape)),
        correlation=moved.correlation,
    )


def _middle(image: Image) -> Image:
    height, width = image.shape[:2]
    top, left = max(0, height - _WINDOW_PX) // 2, max(0, width - _WINDOW_PX) // 2
    return image[top : top + _WINDOW_PX, left : left + _WINDOW_PX]


class _Job(NamedTuple):
    dark: Path
    normal: Path


def measure_all(
    listed: pd.DataFrame, places: "PathResolver", cache: Path | None, jobs: int
) -> list[Misalignment]:
    """Measure every pair of a manifest; pairs measured before are not opened again.

    Args:
        listed: A merged manifest; every row has two images of one size.
        places: Where they lie.
        cache: Folder where it is remembered what was measured; None remembers nothing.
        jobs: Processes.
    """
    work = [_Job(*map(places.locate, cells)) for cells in listed[["dark", "normal"]].to_numpy()]
    keys = ["|".join(pair) for pair in listed[["dark_sha256", "normal_sha256"]].to_numpy()]
    name = code_digest.of(__name__)[:32]
    memory = ResultCache(None if cache is None else cache / "apart" / f"{name}.jsonl")
    found = cached_map(work, keys, _measure, memory, jobs, "measuring alignment")
    return [Misalignment(*numbers) for numbers in found]


def _measure(job: _Job) -> list[float]:
    return [round(n, 4) for n in measure(images.read(job.dark), images.read(job.normal))]
