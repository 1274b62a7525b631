"""The only call of a JPEG encoder, and the record of which encoder that was."""

import io
from dataclasses import asdict, dataclass

import numpy as np
import PIL
import PIL.features
import PIL.Image

from benchmark.errors import InputError
from benchmark.images import Bytes

SUBSAMPLING = "4:2:0"


@dataclass(frozen=True)
class Encoder:
    """What wrote the JPEG files; part of every result's provenance."""

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
    """Return `qf` if it is an IJG quality factor, 1 to 100.

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
    """Return what a reader of the JPEG file of `pixels` at quality `qf` sees."""
    return decode(encode(pixels, qf))
