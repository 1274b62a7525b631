"""JPEG encoding and decoding at one place, with a record of the encoder that was used."""

import functools
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import PIL
import PIL.features
import PIL.Image
import PIL.JpegImagePlugin
from numpy.typing import NDArray

from benchmark.core import images
from benchmark.core.errors import InputError
from benchmark.core.images import Bytes

SUBSAMPLING = "4:2:0"
Tables: TypeAlias = NDArray[np.uint16]
"""uint16 (2, 8, 8): quantisation steps of luma and chroma, 1 or more, vertical frequency first."""


@dataclass(frozen=True)
class Encoder:
    """The encoder that wrote the JPEG files; part of the provenance of every result."""

    library: str
    pillow: str
    subsampling: str

    def describe(self) -> dict[str, str]:
        """Return the record as plain strings."""
        return asdict(self)


def encoder() -> Encoder:
    """Describe the JPEG encoder of this installation."""
    turbo = PIL.features.check_feature("libjpeg_turbo")
    name = "libjpeg-turbo" if turbo else "libjpeg"
    number = PIL.features.version_feature("libjpeg_turbo") if turbo else None
    number = number or PIL.features.version_codec("jpg")
    return Encoder(f"{name} {number}", PIL.__version__, SUBSAMPLING)


def check_quality(qf: int) -> int:
    """Return `qf` unchanged if it is an IJG quality factor, an integer from 1 to 100.

    Raises:
        InputError: It is not.
    """
    if isinstance(qf, bool) or not isinstance(qf, int) or not 1 <= qf <= 100:
        raise InputError(f"Quality factor must be an integer from 1 to 100, but got {qf!r}.")
    return qf


def encode(pixels: Bytes, qf: int) -> bytes:
    """Compress uint8 (H, W, 3) as baseline JPEG: IJG tables at quality `qf`, chroma 4:2:0.

    Raises:
        InputError: `qf` is not an integer from 1 to 100.
    """
    buffer = io.BytesIO()
    picture = PIL.Image.fromarray(pixels)
    picture.save(buffer, "JPEG", quality=check_quality(qf), subsampling=SUBSAMPLING)
    return buffer.getvalue()


def decode(data: bytes) -> Bytes:
    """Decompress JPEG bytes to uint8 (H, W, 3)."""
    with PIL.Image.open(io.BytesIO(data)) as file:
        return np.array(file.convert("RGB"))


def compress(pixels: Bytes, qf: int) -> Bytes:
    """Encode pixels as JPEG at quality `qf` and return the decoded result."""
    return decode(encode(pixels, qf))


def tables(path: Path) -> Tables:
    """Return the quantisation tables of an image file: its own if it is JPEG, all ones otherwise.

    They are the tables that the frame header names for the first component (luma) and the second
    (chroma), wherever they stand in the file. A file with one component (grey) returns its table
    twice. They belong to the pixels as stored; `user_files.tables` returns those of upright pixels.

    Raises:
        InputError: The file cannot be read as an image.
    """
    with images.opened(path) as file:
        return _tables(file)


@functools.cache
def tables_of_quality(qf: int) -> Tables:
    """Return the tables that `encode` uses at a quality factor; the array must not be modified.

    Raises:
        InputError: `qf` is not an integer from 1 to 100.
    """
    data = encode(np.zeros((8, 8, 3), np.uint8), qf)
    with PIL.Image.open(io.BytesIO(data)) as file:
        return _tables(file)


def component_tables(file: PIL.JpegImagePlugin.JpegImageFile) -> list[list[int]]:
    """Return the quantisation table of each component of an opened file, 64 steps row by row.

    The frame header names a table for every component (ITU-T T.81, B.2.2).

    Raises:
        ValueError: A component names a table that the file does not define.
    """
    numbers = [layer[3] for layer in file.layer]  # (id, columns, rows, table) each
    missing = set(numbers) - set(file.quantization)
    if missing:
        raise ValueError(f"no quantisation table {min(missing)}")
    return [list(file.quantization[number]) for number in numbers]  # Pillow undoes the zigzag


def no_tables() -> Tables:
    """Return the tables of a file that is not JPEG: all ones."""
    return np.ones((2, 8, 8), np.uint16)


def _tables(file: PIL.Image.Image) -> Tables:
    if not isinstance(file, PIL.JpegImagePlugin.JpegImageFile):
        return no_tables()
    found = component_tables(file)
    return np.array([found[0], found[min(1, len(found) - 1)]], np.uint16).reshape(2, 8, 8)
