"""Read a user's photographs, keep their metadata, and write results."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np
import PIL.ExifTags
import PIL.Image

from benchmark.core import files, images, jpeg, user_files
from benchmark.core.console import shown
from benchmark.core.errors import InputError
from benchmark.core.images import MEGAPIXELS, Bytes

Format: TypeAlias = Literal["png", "jpeg", "tiff"]
SUFFIX: Mapping[str, str] = MappingProxyType({"png": ".png", "jpeg": ".jpg", "tiff": ".tif"})
QUALITY = 95
_SIZE = (int(PIL.ExifTags.Base.ExifImageWidth), int(PIL.ExifTags.Base.ExifImageHeight))
_KEPT: Container[int] = frozenset(
    {
        PIL.ExifTags.Base.ImageDescription,
        PIL.ExifTags.Base.Make,
        PIL.ExifTags.Base.Model,
        PIL.ExifTags.Base.XResolution,
        PIL.ExifTags.Base.YResolution,
        PIL.ExifTags.Base.ResolutionUnit,
        PIL.ExifTags.Base.Software,
        PIL.ExifTags.Base.DateTime,
        PIL.ExifTags.Base.Artist,
        PIL.ExifTags.Base.Copyright,
        PIL.ExifTags.IFD.Exif,
        PIL.ExifTags.IFD.GPSInfo,
    }
)
"""Tags of a file's first directory that are kept: those that EXIF 2.32 (4.6.4) defines for the
picture. Everything else is dropped: the layout of pixels, XMP, IPTC, Photoshop's layers, thumbnails
in other directories, and unknown blocks."""


@dataclass(frozen=True)
class Photograph:
    """An upright photograph.

    Attributes:
        pixels: uint8 (H, W, 3) in the colour space of the profile, or sRGB if there is none.
        exif: EXIF block without orientation and thumbnail; b"" if there is none.
        profile: ICC profile; b"" if there is none.
        tables: Quantisation tables of the file, oriented like the upright pixels.
        notes: Phrases for the user about what was left out.
    """

    pixels: Bytes
    exif: bytes = b""
    profile: bytes = field(default=b"", repr=False)
    tables: jpeg.Tables = field(default_factory=jpeg.no_tables, repr=False)
    notes: tuple[str, ...] = ()


def read(path: Path, page: int = 0, megapixels: float = MEGAPIXELS) -> Photograph:
    """Read a photograph and turn it upright according to its EXIF orientation.

    Grey and palette files become RGB; `benchmark.core.user_files.read` says what is refused.

    Args:
        path: The file.
        page: Index of the page of a TIFF file; see `user_files.pages`.
        megapixels: Largest size that is read.

    Raises:
        InputError: The file is missing, damaged or too large, an animation, has more than 8 bits
            per channel, transparent pixels, or a colour space other than RGB or grey.
    """
    with images.opened(path, megapixels) as file:
        if file.format == "TIFF":
            file.seek(page)
            images.check_size(path, file, megapixels)
        else:
            images.refuse_pages(path, file)
        pixels = user_files.upright_pixels(path, file)
        exif, notes = _kept(file, pixels)
        notes += _frames_left_out(path, file)
        # A grey profile says nothing of RGB pixels.
        profile = file.info.get("icc_profile") or b"" if file.mode in ("RGB", "RGBA", "P") else b""
    return Photograph(pixels, exif, bytes(profile), user_files.tables(path), notes)


def _frames_left_out(path: Path, file: PIL.Image.Image) -> tuple[str, ...]:
    count = images.frames(file)
    if file.format == "MPO":
        return (f"holds {count} pictures, of which the first was enhanced",)
    left = count - len(user_files.pages(path)) if file.format == "TIFF" else 0
    if left:
        return (f"holds {count} pages, of which {left} left out (smaller copies or masks)",)
    return ()


def _kept(file: PIL.Image.Image, pixels: Bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return the part of a file's EXIF block that stays valid, and a note if it cannot be kept.

    The block is written anew, which drops its thumbnail.
    """
    try:
        exif = file.getexif()
        if block := file.info.get("exif"):  # read anew: Pillow hides what failed the first time
            exif = PIL.Image.Exif()
            exif.load(block)
        details = exif.get_ifd(PIL.ExifTags.IFD.Exif)
        for tag, side in zip(_SIZE, (pixels.shape[1], pixels.shape[0]), strict=True):
            if tag in details:
                details[tag] = side  # a turned photograph swaps its sides
        for other in [tag for tag in exif if tag not in _KEPT]:
            del exif[other]
        return (exif.tobytes() if len(exif) else b""), ()
    except Exception as error:  # Pillow fails in many ways on foreign EXIF data
        return b"", (_left_out(error),)


def _left_out(error: Exception) -> str:
    return f"holds EXIF data that cannot be kept ({error}), which were left out"


def write(
    path: Path, photograph: Photograph, form: Format, quality: int = QUALITY
) -> tuple[str, ...]:
    """Write a photograph with its EXIF block and ICC profile, whole or not at all.

    Args:
        path: The file, which is overwritten if it exists.
        photograph: The photograph.
        form: `png` and `tiff` keep every pixel; `jpeg` does not, and stores chroma in full.
        quality: JPEG quality factor.

    Returns:
        A note if the format cannot store the EXIF block, which is then left out.

    Raises:
        InputError: The file cannot be written.
    """
    options: dict[str, Any] = {"format": form.upper(), "icc_profile": photograph.profile or None}
    if form == "jpeg":
        options |= {"quality": quality, "subsampling": 0, "optimize": True}
    picture = PIL.Image.fromarray(photograph.pixels)
    notes: tuple[str, ...] = ()
    with files.beside(path) as place:
        if photograph.exif:
            try:
                picture.save(place, exif=photograph.exif, **options)
                return ()
            except Exception as error:  # Pillow fails in many ways on foreign EXIF data
                notes = (_left_out(error),)
        try:
            picture.save(place, **options)
        except ValueError as error:
            raise InputError(
                f"{shown(path)} cannot be written ({error}): choose another format."
            ) from error
    return notes


def side_by_side(before: Bytes, after: Bytes) -> Bytes:
    """Join two pictures of the same size side by side, with a white line between them."""
    line = np.full((before.shape[0], 4, 3), 255, np.uint8)
    return np.concatenate((before, line, after), axis=1)
