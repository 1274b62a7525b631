"""Training images that are also test images: the same file, or the same view again.

Normal-light images are compared, because dark ones hold more noise than picture. Two images show
the same view if both hold of them, made grey and histogram-equalised so that exposure is no
difference: their 256-bit perceptual hashes differ in at most `HASH_BITS` bits, and their 32x32
thumbnails correlate by at least `CORRELATION`.

Both limits lie in a wide gap. Measured on 215 images of LOL and 149 other photographs, all against
all: equal views differ in at most 12 bits and correlate by at least 0.994, different ones differ
in at least 56 bits and correlate by at most 0.86. A photograph and its copy as JPEG of quality 30,
at another size, with gamma 2 or gain 0.4 stay within 20 bits and 0.99. Copies cropped by more than
about one per cent, and mirrored ones, are not found.
"""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import imagehash
import numpy as np
import pandas as pd
import PIL.Image
import PIL.ImageOps
from numpy.typing import NDArray

from benchmark.errors import InputError

HASH_BITS = 32
CORRELATION = 0.97
_SIDE = 256  # pixels a side at which images are equalised
_THUMBNAIL = 32
_BITS = 16 * 16
_CHUNK = 4096  # training images compared at once


@dataclass(frozen=True)
class Leak:
    """A training image that is also a test image.

    Attributes:
        train_dataset: Set of the training image.
        train_name: Its name there.
        test_dataset: Set of the test image.
        test_name: Its name there.
        kind: `exact` is the same file, `near` the same view.
        correlation: Of the equalised thumbnails, -1 to 1; 1 for the same file.
    """

    train_dataset: str
    train_name: str
    test_dataset: str
    test_name: str
    kind: Literal["exact", "near"]
    correlation: float

    def describe(self) -> str:
        """Return the leak as a phrase."""
        how = "the same file as" if self.kind == "exact" else "the same view as"
        return (
            f"{self.train_dataset}/{self.train_name} is {how} test image "
            f"{self.test_dataset}/{self.test_name} (correlation {self.correlation:.4f})"
        )


class _Views(NamedTuple):
    """Fingerprints of n different files."""

    digests: list[str]  # SHA-256
    hashes: NDArray[np.float32]  # (n, 256), -1 or 1
    thumbnails: NDArray[np.float32]  # (n, 1024), mean 0, norm 1; all 0 where the image is flat


def find_leaks(
    train: pd.DataFrame, test: pd.DataFrame, locate: Callable[[str], Path]
) -> list[Leak]:
    """Compare two manifests; rejected rows are passed over.

    Args:
        train: Manifest of training images, as read: cropping by registration hides equal views.
        test: Manifest of test images.
        locate: Turns the path in a manifest into a file, such as `root.joinpath`.

    Returns:
        Leaks in the order of `train`, then of `test`.

    Raises:
        InputError: An image cannot be read.
    """
    train, test = (frame[frame["status"] == "ok"] for frame in (train, test))
    found: dict[tuple[int, int], float] = {}
    exact: set[tuple[int, int]] = set()
    for column in ("dark_sha256", "normal_sha256"):
        a, b = _rows(train, column), _rows(test, column)
        exact.update((i, j) for digest in a.keys() & b.keys() for i in a[digest] for j in b[digest])
    for first, second, correlation in _same_views(_views(train, locate), _views(test, locate)):
        found |= {(i, j): correlation for i in a[first] for j in b[second]}
    found |= dict.fromkeys(exact, 1.0)
    train_keys, test_keys = _keys(train), _keys(test)
    return [
        Leak(*train_keys[i], *test_keys[j], "exact" if (i, j) in exact else "near", correlation)
        for (i, j), correlation in sorted(found.items())
    ]


def _keys(frame: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(frame["dataset"], frame["name"], strict=True))


def _rows(frame: pd.DataFrame, column: str) -> dict[str, list[int]]:
    """Return the row numbers of every digest in a column; rows without a file are left out."""
    rows: dict[str, list[int]] = {}
    for row, digest in enumerate(frame[column]):
        if digest:
            rows.setdefault(digest, []).append(row)
    return rows


def _views(frame: pd.DataFrame, locate: Callable[[str], Path]) -> _Views:
    """Fingerprint every different normal-light image once."""
    rows = _rows(frame, "normal_sha256")
    prints = [_fingerprint(locate(frame["normal"].iloc[row[0]])) for row in rows.values()]
    hashes = np.array([bits for bits, _ in prints], np.float32).reshape(len(prints), _BITS)
    thumbnails = np.array([small for _, small in prints], np.float32).reshape(
        len(prints), _THUMBNAIL**2
    )
    return _Views(list(rows), hashes, thumbnails)


def _fingerprint(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the perceptual hash (256,) as -1 or 1, and the unit thumbnail (1024,)."""
    try:
        with PIL.Image.open(path) as file:
            file.draft("L", (_SIDE, _SIDE))  # lets JPEG decode at a fraction of its size
            grey = file.convert("L").resize((_SIDE, _SIDE), PIL.Image.Resampling.BOX)
    except (OSError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as an image ({error}): replace it.") from error
    level = PIL.ImageOps.equalize(grey)
    bits = imagehash.phash(level, hash_size=math.isqrt(_BITS)).hash.ravel()
    small = level.resize((_THUMBNAIL, _THUMBNAIL), PIL.Image.Resampling.BOX)
    centred = np.asarray(small, np.float32).ravel()
    centred = centred - centred.mean()
    norm = float(np.linalg.norm(centred))
    return np.where(bits, 1, -1).astype(np.float32), centred / (norm if norm > 1e-3 else np.inf)


def _same_views(train: _Views, test: _Views) -> Iterator[tuple[str, str, float]]:
    """Yield digest, digest and correlation of every training and test image of one view."""
    for start in range(0, len(train.digests), _CHUNK):
        part = slice(start, start + _CHUNK)
        correlation = train.thumbnails[part] @ test.thumbnails.T  # (chunk, m)
        agreement = train.hashes[part] @ test.hashes.T  # bits equal minus bits different
        bits = (_BITS - agreement) / 2
        for i, j in np.argwhere((correlation >= CORRELATION) & (bits <= HASH_BITS)):
            yield train.digests[start + i], test.digests[j], min(float(correlation[i, j]), 1.0)


def check_leaks(leaks: Sequence[Leak], accepted: Collection[str] = ()) -> None:
    """Refuse leaks.

    Args:
        leaks: What `find_leaks` returned.
        accepted: What may stay. A set such as `LOL`, whose published split repeats views: near
            leaks into its own test images pass, same files never do. A training image such as
            `LOL/21`: all its leaks pass.

    Raises:
        InputError: A leak is left.
    """
    refused = [leak for leak in leaks if not _is_accepted(leak, accepted)]
    if refused:
        told = "; ".join(leak.describe() for leak in refused[:3])
        raise InputError(
            f"{len(refused)} training images are also test images, expected none: {told}: reject "
            f"these training images, or accept them or the published split of their set by name."
        )


def _is_accepted(leak: Leak, accepted: Collection[str]) -> bool:
    if f"{leak.train_dataset}/{leak.train_name}" in accepted:
        return True
    own = leak.train_dataset == leak.test_dataset and leak.kind == "near"
    return own and leak.train_dataset in accepted
