"""How far the two images of a pair lie apart: a shift, measured to a fraction of a pixel.

Only a shift of the whole image is measured, by the cross-correlation of the images after their
brightness is made alike; rotation, scale and perspective are the matter of registration. On LOL it
agrees with registration's dense alignment within 0.05 px for 95 of a hundred pairs, 0.09 for all.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from skimage.registration import phase_cross_correlation

from benchmark import images, journal, surf
from benchmark.digests import source_digest
from benchmark.images import Image
from benchmark.merge import Places

MISALIGNED_PX = 0.3
"""Shift from which a pair counts as misaligned: below it registration leaves a pair as it is."""
MEASURABLE = 0.3
"""Correlation below which a shift says nothing: another scene, or noise. LOL's pairs reach 0.6."""
_WINDOW_PX = 768  # the middle of larger images is enough, and takes a second at most
_DENOISE_PX, _MEDIAN = 1.25, 0.4  # as registration has them
_STEPS = 20  # a pixel


class Shift(NamedTuple):
    """How far the normal-light image must move to lie on the dark one.

    Attributes:
        rows: Down, in pixels.
        columns: To the right, in pixels.
        correlation: Of the two images after that, 0 to 1.
    """

    rows: float
    columns: float
    correlation: float

    @property
    def length_px(self) -> float:
        """Return the length of the shift in pixels."""
        return float(np.hypot(self.rows, self.columns))


def shift(dark: Image, normal: Image) -> Shift:
    """Measure the shift between two images of one size and scene.

    Args:
        dark: float32 (H, W, 3) in [0, 1].
        normal: The same.
    """
    planes = [
        surf.flatten(surf.normalise(_middle(image), _DENOISE_PX, _MEDIAN))
        for image in (dark, normal)
    ]
    if min(float(np.ptp(plane)) for plane in planes) == 0.0:
        return Shift(0.0, 0.0, 0.0)
    (rows, columns), error, _ = phase_cross_correlation(  # type: ignore[no-untyped-call]
        *planes, upsample_factor=_STEPS, normalization=None
    )
    correlation = float(np.sqrt(max(0.0, 1.0 - float(error) ** 2)))
    return Shift(float(rows), float(columns), correlation)


def _middle(image: Image) -> Image:
    height, width = image.shape[:2]
    top, left = max(0, height - _WINDOW_PX) // 2, max(0, width - _WINDOW_PX) // 2
    return image[top : top + _WINDOW_PX, left : left + _WINDOW_PX]


class _Job(NamedTuple):
    dark: Path
    normal: Path


def shifts(listed: pd.DataFrame, places: Places, cache: Path | None, jobs: int) -> list[Shift]:
    """Measure every pair of a manifest; pairs measured before are not opened again.

    Args:
        listed: A merged manifest; every row has two images of one size.
        places: Where they lie.
        cache: Folder where shifts are remembered; None remembers nothing.
        jobs: Processes.
    """
    work = [_Job(*map(places.locate, cells)) for cells in listed[["dark", "normal"]].to_numpy()]
    keys = ["|".join(pair) for pair in listed[["dark_sha256", "normal_sha256"]].to_numpy()]
    name = source_digest(Path(__file__), Path(surf.__file__))
    memory = journal.Journal(None if cache is None else cache / "shifts" / f"{name}.jsonl")
    return [
        Shift(*found)
        for found in journal.work_through(work, keys, _measure, memory, jobs, "measuring shifts")
    ]


def _measure(job: _Job) -> list[float]:
    found = shift(images.read(job.dark), images.read(job.normal))
    return [round(number, 4) for number in found]
