"""Image fingerprints: decoding check, perceptual hash and thumbnails, cached by SHA-256.

Files are decoded completely, once and in parallel; the fingerprints are cached under the SHA-256 of
each file, so that examining thousands of unchanged files again takes seconds.
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
"""Number of bits of a perceptual hash."""
_EQUALISED = 256  # side in pixels at which images are equalised
_SUBSAMPLING = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}


class Fingerprint(NamedTuple):
    """Properties of a decoded image by which it is described and recognised.

    Attributes:
        width: Width in pixels.
        height: Height in pixels.
        format: Format of the content, whatever the file's suffix: `PNG`, `JPEG`, ...
        quality: IJG quality factor of a JPEG file's quantisation tables, 1 to 100; the negative
            quality factor of the nearest tables if they are not IJG's; 0 for other formats.
        subsampling: Chroma subsampling of a JPEG file; "" for other formats.
        brightness: Mean luma, 0 to 255.
        bits: Perceptual hash of the equalised image, 256 bits in hexadecimal.
        equalised: Thumbnail of the equalised grey image, `SIDE`**2 bytes in base64.
        ranks: Thumbnail in which pixels are replaced by their ranks, which do not depend on
            exposure, `SIDE`**2 bytes in base64.
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
    """The result of examining a file.

    Attributes:
        sha256: SHA-256 of its content; "" if it cannot be read.
        bytes: Its size in bytes.
        fingerprint: Its fingerprint; None if it is not a usable image.
        problem: The reason as a phrase that names the file; "" if nothing is wrong.
    """

    sha256: str
    bytes: int
    fingerprint: Fingerprint | None
    problem: str


def fingerprint(path: Path) -> Fingerprint:
    """Decode a file completely and return its fingerprint.

    Raises:
        InputError: It is not an image that the suite can use; see `images.read_uint8`.
    """
    pixels = images.read_uint8(path)
    grey = images.luma(pixels, np.float32)
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
    """Return quality and subsampling of an opened file, as defined in `Fingerprint`."""
    if not isinstance(file, PIL.JpegImagePlugin.JpegImageFile):
        return 0, ""
    sampling = PIL.JpegImagePlugin.get_sampling(file)
    subsampling = "grey" if file.mode == "L" else _SUBSAMPLING.get(sampling, "other")
    return quality(jpeg.component_tables(file)[0]), subsampling


def quality(table: Sequence[int]) -> int:
    """Return the IJG quality factor of a luminance quantisation table.

    It is negative if the table is not IJG's and the quality factor is that of the nearest table.

    Args:
        table: 64 quantisation steps, row by row.
    """
    steps = np.asarray(table, np.float64)
    distances = np.abs(np.log(_ijg_tables()) - np.log(np.maximum(steps, 1.0))).mean(axis=1)
    nearest = int(distances.argmin())
    return (nearest + 1) * (1 if distances[nearest] == 0.0 else -1)


@functools.lru_cache(maxsize=1)
def _ijg_tables() -> NDArray[np.float64]:
    """Return the encoder's luminance tables for the quality factors 1 to 100, (100, 64)."""
    tables = []
    for factor in range(1, 101):
        data = jpeg.encode(np.zeros((8, 8, 3), np.uint8), factor)
        with PIL.Image.open(io.BytesIO(data)) as file:
            tables.append(list(cast(PIL.JpegImagePlugin.JpegImageFile, file).quantization[0]))
    return np.asarray(tables, np.float64)


def examine(paths: Iterable[Path], cache: Path | None, jobs: int = 1) -> dict[Path, FileRecord]:
    """Examine files, each once; files that have not changed since are not opened again.

    Args:
        paths: Image files.
        cache: Cache folder; None caches nothing.
        jobs: Number of processes.

    Returns:
        The record of every file; files that cannot be used have a problem.
    """
    different = list(dict.fromkeys(paths))
    digests, journal = Digests(cache), _journal(cache)
    known = {path: digests.known(path) for path in different}
    new = [path for path, digest in known.items() if digest not in journal.done]
    decoded = parallel.map_parallel(_decode, new, jobs, "decoding") if new else ()
    for path, record in zip(new, decoded, strict=True):
        if record.digest:
            digests.add(path, record.stamp, record.digest)
            journal.add(record.digest, record.content)
        known[path] = record.digest or None
        if not record.digest:
            journal.done[str(path)] = record.content
    digests.save()
    return {path: _record(path, digest, journal.done) for path, digest in known.items()}


def of_manifest(
    listed: pd.DataFrame,
    columns: Sequence[str],
    locate: Callable[[str], Path],
    cache: Path | None,
    jobs: int = 1,
) -> dict[str, Fingerprint]:
    """Return SHA-256 -> fingerprint of the files that a manifest lists.

    Args:
        listed: A manifest.
        columns: Columns of the files: `dark`, `normal`.
        locate: Function from a path in the manifest to a file, for example `root.joinpath`.
        cache: Cache folder; see `examine`.
        jobs: Number of processes.

    Raises:
        ProblemsError: Files cannot be used, or have changed since they were listed.
    """
    files: dict[str, Path] = {}
    for column in columns:
        for digest, cell in listed[[f"{column}_sha256", column]].to_numpy():
            if digest and digest not in files:
                files[digest] = locate(cell)
    records = examine(files.values(), cache, jobs)
    problems = [record.problem for record in records.values() if record.problem]
    problems += [
        f"{path} has changed since it was listed"
        for digest, path in files.items()
        if not records[path].problem and records[path].sha256 != digest
    ]
    if problems:
        raise ProblemsError("the raw data", problems, "mend them and run the inventory again")
    return {digest: known for digest, path in files.items() if (known := records[path].fingerprint)}


class _Decoded(NamedTuple):
    digest: str
    stamp: tuple[int, int]  # size, modification time
    content: list[Any] | str  # a fingerprint, or the problem


def _decode(path: Path) -> _Decoded:
    try:
        stat = path.stat()
        digest = sha256(path)
    except OSError as error:
        return _Decoded("", (0, 0), f"cannot be read ({error.strerror})")
    stamp = (stat.st_size, stat.st_mtime_ns)
    if stat.st_size == 0:
        return _Decoded(digest, stamp, "is empty (0 bytes)")
    try:
        return _Decoded(digest, stamp, list(fingerprint(path)))
    except InputError as error:
        if isinstance(error.__cause__, PIL.UnidentifiedImageError):
            return _Decoded(digest, stamp, "is no image")
        problem = str(error).removeprefix(f"{path} ")  # kept by content, so without the name
        return _Decoded(digest, stamp, problem.rpartition(": ")[0])


def _record(path: Path, digest: str | None, done: dict[str, Any]) -> FileRecord:
    content = done[digest or str(path)]
    if isinstance(content, str):
        return FileRecord(digest or "", 0, None, f"{path} {content}")
    return FileRecord(digest or "", path.stat().st_size, Fingerprint(*content), "")


def _journal(cache: Path | None) -> ResultCache:
    """Return the cache of fingerprints; its name identifies all they depend on but the file."""
    if cache is None:
        return ResultCache(None)
    return ResultCache(cache / "fingerprints" / f"{code_digest.of(__name__)[:32]}.jsonl")
