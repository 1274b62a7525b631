"""Mispairs: pairs whose two images show different scenes, found by rank thumbnails.

The limits are far from both correct and wrong pairs. On the 215 available pairs of LOL, correct
pairs correlate by at least 0.894 (median 0.987), and no dark image fits the reference of another
scene better than its own; over all 46 thousand wrong pairs, 95 % of the dark images reach at most
0.33, and the closest pair 0.69 (two views of one room). On the built-in miniatures, correct pairs
before registration reach 0.73, mispaired ones at most 0.03.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.data.fingerprints import Fingerprint
from benchmark.data.rank_thumbnails import slopes

FITS = 0.4
"""Correlation below which a normal-light image does not fit its dark image."""
MARGIN = 0.1
"""Difference of correlation by which another normal-light image must fit better to be reported."""
_BLOCK = 1024  # dark images compared with as many references at once: 8 MB of numbers a side


class Mispair(NamedTuple):
    """A pair of two different scenes.

    Attributes:
        row: Row number in the manifest.
        correlation: Correlation of its two images.
        better: Row of the pair whose normal-light image fits the dark image, or None.
        best: The correlation with that image.
    """

    row: int
    correlation: float
    better: int | None
    best: float


def find(listed: pd.DataFrame, known: Mapping[str, Fingerprint]) -> list[Mispair]:
    """Look for mispaired images in a manifest.

    Args:
        listed: Manifest of one set; rows without a dark or a normal-light image are ignored.
        known: SHA-256 -> fingerprint of all its images.

    Returns:
        Pairs that do not fit, or whose dark image fits another reference of the set better, in
        the order of the manifest.
    """
    digests = listed[["dark_sha256", "normal_sha256"]].to_numpy()
    rows = np.flatnonzero((digests != "").all(axis=1))
    references = list(dict.fromkeys(digests[rows, 1]))
    column = {digest: index for index, digest in enumerate(references)}
    first_row = {
        digest: row for row, digest in zip(rows[::-1], digests[rows[::-1], 1], strict=True)
    }
    mispaired = []
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        own = np.array([column[digest] for digest in digests[block, 1]])
        fit = _fits(digests[block, 0], own, references, known)
        for row, right, best_other, best in zip(
            block, fit.own, fit.best_other, fit.best, strict=True
        ):
            better = best > right + MARGIN
            if right < FITS or better:
                named = better and best >= FITS
                where = first_row[references[best_other]] if named else None
                mispaired.append(Mispair(int(row), float(right), where, float(best)))
    return mispaired


class _Fits(NamedTuple):
    """Correlations of dark images with their own references (n,), and with the best others (n,)."""

    own: NDArray[np.float32]
    best_other: NDArray[np.intp]
    best: NDArray[np.float32]


def _fits(
    dark: Sequence[str],
    own: NDArray[np.intp],
    references: Sequence[str],
    known: Mapping[str, Fingerprint],
) -> _Fits:
    ours = _structures(dark, known)
    right = np.zeros(len(dark), np.float32)
    best_other, best = np.zeros(len(dark), np.intp), np.full(len(dark), -1.0, np.float32)
    for start in range(0, len(references), _BLOCK):
        theirs = _structures(references[start : start + _BLOCK], known)
        table = ours @ theirs.T
        inside = np.flatnonzero((own >= start) & (own < start + len(theirs)))
        right[inside] = table[inside, own[inside] - start]
        table[inside, own[inside] - start] = -1.0
        nearest = table.argmax(axis=1)
        reached = table[np.arange(len(dark)), nearest]
        better = reached > best
        best_other[better], best[better] = nearest[better] + start, reached[better]
    return _Fits(right, best_other, best)


def _structures(digests: Sequence[str], known: Mapping[str, Fingerprint]) -> NDArray[np.float32]:
    """Return the gradients of the rank thumbnails, (n, 2048), of norm 1, or 0 if constant."""
    return slopes(np.stack([known[digest].thumbnail("ranks") for digest in digests]))
