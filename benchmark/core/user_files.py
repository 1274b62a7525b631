"""Picture files of a user: listed in folders and read as upright pixels.

`score` and `enhance` list and read pictures only with this module, so that both see the same
picture in the same file. Files of data sets are listed by `benchmark.data.folders` and read by
`benchmark.core.images.read_uint8`, which refuses the turned files that this module accepts.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np
import PIL.ExifTags
import PIL.Image
from numpy.typing import NDArray

from benchmark.core import images, jpeg
from benchmark.core.console import shown
from benchmark.core.errors import InputError
from benchmark.core.images import MEGAPIXELS, SUFFIXES, Bytes

_TRANSPOSING = (5, 6, 7, 8)
_SMALLER, _MASK = 1, 4  # bits of NewSubfileType
Pixel = TypeVar("Pixel", bound=np.generic)


def is_picture(path: Path) -> bool:
    """Return True if the suffix is that of an image file (in any case) and the file is not hidden.

    Some systems leave hidden files beside pictures that have the same suffix, such as `._1.png`.
    """
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def pictures(paths: Iterable[Path], folder: Path) -> list[Path]:
    """Return the sorted pictures among paths below a folder, without those in hidden folders."""
    return sorted(
        path
        for path in paths
        if is_picture(path)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def inside(folder: Path, deep: bool = False) -> list[Path]:
    """Return the sorted pictures of a folder.

    Args:
        folder: The folder.
        deep: Whether to search subfolders as well.

    Raises:
        InputError: There is no such folder, or it holds no pictures.
    """
    if not folder.is_dir():
        raise InputError(f"{shown(folder)} is not a folder: check the path.")
    found = pictures(folder.rglob("*") if deep else folder.iterdir(), folder)
    if not found:
        raise InputError(
            f"{shown(folder)} holds no images ({', '.join(SUFFIXES)}): check the path."
        )
    return found


def read(path: Path, megapixels: float = MEGAPIXELS) -> Bytes:
    """Read a picture and turn it upright according to its EXIF orientation.

    Args:
        path: The file.
        megapixels: Largest size that is read.

    Returns:
        uint8 (H, W, 3); `benchmark.core.images.read_uint8` says what else is accepted.

    Raises:
        InputError: As in `read_uint8`, except that a turned file is not refused.
    """
    with images.opened(path, megapixels) as file:
        images.refuse_pages(path, file)
        return upright_pixels(path, file)


def upright_pixels(path: Path, file: PIL.Image.Image) -> Bytes:
    """Decode a page that `benchmark.core.images.opened` opened and turn it upright; see `read`."""
    stored = images.pixels_of(path, file)
    return upright(stored, images.orientation(file))  # after loading: TIFF files are turned then


def pages(path: Path) -> tuple[int, ...]:
    """Return the indices (from 0) of the pages of a file that are separate pictures.

    Pages of a TIFF file that are a smaller copy or a mask of another page are left out (TIFF 6.0,
    NewSubfileType). Every other file has one page, even if it is damaged: reading it reports that.
    """
    try:
        with images.opened(path, math.inf) as file:
            if file.format != "TIFF":
                return (0,)
            found = [page for page in range(images.frames(file)) if _is_own(file, page)]
    except Exception:  # Pillow fails in many ways on damaged files
        return (0,)
    return tuple(found or [0])


def _is_own(file: PIL.Image.Image, page: int) -> bool:
    file.seek(page)
    kind = getattr(file, "tag_v2", {}).get(PIL.ExifTags.Base.NewSubfileType, 0)
    return not int(kind) & (_SMALLER | _MASK)


def tables(path: Path) -> jpeg.Tables:
    """Return the quantisation tables of a picture, oriented like its upright pixels.

    A quarter turn exchanges horizontal and vertical frequencies.

    Raises:
        InputError: The file cannot be read as an image.
    """
    stored = jpeg.tables(path)
    with images.opened(path) as file:
        turned = images.orientation(file) in _TRANSPOSING
    return np.ascontiguousarray(stored.transpose(0, 2, 1)) if turned else stored


def upright(pixels: NDArray[Pixel], orientation: int) -> NDArray[Pixel]:
    """Turn stored pixels upright according to an EXIF orientation.

    Args:
        pixels: (H, W, ...).
        orientation: 1 to 8 (EXIF 2.32, 4.6.4.A, Orientation).

    Returns:
        (H, W, ...), or (W, H, ...) after a quarter turn.
    """
    turned = pixels.swapaxes(0, 1) if orientation in _TRANSPOSING else pixels
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    return np.ascontiguousarray(turned)
