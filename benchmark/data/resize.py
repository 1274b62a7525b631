"""Resize test pairs to the size that their protocol requires, before any compression."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import PIL.Image

from benchmark.core import images, parallel
from benchmark.core.hashing import sha256
from benchmark.data.lists import PathResolver

FILTER = "bicubic"
"""Pillow's bicubic filter, whose support grows as an image shrinks, which prevents aliasing. Not in
the paper: it names no filter, nor does Zero-DCE (Guo et al. 2020), which asks for 1200x900."""


class _Job(NamedTuple):
    source: Path
    target: Path
    size: tuple[int, int]


class _Copy(NamedTuple):
    bytes: int
    sha256: str


def resize(
    listed: pd.DataFrame,
    size: Sequence[int],
    places: PathResolver,
    folder: Path,
    prefix: str,
    jobs: int,
) -> pd.DataFrame:
    """Write resized copies of pairs; pairs that already have the size are unchanged.

    Args:
        listed: A merged manifest of pairs of one set.
        size: Target width and height in pixels; the aspect ratio may change.
        places: Resolver of the images' paths.
        folder: Folder of the copies, which are PNG files with the paths of the originals; an image
            that several pairs share is written once.
        prefix: Path of that folder in the manifest, such as `work/prepared/SICE/`.
        jobs: Number of processes.

    Returns:
        The manifest in its order, with paths, sizes and digests of the copies, and the change in
        column `prepared`.
    """
    width, height = size
    odd = (listed["width"] != width) | (listed["height"] != height)
    cells = pd.unique(listed.loc[odd, ["dark", "normal"]].to_numpy().ravel())
    names = {cell: Path(cell).with_suffix(".png").as_posix() for cell in cells if cell}
    work = [
        _Job(places.locate(cell), folder / name, (width, height)) for cell, name in names.items()
    ]
    copies = dict(zip(names, parallel.map_parallel(_resize, work, jobs, "resizing"), strict=True))
    rows = [
        row | _copied(row, copies, names, prefix, (width, height)) if is_odd else row
        for row, is_odd in zip(listed.to_dict("records"), odd, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(listed.columns))


def _copied(
    row: dict[Any, Any],
    copies: dict[str, _Copy],
    names: dict[str, str],
    prefix: str,
    size: tuple[int, int],
) -> dict[str, Any]:
    """Return the changed columns of a row."""
    was = f"{row['width']}x{row['height']}"
    change: dict[str, Any] = {"width": size[0], "height": size[1]}
    change["prepared"] = f"resized from {was} ({FILTER})"
    for side in ("dark", "normal"):
        if cell := row[side]:
            change[side] = prefix + names[cell]
            change[f"{side}_bytes"], change[f"{side}_sha256"] = copies[cell]
    return change


def _resize(job: _Job) -> _Copy:
    picture = PIL.Image.fromarray(images.read_uint8(job.source))
    small = picture.resize(job.size, PIL.Image.Resampling.BICUBIC)
    images.write(job.target, np.asarray(small, np.uint8))
    return _Copy(job.target.stat().st_size, sha256(job.target))
