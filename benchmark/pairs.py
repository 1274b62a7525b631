"""Pairs of dark and normal-light images, and the manifests that list them."""

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import PIL.Image

from benchmark.digests import Digests
from benchmark.errors import InputError

COLUMNS = (
    "dataset",
    "split",
    "name",
    "dark",
    "normal",
    "labels",
    "width",
    "height",
    "dark_sha256",
    "normal_sha256",
    "status",
    "reason",
)
STATUSES = ("ok", "rejected")
_KEY = ["dataset", "split", "name"]


@dataclass(frozen=True)
class Pair:
    """One dark image and what belongs to it.

    Attributes:
        dataset: Key of the raw set, such as `LOL`.
        split: `train`, `val` or `test`.
        name: Unique within (dataset, split), such as `2`, `Huawei/2043` or `5/2`; no suffix.
        dark: The dark image, or None in a set of normal-light images.
        normal: The normal-light image, or None where there is no reference.
        labels: The face boxes, or None.
    """

    dataset: str
    split: str
    name: str
    dark: Path | None
    normal: Path | None
    labels: Path | None = None


def natural_key(text: str) -> tuple[tuple[str | int, ...], str]:
    """Return a sorting key that puts `2` before `10` and any two different texts in one order."""
    parts = re.split(r"(\d+)", text)
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts)), text


def check_sizes(pair: Pair, to_register: bool = False) -> tuple[int, int]:
    """Return width and height of a pair, read from the file headers alone.

    Args:
        pair: The pair; the size is that of the dark image, or of the normal-light image alone.
        to_register: Allow two sizes, because registration is still to crop both images.

    Raises:
        InputError: The two images differ in size, or one is no image.
    """
    sizes = {path: _size(path) for path in (pair.dark, pair.normal) if path is not None}
    if len(set(sizes.values())) > 1 and not to_register:
        told = " and ".join(f"{path} is {w}x{h}" for path, (w, h) in sizes.items())
        raise InputError(
            f"{told}, expected two images of one size in {pair.dataset}: replace the wrong one."
        )
    return next(iter(sizes.values()))


def _size(path: Path) -> tuple[int, int]:
    try:
        with PIL.Image.open(path) as file:
            return file.size
    except (OSError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as an image ({error}): replace it.") from error


def manifest(
    pairs: Iterable[Pair],
    root: Path,
    cache: Path | None = None,
    to_register: Collection[str] = (),
) -> pd.DataFrame:
    """List pairs with sizes and digests, in natural order of (dataset, split, name).

    Args:
        pairs: The pairs, each with at least one image.
        root: Folder that the paths in the table start from, so that `root / cell` is the file. A
            file outside it is written with leading `..`.
        cache: Folder for remembered digests; None hashes every file.
        to_register: Names of sets whose two images may still differ in size.

    Returns:
        One row a pair with `COLUMNS`: POSIX paths ("" where there is no file), width and height in
        pixels, SHA-256 ("" where there is no file), status "ok" and reason "".

    Raises:
        InputError: A file is missing or no image, sizes differ, or a name comes twice.
    """
    digests = Digests(cache)
    rows = []
    for pair in pairs:
        width, height = check_sizes(pair, pair.dataset in to_register)
        rows.append(
            (
                *(pair.dataset, pair.split, pair.name),
                *(_relative(path, root) for path in (pair.dark, pair.normal, pair.labels)),
                *(width, height),
                *(
                    "" if path is None else digests.sha256(path)
                    for path in (pair.dark, pair.normal)
                ),
                *("ok", ""),
            )
        )
    digests.save()
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return _ordered(_checked(frame, "The manifest"))


def _relative(path: Path | None, root: Path) -> str:
    return "" if path is None else Path(os.path.relpath(path, root)).as_posix()


def _checked(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return `frame` with its columns in order if it is a manifest."""
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


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    keys = [(d, s, natural_key(n)) for d, s, n in frame[_KEY].itertuples(index=False)]
    return frame.iloc[sorted(range(len(keys)), key=keys.__getitem__)].reset_index(drop=True)


def write_manifest(frame: pd.DataFrame, path: Path) -> None:
    """Write a manifest as CSV in stable order; the file appears whole or not at all.

    Raises:
        InputError: `frame` is not a manifest (columns, status, names that come twice).
    """
    ordered = _ordered(_checked(frame, f"The manifest for {path}"))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    ordered.to_csv(partial, index=False, lineterminator="\n")
    partial.replace(path)


def read_manifest(path: Path) -> pd.DataFrame:
    """Read what `write_manifest` wrote: text columns as str, width and height as int.

    Raises:
        InputError: The file is missing, is no CSV, or is not a manifest.
    """
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): run the stage that writes it."
        ) from error
    except ValueError as error:  # pandas' parser errors and wrong encodings
        raise InputError(f"{path} is not a CSV file ({error}): make it again.") from error
    frame = _checked(frame, str(path))
    try:
        return frame.astype({"width": int, "height": int})
    except ValueError as error:
        raise InputError(
            f"{path} has a width or height that is no whole number ({error}): make it again."
        ) from error
