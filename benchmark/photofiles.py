"""A user's photographs as files: what is read, what of it is kept, and how results are written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np
import PIL.ExifTags
import PIL.Image

from benchmark import images, userfiles
from benchmark.errors import InputError
from benchmark.images import Bytes

Format: TypeAlias = Literal["png", "jpeg", "tiff"]
SUFFIX: Mapping[str, str] = MappingProxyType({"png": ".png", "jpeg": ".jpg", "tiff": ".tif"})
QUALITY = 95
_ORIENTATION = PIL.ExifTags.Base.Orientation
_SIZE = (PIL.ExifTags.Base.ExifImageWidth, PIL.ExifTags.Base.ExifImageHeight)
_LAYOUT = (
    *range(0x0100, 0x0104),  # width, height, bits, compression
    0x0106,  # photometric interpretation
    *(0x0111, 0x0115, 0x0116, 0x0117),  # strips, samples a pixel
    *(0x011C, 0x013D, 0x0140),  # planar configuration, predictor, palette
    *range(0x0142, 0x0146),  # tiles
    *(0x0152, 0x0153, 0x015B),  # extra samples, sample format, JPEG tables
)
"""Tags of a TIFF file that say how its pixels lie, and would be wrong of another file."""


@dataclass(frozen=True)
class Photograph:
    """An upright photograph.

    Attributes:
        pixels: uint8 (H, W, 3) in the colour space of the profile, sRGB where there is none.
        exif: The EXIF block without orientation and thumbnail, b"" where there is none.
        profile: ICC profile, b"" where there is none.
    """

    pixels: Bytes
    exif: bytes = b""
    profile: bytes = field(default=b"", repr=False)


def read(path: Path) -> Photograph:
    """Read a photograph, turned as its EXIF orientation says.

    Grey and palette files become RGB; what is refused, `benchmark.userfiles.read` tells.

    Raises:
        InputError: The file is missing or damaged, has more than 8 bits a channel, transparent
            pixels, or a colour space other than RGB or grey.
    """
    pixels = userfiles.read(path)
    with images.opened(path) as file:
        exif = _kept(file.getexif(), pixels)
        # A grey profile says nothing of RGB pixels.
        profile = file.info.get("icc_profile") or b"" if file.mode in ("RGB", "RGBA", "P") else b""
    return Photograph(pixels, exif, bytes(profile))


def _kept(exif: PIL.Image.Exif, pixels: Bytes) -> bytes:
    """Return what still holds of an EXIF block; writing it anew leaves its thumbnail out."""
    if not len(exif):
        return b""
    details = exif.get_ifd(PIL.ExifTags.IFD.Exif)
    for tag, side in zip(_SIZE, (pixels.shape[1], pixels.shape[0]), strict=True):
        if tag in details:
            details[tag] = side  # a turned photograph swaps its sides
    for tag in [_ORIENTATION, *_LAYOUT]:
        if tag in exif:
            del exif[tag]
    return exif.tobytes() if len(exif) else b""


def write(path: Path, photograph: Photograph, form: Format, quality: int = QUALITY) -> None:
    """Write a photograph with its EXIF block and ICC profile, whole or not at all.

    Args:
        path: The file, written over where it exists.
        photograph: What to write.
        form: `png` and `tiff` keep every pixel; `jpeg` does not, and stores chroma in full.
        quality: JPEG quality factor.
    """
    options: dict[str, Any] = {"icc_profile": photograph.profile or None}
    if photograph.exif:
        options["exif"] = photograph.exif
    if form == "jpeg":
        options |= {"quality": quality, "subsampling": 0, "optimize": True}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        PIL.Image.fromarray(photograph.pixels).save(partial, format=form.upper(), **options)
        partial.replace(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be written ({error}): choose another folder.") from error
    finally:
        partial.unlink(missing_ok=True)


def side_by_side(before: Bytes, after: Bytes) -> Bytes:
    """Return two pictures of one size beside each other, with a white line between."""
    line = np.full((before.shape[0], 4, 3), 255, np.uint8)
    return np.concatenate((before, line, after), axis=1)
