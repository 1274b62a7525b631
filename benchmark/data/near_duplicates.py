"""Near duplicates: images of the same view, found by perceptual hash and verified by correlation.

Images are converted to grey and histogram-equalised, which removes differences in exposure. Two
images show the same view if their 256-bit perceptual hashes differ in at most `HASH_BITS` bits and
their 32x32 thumbnails correlate by at least `CORRELATION`.

Both limits lie in a wide gap. Measured on 215 images of LOL and 149 other photographs, all against
all: equal views differ in at most 12 bits and correlate by at least 0.994, different views differ
in at least 56 bits and correlate by at most 0.86. A photograph and its copy as JPEG of quality 30,
at another size, with gamma 2 or gain 0.4 stay within 20 bits and 0.99. Copies that are cropped by
more than about one per cent or mirrored are not found. Only normal-light images should be compared:
dark ones contain more noise than signal.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmark.data.fingerprints import BITS, Fingerprint
from benchmark.data.rank_thumbnails import SIDE

HASH_BITS = 32
CORRELATION = 0.97
_BLOCK = 2048  # images compared with as many others at once: 16 MB of numbers


class NearDuplicate(NamedTuple):
    """Two images of the same view, by SHA-256, and the correlation of their thumbnails, up to 1."""

    first: str
    second: str
    correlation: float


class _FingerprintArrays(NamedTuple):
    """Fingerprints of n different files as arrays, 1056 bytes per image."""

    digests: list[str]
    hashes: NDArray[np.uint8]  # (n, 32), packed bits
    thumbnails: NDArray[np.uint8]  # (n, 1024)

    def signs(self, part: slice) -> NDArray[np.float32]:
        """Return the hash bits as -1 or 1, (m, 256)."""
        return np.unpackbits(self.hashes[part], axis=1).astype(np.float32) * 2.0 - 1.0


def find_near_duplicates(
    known: Mapping[str, Fingerprint], others: Mapping[str, Fingerprint] | None = None
) -> Iterator[NearDuplicate]:
    """Yield all pairs of images that show the same view, in the given order.

    Args:
        known: SHA-256 -> fingerprint of normal-light images.
        others: Images to compare them with; None compares the images with each other, each pair
            once.
    """
    first = _arrays(known)
    second = first if others is None else _arrays(others)
    for a in range(0, len(first.digests), _BLOCK):
        for b in range(a if others is None else 0, len(second.digests), _BLOCK):
            rows, columns = slice(a, a + _BLOCK), slice(b, b + _BLOCK)
            agreement = first.signs(rows) @ second.signs(columns).T  # equal bits minus others
            near = np.argwhere((BITS - agreement) / 2 <= HASH_BITS)
            for i, j in near + np.array([a, b]):
                if others is None and i >= j:
                    continue
                correlation = _correlation(first.thumbnails[i], second.thumbnails[j])
                if correlation >= CORRELATION and first.digests[i] != second.digests[j]:
                    yield NearDuplicate(first.digests[i], second.digests[j], correlation)


def _arrays(known: Mapping[str, Fingerprint]) -> _FingerprintArrays:
    hashes = np.zeros((len(known), BITS // 8), np.uint8)
    thumbnails = np.zeros((len(known), SIDE**2), np.uint8)
    for row, fingerprint in enumerate(known.values()):
        hashes[row] = np.frombuffer(bytes.fromhex(fingerprint.bits), np.uint8)
        thumbnails[row] = fingerprint.thumbnail("equalised").ravel()
    return _FingerprintArrays(list(known), hashes, thumbnails)


def _correlation(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Return the correlation of two thumbnails; 0 if one of them is constant."""
    a, b = (plane.astype(np.float64) - plane.mean() for plane in (first, second))
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return min(float(a @ b) / scale, 1.0) if scale > 1.0 else 0.0


def groups(links: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the connected components of a graph of names, each sorted, in stable order."""
    linked = list(links)
    names = sorted({name for link in linked for name in link})
    number = {name: row for row, name in enumerate(names)}
    ends = np.array([[number[name] for name in link] for link in linked], np.intp).reshape(-1, 2)
    table = coo_array((np.ones(len(ends)), ends.T), shape=(len(names), len(names)))
    labels = connected_components(table, directed=False)[1] if names else []
    components: dict[int, list[str]] = {}
    for name, label in zip(names, labels, strict=True):
        components.setdefault(int(label), []).append(name)
    return sorted(components.values())
