"""Measure the misalignment of image pairs without correcting it.

The brightness of the images is equalised, and their cross-correlation gives a first estimate. The
dense alignment of registration then estimates the shift of the whole image, followed by shift,
rotation and scale together. Perspective and motion in the scene are left to registration, which
also decides whether a pair can be trusted.

The limits are above the values of aligned pairs: 31 normal-light images of LOL, darkened to the
brightness of their dark images with a sensor's noise, give shifts of up to 0.13 px and
displacements of up to 0.27 px; 40 aligned pairs of the built-in miniatures give 0.06 and 0.31 px.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from skimage.registration import phase_cross_correlation

from benchmark.core import code_digest, images
from benchmark.core.cache import ResultCache, cached_map
from benchmark.core.images import Image
from benchmark.registration import dense, features, geometry

if TYPE_CHECKING:
    from benchmark.data.lists import PathResolver

SHIFT_PX = 0.3
"""Shift of the whole image in pixels above which a pair counts as misaligned."""
DISPLACEMENT_PX = 0.5
"""Largest displacement within the image in pixels above which a pair counts as misaligned."""
MEASURABLE = 0.3
"""Correlation below which a measurement is meaningless, because of another scene or noise. Pairs of
LOL reach at least 0.6."""
_WINDOW_PX = 768  # larger images are measured in their middle, which takes a second at most
_DENOISE_PX, _MEDIAN = 1.25, 0.4  # as registration has them


class Misalignment(NamedTuple):
    """The motion that aligns the normal-light image with the dark image.

    Attributes:
        shift_px: Length in pixels of the best shift of the whole image.
        displacement_px: Largest displacement in pixels under the best similarity transform; for
            images larger than 768 px, within their central part.
        correlation: Correlation of the two images after the shift, 0 to 1.
    """

    shift_px: float
    displacement_px: float
    correlation: float

    @property
    def measurable(self) -> bool:
        """Whether the images correlate enough for the numbers to be meaningful."""
        return self.correlation >= MEASURABLE

    @property
    def misaligned(self) -> bool:
        """Whether the pair is measurable and exceeds the limits of aligned pairs."""
        far = self.shift_px > SHIFT_PX or self.displacement_px > DISPLACEMENT_PX
        return self.measurable and far


def measure(dark: Image, normal: Image) -> Misalignment:
    """Measure the misalignment of two images of the same size and scene.

    Args:
        dark: float32 (H, W, 3) in [0, 1].
        normal: The same.
    """
    flat_dark, flat_normal = (
        dense.flatten(features.normalise(_middle(image), _DENOISE_PX, _MEDIAN))
        for image in (dark, normal)
    )
    if min(float(np.ptp(plane)) for plane in (flat_dark, flat_normal)) == 0.0:
        return Misalignment(0.0, 0.0, 0.0)
    (rows, columns), _, _ = phase_cross_correlation(  # type: ignore[no-untyped-call]
        flat_dark, flat_normal, normalization=None
    )
    start = np.eye(3)
    start[:2, 2] = columns, rows
    prepared = dense.template(flat_normal)
    moved = dense.refine(flat_dark, prepared, start, "translation")
    turned = dense.refine(flat_dark, prepared, moved.matrix, "similarity")
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
    """Measure every pair of a manifest; pairs in the cache are not opened again.

    Args:
        listed: A merged manifest in which every row has two images of the same size.
        places: Resolver of the images' paths.
        cache: Cache folder; None caches nothing.
        jobs: Number of processes.
    """
    work = [_Job(*map(places.locate, cells)) for cells in listed[["dark", "normal"]].to_numpy()]
    keys = ["|".join(pair) for pair in listed[["dark_sha256", "normal_sha256"]].to_numpy()]
    name = code_digest.of(__name__)[:32]
    memory = ResultCache(None if cache is None else cache / "misalignment" / f"{name}.jsonl")
    measured = cached_map(work, keys, _measure, memory, jobs, "measuring alignment")
    return [Misalignment(*numbers) for numbers in measured]


def _measure(job: _Job) -> list[float]:
    return [round(n, 4) for n in measure(images.read(job.dark), images.read(job.normal))]
