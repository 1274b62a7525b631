"""The inventory: decode every file of the raw sets and list them in manifests."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmark.core import console
from benchmark.core.errors import ProblemsError
from benchmark.data import fingerprints, registry
from benchmark.data.fingerprints import FileRecord
from benchmark.data.folders import LayoutError
from benchmark.data.manifest import COLUMNS, ManifestRow, Pair, ordered

_REMEDY = "replace or mend these files, see data/README.md"


class Inventory(NamedTuple):
    """The raw sets on this machine.

    Attributes:
        manifests: Set -> manifest, empty if the set is absent.
        absent: Absent set -> reason, as a sentence.
        problems: Problems with files and folders, one phrase each; their pairs are left out.
    """

    manifests: dict[str, pd.DataFrame]
    absent: dict[str, str]
    problems: tuple[str, ...] = ()


def take(names: Sequence[str], roots: Sequence[Path], cache: Path | None, jobs: int) -> Inventory:
    """List the pairs of raw sets, decoding every file that is not known to decode.

    Args:
        names: Names of the raw sets.
        roots: Folders that contain them; see `registry.raw_roots`.
        cache: Cache folder; None caches nothing.
        jobs: Number of processes.

    Raises:
        ProblemsError: There are problems; the message covers those of all sets.
    """
    inventory = collect(names, roots, cache, jobs)
    if inventory.problems:
        raise ProblemsError("the raw data", inventory.problems, _REMEDY)
    return inventory


def collect(
    names: Sequence[str], roots: Sequence[Path], cache: Path | None, jobs: int
) -> Inventory:
    """List the pairs of raw sets without problems, and the problems of the others.

    Args:
        names: Names of the raw sets.
        roots: Folders that contain them.
        cache: Cache folder; None caches nothing.
        jobs: Number of processes.
    """
    listed: dict[str, list[Pair]] = {}
    absent: dict[str, str] = {}
    problems: list[str] = []
    for name in names:
        if registry.find(name, roots) is None:
            hint = registry.hint(name, roots) or "see data/README.md"
            absent[name] = f"{name} is in none of the raw data folders: {hint}"
            continue
        try:
            listed[name] = registry.read(name, roots)
        except LayoutError as error:
            problems += error.problems
            listed[name] = error.pairs
    records = fingerprints.examine(
        (f for pairs in listed.values() for f in _files(pairs)), cache, jobs
    )
    manifests = {name: pd.DataFrame(columns=list(COLUMNS)) for name in absent}
    for name, pairs in listed.items():
        folder, raw = registry.located(name, roots), registry.SETS[name]
        source = f"{raw.protocol}, {folder.name}"
        uneven = [name] if raw.needs_registration else []
        frame, wrong = _listed(pairs, folder, records, uneven, source)
        manifests[name] = frame
        problems += wrong
    in_order = {name: ordered(manifests[name]) for name in names}
    return Inventory(in_order, absent, tuple(map(console.shown, problems)))


def manifest(
    pairs: Iterable[Pair],
    root: Path,
    cache: Path | None = None,
    to_register: Collection[str] = (),
    jobs: int = 1,
) -> pd.DataFrame:
    """List pairs with sizes and digests, in natural order of (dataset, split, name).

    Args:
        pairs: The pairs, each with at least one image.
        root: Folder to which the paths in the table are relative, so that `root / cell` is the
            file. A file outside it begins with `..`.
        cache: Cache folder; None decodes every file.
        to_register: Names of sets in which the two images of a pair may still differ in size.
        jobs: Number of processes.

    Returns:
        One row per pair with `manifest.COLUMNS` and status "ok".

    Raises:
        ProblemsError: Files are missing or not images, sizes differ, or a name occurs twice.
    """
    chosen = list(pairs)
    records = fingerprints.examine(_files(chosen), cache, jobs)
    frame, wrong = _listed(chosen, root, records, to_register, "")
    if wrong:
        raise ProblemsError("the list of pairs", wrong, _REMEDY)
    return ordered(frame)


def _files(pairs: Iterable[Pair]) -> list[Path]:
    return [path for pair in pairs for path in (pair.dark, pair.normal) if path is not None]


def _listed(
    pairs: Sequence[Pair],
    root: Path,
    records: Mapping[Path, FileRecord],
    to_register: Collection[str],
    source: str,
) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of a manifest, and the problems of the pairs that are left out."""
    rows, problems = [], [records[path].problem for path in dict.fromkeys(_files(pairs))]
    taken: set[tuple[str, str, str]] = set()
    for pair in pairs:
        key = (pair.dataset, pair.split, pair.name)
        if key in taken:
            problems.append(f"{'/'.join(key)} is the name of more than one pair")
            continue
        taken.add(key)
        cells = [_relative(path, root) for path in (pair.dark, pair.normal, pair.labels)]
        if any(console.shown(cell) != cell for cell in cells):
            problems.append(f"{root}/{pair.name} has a name that no list can hold, rename it")
            continue
        sides = {path: records[path] for path in (pair.dark, pair.normal) if path is not None}
        if any(record.problem for record in sides.values()):
            continue
        sizes = {
            path: (p.width, p.height) for path, record in sides.items() if (p := record.fingerprint)
        }
        if len(set(sizes.values())) > 1 and pair.dataset not in to_register:
            text = " and ".join(f"{path} is {w}x{h}" for path, (w, h) in sizes.items())
            problems.append(f"{text}, expected two images of one size")
        width, height = next(iter(sizes.values()))
        dark, normal = (sides.get(path) if path else None for path in (pair.dark, pair.normal))
        rows.append(
            ManifestRow(
                dataset=pair.dataset,
                split=pair.split,
                name=pair.name,
                source=source,
                dark=cells[0],
                normal=cells[1],
                labels=cells[2],
                width=width,
                height=height,
                dark_bytes=dark.bytes if dark else 0,
                normal_bytes=normal.bytes if normal else 0,
                dark_sha256=dark.sha256 if dark else "",
                normal_sha256=normal.sha256 if normal else "",
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)), [text for text in problems if text]


def _relative(path: Path | None, root: Path) -> str:
    return "" if path is None else Path(os.path.relpath(path, root)).as_posix()
