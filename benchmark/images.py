"""Images in memory and on disk: the only conversion between bytes and floats.

An image is float32 (H, W, 3), sRGB, [0, 1].
"""

from pathlib import Path
from typing import TypeAlias

import numpy as np
import PIL.Image
import PIL.ImageOps
from numpy.typing import NDArray

from benchmark.errors import InputError

Image: TypeAlias = NDArray[np.float32]
"""float32 (H, W, 3), sRGB, [0, 1]."""
Bytes: TypeAlias = NDArray[np.uint8]
"""uint8 (H, W, 3), sRGB, 0..255."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
_LOSSLESS = {".png": "PNG", ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF"}
_DIRECT_MODES = ("RGB", "L", "P", "1")


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


def read(path: Path) -> Image:
    """Read a file as float32 (H, W, 3) in [0, 1]; see `read_uint8` for what is accepted."""
    return to_float(read_uint8(path))


def read_uint8(path: Path, upright: bool = False) -> Bytes:
    """Read an 8-bit image file as RGB.

    Grey, bilevel and palette images become RGB with equal or looked-up channels; an alpha channel
    is dropped where it is opaque everywhere.

    Args:
        path: The file.
        upright: Turn the image as its EXIF orientation says (photographs, not data sets).

    Returns:
        uint8 (H, W, 3).

    Raises:
        InputError: The file is missing, unreadable or truncated, has more than 8 bits a channel,
            transparent pixels, or a colour space other than RGB or grey.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file: check the path.")
    try:
        with PIL.Image.open(path) as file:
            if _bits(path, file) > 8:
                raise InputError(
                    f"{path} has {_bits(path, file)} bits a channel, expected 8: convert it first."
                )
            file.load()
            picture = PIL.ImageOps.exif_transpose(file) if upright else file
            return np.array(_rgb(picture, path), np.uint8)
    except InputError:
        raise
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as an image ({error}): replace it.") from error


def _bits(path: Path, file: PIL.Image.Image) -> int:
    """Return the bits a channel of an opened file; Pillow itself cuts 16-bit RGB PNG to 8."""
    if file.format == "PNG":
        with path.open("rb") as stream:
            return stream.read(25)[24]  # IHDR: signature 8, length 4, type 4, width 4, height 4
    if file.format == "TIFF":
        bits = getattr(file, "tag_v2", {}).get(258, (8,))  # BitsPerSample
        return int(max(bits)) if isinstance(bits, tuple) else int(bits)
    return 16 if file.mode.startswith(("I", "F")) else 8


def _rgb(picture: PIL.Image.Image, path: Path) -> PIL.Image.Image:
    has_alpha = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    if has_alpha:
        picture = picture.convert("RGBA")
        if picture.getchannel("A").getextrema()[0] != 255:
            raise InputError(
                f"{path} has transparent pixels, expected an opaque image: flatten it first."
            )
        return picture.convert("RGB")
    if picture.mode not in _DIRECT_MODES:
        raise InputError(
            f"{path} has colour mode {picture.mode}, expected RGB or grey: convert it first."
        )
    return picture.convert("RGB")


def write(path: Path, image: Image | Bytes) -> None:
    """Write an image without loss, as the name says; floats are rounded by `to_uint8`.

    The file appears whole or not at all: it is written beside its place and moved there.
    JPEG files come from `benchmark.jpeg` alone, which takes a quality factor.

    Raises:
        InputError: The name does not end in .png, .bmp, .tif or .tiff.
    """
    if path.suffix.lower() not in _LOSSLESS:
        raise InputError(
            f"{path} ends in {path.suffix!r}, expected one of {', '.join(_LOSSLESS)}, "
            "which keep every pixel: rename it."
        )
    pixels = image if image.dtype == np.uint8 else to_uint8(np.asarray(image, np.float32))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        PIL.Image.fromarray(pixels).save(partial, format=_LOSSLESS[path.suffix.lower()])
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
