"""Darken labelled normal-light images (WIDER FACE) with the camera model.

No labelled dark set is freely available; a darkened WIDER FACE is the closest substitute. Because
the darkness is simulated (`benchmark.data.camera`), the normal-light image is available as well and
gives an upper bound that DARK FACE cannot have. Images of WIDER FACE are JPEG files at source,
whose blocks are darkened with them.
"""

import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmark.core import images, parallel
from benchmark.core.hashing import sha256
from benchmark.core.images import Image, read_uint8, to_float
from benchmark.data.camera import Camera, darken
from benchmark.data.lists import PathResolver

STOPS = (0.015, 0.06)
"""Smallest and largest exposure, drawn uniformly in stops; the same as in the demo's DARK FACE
(pairs of LOL eval15 have 0.008 to 0.12)."""
CAST = 0.08
"""Largest deviation of a channel's white balance from 1, the colour cast of a lamp."""
_SENSOR = {"white_electrons": 25_000.0, "read_electrons": 3.0, "bits": 12}


class _Job(NamedTuple):
    name: str
    source: Path
    target: Path
    seed: int


def night(image: Image, name: str, seed: int) -> Image:
    """Darken an image; the same name and seed give the same exposure, colour cast and noise.

    Args:
        image: Normal-light image, float32 (H, W, 3), sRGB, [0, 1].
        name: Name of the image, so that adding images to a set changes no other image.
        seed: Seed of the set.

    Returns:
        float32 (H, W, 3), sRGB, [0, 1].
    """
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    low, high = map(math.log, STOPS)
    exposure = math.exp(rng.uniform(low, high))
    red, green, blue = rng.uniform(1 - CAST, 1 + CAST, 3).tolist()
    camera = Camera(exposure=exposure, white_balance=(red, green, blue), **_SENSOR)  # type: ignore[arg-type]
    return darken(image, camera, rng)


def complete(
    listed: pd.DataFrame, places: PathResolver, folder: Path, prefix: str, seed: int, jobs: int
) -> pd.DataFrame:
    """Write a dark image for every row without one, and enter it in the manifest.

    Args:
        listed: A merged manifest of one set.
        places: Resolver of its paths.
        folder: Folder to which the dark images are written, as PNG.
        prefix: Path of that folder in the manifest, such as `work/jpeg/test/dark/WIDER/`.
        seed: Seed of the set.
        jobs: Number of processes.

    Returns:
        The manifest in its order; rows that have a dark image are unchanged.
    """
    lacking = listed[listed["dark"] == ""]
    names: Sequence[str] = [str(name) for name in lacking["name"]]
    work = [
        _Job(name, places.locate(str(cell)), folder / f"{name}.png", seed)
        for name, cell in zip(names, lacking["normal"], strict=True)
    ]
    for _ in parallel.map_parallel(_darken, work, jobs, "darkening"):
        pass
    manifest = listed.copy()
    manifest.loc[lacking.index, "dark"] = [f"{prefix}{name}.png" for name in names]
    manifest.loc[lacking.index, "dark_sha256"] = [sha256(job.target) for job in work]
    manifest.loc[lacking.index, "dark_bytes"] = [job.target.stat().st_size for job in work]
    manifest.loc[lacking.index, "prepared"] = "darkened by the camera model"
    return manifest


def _darken(job: _Job) -> None:
    images.write(job.target, night(to_float(read_uint8(job.source)), job.name, job.seed))
