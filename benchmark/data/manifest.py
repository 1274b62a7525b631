"""Pairs of dark and normal-light images, and manifests: tables that list them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmark.core import files
from benchmark.core.errors import InputError
from benchmark.core.hashing import sha256


class ManifestRow(NamedTuple):
    """One pair as a manifest lists it; the fields are its columns.

    Attributes:
        dataset: Key of the raw set.
        split: `train`, `val` or `test`.
        name: Unique within (dataset, split); no suffix.
        source: Protocol and folder that the pair was read from.
        dark: POSIX path relative to a folder, "" for none; so are `normal` and `labels`.
        normal: Normal-light image.
        labels: File of face boxes.
        width: Pixels.
        height: Pixels.
        dark_bytes: Size of the file, 0 for none.
        normal_bytes: Likewise.
        dark_sha256: SHA-256 of the file, "" for none.
        normal_sha256: Likewise.
        prepared: How the images were changed, "" for not at all.
        model: Of registration, "" without one, as the three that follow.
        inliers: Of that model.
        rmse_px: Root mean square error of the inliers.
        displacement_px: Largest displacement.
        status: `ok`, or `rejected` for the given reason.
        reason: Why a pair is rejected.
    """

    dataset: str
    split: str
    name: str
    source: str
    dark: str
    normal: str
    labels: str
    width: int
    height: int
    dark_bytes: int
    normal_bytes: int
    dark_sha256: str
    normal_sha256: str
    prepared: str = ""
    model: str = ""
    inliers: str = ""
    rmse_px: str = ""
    displacement_px: str = ""
    status: str = "ok"
    reason: str = ""


COLUMNS = ManifestRow._fields
"""Columns of a manifest, which has one row per pair."""
INTEGERS = ("width", "height", "dark_bytes", "normal_bytes")
STATUSES = ("ok", "rejected")
_KEY = ["dataset", "split", "name"]


@dataclass(frozen=True)
class Pair:
    """A dark image with its normal-light image and labels.

    Attributes:
        dataset: Key of the raw set, such as `LOL`.
        split: `train`, `val` or `test`.
        name: Unique within (dataset, split), such as `2`, `Huawei/2043` or `5/2`; no suffix.
        dark: File of the dark image, or None in a set of normal-light images.
        normal: File of the normal-light image, or None if there is no reference.
        labels: File of the face boxes, or None.
    """

    dataset: str
    split: str
    name: str
    dark: Path | None
    normal: Path | None
    labels: Path | None = None


def natural_key(text: str) -> tuple[tuple[str | int, ...], str]:
    """Return a sorting key that puts `2` before `10` and never ties for different texts."""
    parts = re.split(r"(\d+)", text)
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts)), text


def checked(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return `frame` with its columns in order.

    Raises:
        InputError: It is not a manifest: wrong columns, unknown statuses, or repeated names.
    """
    missing = [column for column in COLUMNS if column not in frame.columns]
    unknown = [str(column) for column in frame.columns if column not in COLUMNS]
    if missing or unknown:
        raise InputError(
            f"{where} lacks the columns {missing} and has the unknown columns {unknown}, "
            f"expected {list(COLUMNS)}: make it again."
        )
    odd = sorted(set(frame["status"]) - set(STATUSES))
    if odd:
        raise InputError(f"{where} has status {odd[0]!r}, expected one of {STATUSES}: correct it.")
    twice = frame[frame.duplicated(_KEY)]
    if len(twice):
        key = "/".join(str(twice.iloc[0][column]) for column in _KEY)
        raise InputError(
            f"{where} names {key} more than once, expected each once: rename or remove one."
        )
    return frame[list(COLUMNS)]


def ordered(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a manifest in natural order of (dataset, split, name)."""
    keys = [(d, s, natural_key(n)) for d, s, n in frame[_KEY].itertuples(index=False)]
    return frame.iloc[sorted(range(len(keys)), key=keys.__getitem__)].reset_index(drop=True)


def write_manifest(frame: pd.DataFrame, path: Path) -> None:
    """Write a manifest as CSV in stable order; the file appears whole or not at all.

    Raises:
        InputError: `frame` is not a manifest (columns, status, repeated names).
    """
    stable = ordered(checked(frame, f"The manifest for {path}"))
    files.write_text(path, stable.to_csv(index=False, lineterminator="\n"))


def read_manifest(path: Path) -> pd.DataFrame:
    """Read a manifest that `write_manifest` wrote, with text columns as str, `INTEGERS` as int.

    Raises:
        InputError: The file is missing, is not CSV, or is not a manifest.
    """
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): run the stage that writes it."
        ) from error
    except ValueError as error:  # pandas' parser errors and wrong encodings
        raise InputError(f"{path} is not a CSV file ({error}): make it again.") from error
    frame = checked(frame, str(path))
    try:
        return frame.astype(dict.fromkeys(INTEGERS, int))
    except ValueError as error:
        raise InputError(
            f"{path} has a size that is no whole number ({error}): make it again."
        ) from error


def manifests(work: Path) -> dict[str, str]:
    """Return name -> SHA-256 of every list of images that a profile's numbers depend on.

    The lists contain the SHA-256 of each image, so these digests identify the data.

    Args:
        work: `data/work/<profile>`.
    """
    folders = ("inventory", "merge/train", "merge/test")
    paths = [path for folder in folders for path in sorted((work / folder).glob("*.csv"))]
    return {path.relative_to(work).with_suffix("").as_posix(): sha256(path) for path in paths}
