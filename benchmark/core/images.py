"""Images in memory and on disk, and the only conversion between bytes and floats.

An image is float32 (H, W, 3), sRGB, [0, 1].
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import PIL.ExifTags
import PIL.Image
from numpy.typing import DTypeLike, NDArray

from benchmark.core import files
from benchmark.core.console import shown
from benchmark.core.errors import InputError

Image: TypeAlias = NDArray[np.float32]
"""float32 (H, W, 3), sRGB, [0, 1]."""
Bytes: TypeAlias = NDArray[np.uint8]
"""uint8 (H, W, 3), sRGB, 0..255."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".tif", ".tiff", ".webp")
"""Suffixes of image files, compared without regard to case."""
MEGAPIXELS = 400.0
"""Largest image that is read: twice the largest sensors of telephones. The limit guards against
small files that decompress to fill the memory; Pillow's own (a warning at 89, an error at 179) is
below such sensors."""
UPRIGHT = 1
"""EXIF orientation of an image that is stored upright."""
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the luma of ITU-R BT.601."""
_LOSSLESS = {".png": "PNG", ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF"}
_DIRECT_MODES = ("RGB", "L", "P", "1")
_ROWS = 1024


def to_uint8(image: Image) -> Bytes:
    """Quantise an image to 8 bits: clip to [0, 1], scale by 255, round to nearest (half to even).

    Raises:
        ValueError: The image holds NaN or infinity.
    """
    if not np.isfinite(image).all():
        raise ValueError("Argument `image` must be finite, but it holds NaN or infinity.")
    levels: Bytes = np.rint(np.clip(image, 0.0, 1.0) * np.float32(255.0)).astype(np.uint8)
    return levels


def to_float(pixels: Bytes) -> Image:
    """Scale 8-bit pixels of any shape to float32 [0, 1]."""
    return pixels.astype(np.float32) / np.float32(255.0)


def luma(pixels: Image | Bytes, kind: DTypeLike = np.float64) -> NDArray[Any]:
    """Compute the luma (H, W) of an image (H, W, 3), on its scale and in floats of this kind."""
    grey: NDArray[Any] = pixels.astype(kind) @ np.array(LUMA, kind)
    return grey


def read(path: Path) -> Image:
    """Read a file as float32 (H, W, 3) in [0, 1]; see `read_uint8` for what is accepted."""
    return to_float(read_uint8(path))


def read_uint8(path: Path) -> Bytes:
    """Read an 8-bit image file of a data set as RGB.

    Grey, bilevel and palette images become RGB with equal or looked-up channels; an alpha channel
    is dropped where it is opaque everywhere. A file whose EXIF orientation turns it is refused,
    because labels and other programs may mean either side up; `benchmark.core.user_files` turns
    those of users.

    Args:
        path: The file.

    Returns:
        uint8 (H, W, 3).

    Raises:
        InputError: The file is missing, unreadable or truncated, has more than 8 bits per channel,
            transparent pixels, a colour space other than RGB or grey, several pages, more than
            `MEGAPIXELS`, or an EXIF orientation that turns it.
    """
    with opened(path) as file:
        refuse_pages(path, file)
        turn = orientation(file)
        if turn != UPRIGHT:
            raise InputError(
                f"{shown(path)} is turned by its EXIF orientation ({turn}), expected pixels that "
                "are stored upright: save it turned, without that tag."
            )
        return pixels_of(path, file)


@contextlib.contextmanager
def opened(path: Path, megapixels: float = MEGAPIXELS) -> Iterator[PIL.Image.Image]:
    """Open an image file; errors of Pillow inside the `with` block become an `InputError`.

    Pillow's own limit of 89 megapixels is lifted inside the block; `megapixels` limits the first
    page instead.

    Raises:
        InputError: The file is missing or damaged, or has more than `megapixels`.
    """
    if not path.is_file():
        raise InputError(f"{shown(path)} is not a file: check the path.")
    pillows_own, PIL.Image.MAX_IMAGE_PIXELS = PIL.Image.MAX_IMAGE_PIXELS, None
    try:
        with PIL.Image.open(path) as file:
            check_size(path, file, megapixels)
            yield file
    except InputError:
        raise
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(
            f"{shown(path)} cannot be read as an image ({error}): replace it."
        ) from error
    finally:
        PIL.Image.MAX_IMAGE_PIXELS = pillows_own


def check_size(path: Path, file: PIL.Image.Image, megapixels: float = MEGAPIXELS) -> None:
    """Refuse an opened page that is too large, before it is decoded.

    Raises:
        InputError: The page has more than `megapixels`.
    """
    if file.width * file.height > megapixels * 1e6:
        raise InputError(
            f"{shown(path)} has {file.width}x{file.height} pixels, expected {megapixels:g} "
            "megapixels at most: reduce it, or raise the limit where --max-megapixels sets it."
        )


def refuse_pages(path: Path, file: PIL.Image.Image) -> None:
    """Refuse an opened file with several pages or frames, any of which could be the image.

    A JPEG file with further pictures behind the first (MPO) is accepted: every JPEG decoder shows
    the first one.

    Raises:
        InputError: The file has several pages or frames.
    """
    count = frames(file)
    if count > 1 and file.format != "MPO":
        raise InputError(
            f"{shown(path)} holds {count} pages or frames, expected one image: save the one you "
            "mean as a file of its own."
        )


def frames(file: PIL.Image.Image) -> int:
    """Return the number of pages, frames or pictures in an opened file."""
    return int(getattr(file, "n_frames", 1))


def orientation(file: PIL.Image.Image) -> int:
    """Return the EXIF orientation of an opened page, 1 to 8.

    Pillow itself turns the pixels of TIFF files when it loads them, and reports 1 afterwards. EXIF
    data that cannot be read count as orientation 1.
    """
    try:
        found = file.getexif().get(PIL.ExifTags.Base.Orientation, UPRIGHT)
    except Exception:  # Pillow fails in many ways on foreign EXIF data
        return UPRIGHT
    return found if found in range(1, 9) else UPRIGHT


def pixels_of(path: Path, file: PIL.Image.Image) -> Bytes:
    """Decode an opened page in its stored orientation; see `read_uint8` for what is accepted.

    Returns:
        uint8 (H, W, 3).

    Raises:
        InputError: Its bit depth, transparency or colour space is not accepted.
        OSError, SyntaxError, ValueError: The file is damaged; `opened` turns these into a sentence.
    """
    bits = _bits(path, file)
    if bits > 8:
        raise InputError(f"{shown(path)} has {bits} bits a channel, expected 8: convert it first.")
    file.load()
    picture = _opaque(file, path)
    pixels = np.empty((picture.height, picture.width, 3), np.uint8)
    for first in range(0, picture.height, _ROWS):  # at once, it would take the memory twice
        last = min(first + _ROWS, picture.height)
        rows = picture.crop((0, first, picture.width, last))
        pixels[first:last] = np.asarray(rows.convert("RGB"))
    return pixels


def _bits(path: Path, file: PIL.Image.Image) -> int:
    """Return the bits per channel of an opened file; Pillow itself cuts 16-bit RGB PNG to 8."""
    if file.format == "PNG":
        with path.open("rb") as stream:
            return stream.read(25)[24]  # IHDR: signature 8, length 4, type 4, width 4, height 4
    if file.format == "TIFF":
        bits = getattr(file, "tag_v2", {}).get(258, (8,))  # BitsPerSample
        return int(max(bits)) if isinstance(bits, tuple) else int(bits)
    return 16 if file.mode.startswith(("I", "F")) else 8


def _opaque(picture: PIL.Image.Image, path: Path) -> PIL.Image.Image:
    """Return a picture that can be converted to RGB without loss, or refuse it."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        if picture.getchannel("A").getextrema()[0] != 255:
            raise InputError(
                f"{shown(path)} has transparent pixels, expected an opaque image: flatten it first."
            )
    elif picture.mode not in _DIRECT_MODES:
        raise InputError(
            f"{shown(path)} has colour mode {picture.mode}, expected RGB or grey: convert it first."
        )
    return picture


def write(path: Path, image: Image | Bytes) -> None:
    """Write an image without loss in the format of the suffix; `to_uint8` rounds floats.

    The file appears whole or not at all, see `benchmark.core.files`.
    JPEG files are written only by `benchmark.core.jpeg`, which takes a quality factor.

    Raises:
        InputError: The name does not end in .png, .bmp, .tif or .tiff, or the file cannot be
            written.
    """
    if path.suffix.lower() not in _LOSSLESS:
        raise InputError(
            f"{shown(path)} ends in {path.suffix!r}, expected one of {', '.join(_LOSSLESS)}, "
            "which keep every pixel: rename it."
        )
    pixels = image if image.dtype == np.uint8 else to_uint8(np.asarray(image, np.float32))
    with files.beside(path) as place:
        PIL.Image.fromarray(pixels).save(place, format=_LOSSLESS[path.suffix.lower()])
