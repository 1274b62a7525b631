"""Detect leaks: training images that show the same file or the same view as a test image."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from benchmark.core.errors import InputError
from benchmark.data import near_duplicates
from benchmark.data.fingerprints import Fingerprint


@dataclass(frozen=True)
class Leak:
    """A training image that is also a test image.

    Attributes:
        train_dataset: Set of the training image.
        train_name: Name of the training image in its set.
        test_dataset: Set of the test image.
        test_name: Name of the test image in its set.
        kind: `exact` for the same file, `near` for the same view.
        correlation: Correlation of the equalised thumbnails, -1 to 1; 1 for the same file.
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


def find_leaks(
    train: pd.DataFrame, test: pd.DataFrame, known: Mapping[str, Fingerprint]
) -> list[Leak]:
    """Find the leaks between two manifests; rejected rows are ignored.

    Args:
        train: Manifest of training images before registration, whose cropping hides equal views.
        test: Manifest of test images.
        known: SHA-256 -> fingerprint of the normal-light images of both; see
            `fingerprints.of_manifest`.

    Returns:
        Leaks in the order of `train`, then of `test`.
    """
    train, test = (frame[frame["status"] == "ok"] for frame in (train, test))
    correlations: dict[tuple[int, int], float] = {}
    exact: set[tuple[int, int]] = set()
    for column in ("dark_sha256", "normal_sha256"):
        a, b = rows_of(train, column), rows_of(test, column)
        exact.update((i, j) for digest in a.keys() & b.keys() for i in a[digest] for j in b[digest])
    a, b = rows_of(train, "normal_sha256"), rows_of(test, "normal_sha256")
    for first, second, correlation in near_duplicates.find_near_duplicates(
        _chosen(known, a), _chosen(known, b)
    ):
        correlations |= {(i, j): correlation for i in a[first] for j in b[second]}
    correlations |= dict.fromkeys(exact, 1.0)
    train_keys, test_keys = _keys(train), _keys(test)
    return [
        Leak(*train_keys[i], *test_keys[j], "exact" if (i, j) in exact else "near", correlation)
        for (i, j), correlation in sorted(correlations.items())
    ]


def _chosen(known: Mapping[str, Fingerprint], digests: Iterable[str]) -> dict[str, Fingerprint]:
    return {digest: known[digest] for digest in digests}


def _keys(frame: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(frame["dataset"], frame["name"], strict=True))


def rows_of(frame: pd.DataFrame, column: str) -> dict[str, list[int]]:
    """Return value -> row numbers of a column; empty cells are left out."""
    rows: dict[str, list[int]] = {}
    for row, value in enumerate(frame[column]):
        if value:
            rows.setdefault(value, []).append(row)
    return rows


def check_leaks(leaks: Sequence[Leak], accepted: Collection[str] = ()) -> None:
    """Refuse leaks that are not accepted.

    Args:
        leaks: Leaks from `find_leaks`.
        accepted: Accepted leaks: a set (`LOL`), whose near duplicates between its own splits are
            allowed, or a single training image (`LOL/21`), all of whose leaks are allowed.
            Identical files are never accepted by set.

    Raises:
        InputError: A leak is not accepted.
    """
    refused = [leak for leak in leaks if not is_accepted(leak, accepted)]
    if refused:
        first = "; ".join(leak.describe() for leak in refused[:3])
        raise InputError(
            f"{len(refused)} training images are also test images, expected none: {first}: reject "
            f"these training images, or accept them or the published split of their set by name."
        )


def without_leaks(
    frames: Mapping[str, pd.DataFrame], leaks: Iterable[Leak]
) -> dict[str, pd.DataFrame]:
    """Return manifests in which the training images of leaks are rejected, with the reason.

    Args:
        frames: Set -> manifest; rows of other images stay as they are.
        leaks: Leaks from `find_leaks`.
    """
    reasons = {(leak.train_dataset, leak.train_name): leak.describe() for leak in leaks}
    return {name: _without(frame, reasons) for name, frame in frames.items()}


def _without(frame: pd.DataFrame, reasons: Mapping[tuple[str, str], str]) -> pd.DataFrame:
    found = [
        reasons.get(key, "") if split == "train" else ""
        for key, split in zip(_keys(frame), frame["split"], strict=True)
    ]
    leaked = pd.Series(found, index=frame.index, dtype=str)
    rejected = leaked != ""
    return frame.assign(
        status=frame["status"].mask(rejected, "rejected"),
        reason=frame["reason"].mask(rejected, leaked),
    )


def is_accepted(leak: Leak, accepted: Collection[str]) -> bool:
    """Return True if a leak is accepted; see `check_leaks`."""
    if f"{leak.train_dataset}/{leak.train_name}" in accepted:
        return True
    own = leak.train_dataset == leak.test_dataset and leak.kind == "near"
    return own and leak.train_dataset in accepted
