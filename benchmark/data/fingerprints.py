"""What is remembered of an image file: that it decodes, and enough to recognise it by.

Files are decoded whole, once, in parallel; what was found is kept by the file's SHA-256 below the
cache folder, so that looking again at thousands of untouched files takes seconds.
"""

import base64
import functools
import io
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import imagehash
import numpy as np
import pandas as pd
import PIL
import PIL.Image
import PIL.ImageOps
import PIL.JpegImagePlugin
from numpy.typing import NDArray

from benchmark.core import code_digest, images, jpeg, parallel
from benchmark.core.cache import ResultCache
from benchmark.core.errors import InputError, ProblemsError
from benchmark.core.hashing import Digests, sha256
from benchmark.data.rank_thumbnails import SIDE, ranks

BITS = 256
"""Of a perceptual hash."""
_EQUALISED = 256  # pixels a side at which images are equalised
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_SUBSAMPLING = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}


class Fingerprint(NamedTuple):
    """What is remembered of an image.

    Attributes:
        width: In pixels.
        height: In pixels.
        format: What the file is, whatever its name says: `PNG`, `JPEG`, ...
        quality: IJG quality factor of a JPEG file's quantisation tables, 1 to 100; that of the
            nearest tables, negative, where they are not IJG's; 0 of another format.
        subsampling: Of the chroma of a JPEG file; "" of another format.
        brightness: Mean luma, 0 to 255.
        bits: Perceptual hash of the equalised image, hexadecimal, 256 bits.
        equalised: Thumbnail of the equalised grey image: `SIDE`**2 bytes, base64.
        ranks: Thumbnail whose pixels are replaced by their ranks, which no change of exposure
            moves: `SIDE`**2 bytes, base64.
    """

    width: int
    height: int
    format: str
    quality: int
    subsampling: str
    brightness: float
    bits: str
    equalised: str
    ranks: str

    def thumbnail(self, name: str) -> NDArray[np.uint8]:
        """Return `equalised` or `ranks` as uint8 (SIDE, SIDE)."""
        data = base64.b64decode(getattr(self, name))
        return np.frombuffer(data, np.uint8).reshape(SIDE, SIDE)


class FileRecord(NamedTuple):
    """A file that was looked at.

    Attributes:
        sha256: Of its content; "" where it cannot be read.
        bytes: Its size.
        found: Its print; None where it is no usable image.
        problem: Why, as a phrase that names the file; "" where nothing is wrong.
    """

    sha256: str
    bytes: int
    found: Fingerprint | None
    problem: str


def fingerprint(path: Path) -> Fingerprint:
    """Decode a file whole and return its print.

    Raises:
        InputError: It is no image that the suite can use; see `images.read_uint8`.
    """
    pixels = images.read_uint8(path)
    grey = pixels.astype(np.float32) @ _LUMA
    plane = PIL.Image.fromarray(pixels).convert("L")
    level = PIL.ImageOps.equalize(plane.resize((_EQUALISED, _EQUALISED), PIL.Image.Resampling.BOX))
    bits = imagehash.phash(level, hash_size=math.isqrt(BITS)).hash.ravel()
    small = level.resize((SIDE, SIDE), PIL.Image.Resampling.BOX)
    with images.opened(path) as file:
        kind, (quality, subsampling) = str(file.format), _jpeg(file)
    return Fingerprint(
        *(pixels.shape[1], pixels.shape[0], kind, quality, subsampling),
        round(float(grey.mean()), 3),
        np.packbits(bits).tobytes().hex(),
        _text(np.asarray(small, np.uint8)),
        _text(ranks(PIL.Image.fromarray(grey))),
    )


def _text(thumbnail: NDArray[np.uint8]) -> str:
    return base64.b64encode(thumbnail.tobytes()).decode("ascii")


def _jpeg(file: PIL.Image.Image) -> tuple[int, str]:
    """Return quality and subsampling of an opened file, as `Fingerprint` has them."""
    if not isinstance(file, PIL.JpegImagePlugin.JpegImageFile):
        return 0, ""
    sampling = PIL.JpegImagePlugin.get_sampling(file)
    told = "grey" if file.mode == "L" else _SUBSAMPLING.get(sampling, "other")
    return quality(jpeg.component_tables(file)[0]), told


def quality(table: Sequence[int]) -> int:
    """Return the IJG quality factor of a luminance quantisation table, negative if only nearest.

    Args:
        table: 64 steps, row by row.
    """
    steps = np.asarray(table, np.float64)
    distances = np.abs(np.log(_ijg_tables()) - np.log(np.maximum(steps, 1.0))).mean(axis=1)
    nearest = int(distances.argmin())
    return (nearest + 1) * (1 if distances[nearest] == 0.0 else -1)


@functools.lru_cache(maxsize=1)
def _ijg_tables() -> NDArray[np.float64]:
    """Return the luminance table of every quality factor, as the encoder itself writes it."""
    tables = []
    for factor in range(1, 101):
        data = jpeg.encode(np.zeros((8, 8, 3), np.uint8), factor)
        with PIL.Image.open(io.BytesIO(data)) as file:
            tables.append(list(cast(PIL.JpegImagePlugin.JpegImageFile, file).quantization[0]))
    return np.asarray(tables, np.float64)


def examine(paths: Iterable[Path], cache: Path | None, jobs: int = 1) -> dict[Path, FileRecord]:
    """Look at files, each once; files that nothing was done to since are not opened again.

    Args:
        paths: Image files.
        cache: Folder where it is remembered what was found; None remembers nothing.
        jobs: Processes.

    Returns:
        What was seen of every file; files that cannot be used have a problem.
    """
    different = list(dict.fromkeys(paths))
    digests, journal = Digests(cache), _journal(cache)
    known = {path: digests.known(path) for path in different}
    new = [path for path, digest in known.items() if digest not in journal.done]
    looks = parallel.map_parallel(_look, new, jobs, "decoding") if new else ()
    for path, look in zip(new, looks, strict=True):
        if look.digest:
            digests.add(path, look.stamp, look.digest)
            journal.add(look.digest, look.content)
        known[path] = look.digest or None
        if not look.digest:
            journal.done[str(path)] = look.content
    digests.save()
    return {path: _seen(path, digest, journal.done) for path, digest in known.items()}


def of_manifest(
    listed: pd.DataFrame,
    columns: Sequence[str],
    locate: Callable[[str], Path],
    cache: Path | None,
    jobs: int = 1,
) -> dict[str, Fingerprint]:
    """Return SHA-256 -> print of the files that a manifest lists.

    Args:
        listed: A manifest.
        columns: Which files: `dark`, `normal`.
        locate: Turns the path in a manifest into a file, such as `root.joinpath`.
        cache: See `examine`.
        jobs: Processes.

    Raises:
        ProblemsError: Files cannot be used, or are not those that were listed.
    """
    wanted: dict[str, Path] = {}
    for column in columns:
        for digest, cell in listed[[f"{column}_sha256", column]].to_numpy():
            if digest and digest not in wanted:
                wanted[digest] = locate(cell)
    seen = examine(wanted.values(), cache, jobs)
    problems = [look.problem for look in seen.values() if look.problem]
    problems += [
        f"{path} has changed since it was listed"
        for digest, path in wanted.items()
        if not seen[path].problem and seen[path].sha256 != digest
    ]
    if problems:
        raise ProblemsError("the raw data", problems, "mend them and run the inventory again")
    return {digest: found for digest, path in wanted.items() if (found := seen[path].found)}


class _Look(NamedTuple):
    digest: str
    stamp: tuple[int, int]  # size, modification time
    content: list[Any] | str  # a print, or what is wrong


def _look(path: Path) -> _Look:
    try:
        stat = path.stat()
        digest = sha256(path)
    except OSError as error:
        return _Look("", (0, 0), f"cannot be read ({error.strerror})")
    stamp = (stat.st_size, stat.st_mtime_ns)
    if stat.st_size == 0:
        return _Look(digest, stamp, "is empty (0 bytes)")
    try:
        return _Look(digest, stamp, list(fingerprint(path)))
    except InputError as error:
        if isinstance(error.__cause__, PIL.UnidentifiedImageError):
            return _Look(digest, stamp, "is no image")
        told = str(error).removeprefix(f"{path} ")  # kept by content, so without the name
        return _Look(digest, stamp, told.rpartition(": ")[0])


def _seen(path: Path, digest: str | None, done: dict[str, Any]) -> FileRecord:
    content = done[digest or str(path)]
    if isinstance(content, str):
        return FileRecord(digest or "", 0, None, f"{path} {content}")
    return FileRecord(digest or "", path.stat().st_size, Fingerprint(*content), "")


def _journal(cache: Path | None) -> ResultCache:
    """Return the memory of prints; its name holds what they depend on but the file."""
    if cache is None:
        return ResultCache(None)
    return ResultCache(cache / "prints" / f"{code_digest.of(__name__)[:32]}.jsonl")
