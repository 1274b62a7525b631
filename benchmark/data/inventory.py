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
from benchmark.data.manifest import COLUMNS, Pair, ordered

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
    found = look(names, roots, cache, jobs)
    if found.problems:
        raise ProblemsError("the raw data", found.problems, _REMEDY)
    return found


def look(names: Sequence[str], roots: Sequence[Path], cache: Path | None, jobs: int) -> Inventory:
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
            told = registry.hint(name, roots) or "see data/README.md"
            absent[name] = f"{name} is in none of the raw data folders: {told}"
            continue
        try:
            listed[name] = registry.read(name, roots)
        except LayoutError as error:
            problems += error.problems
            listed[name] = error.pairs
    seen = fingerprints.examine(
        (f for found in listed.values() for f in _files(found)), cache, jobs
    )
    manifests = {name: pd.DataFrame(columns=list(COLUMNS)) for name in absent}
    for name, found in listed.items():
        folder, raw = registry.located(name, roots), registry.SETS[name]
        source = f"{raw.protocol}, {folder.name}"
        uneven = [name] if raw.needs_registration else []
        frame, wrong = _listed(found, folder, seen, uneven, source)
        manifests[name] = frame
        problems += wrong
    in_order = {name: ordered(manifests[name]) for name in names}
    return Inventory(in_order, absent, tuple(map(console.shown, problems)))


def manifest(
    found: Iterable[Pair],
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
    chosen = list(found)
    seen = fingerprints.examine(_files(chosen), cache, jobs)
    frame, wrong = _listed(chosen, root, seen, to_register, "")
    if wrong:
        raise ProblemsError("the list of pairs", wrong, _REMEDY)
    return ordered(frame)


def _files(found: Iterable[Pair]) -> list[Path]:
    return [path for pair in found for path in (pair.dark, pair.normal) if path is not None]


def _listed(
    found: Sequence[Pair],
    root: Path,
    seen: Mapping[Path, FileRecord],
    to_register: Collection[str],
    source: str,
) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of a manifest, and the problems of the pairs that are left out."""
    rows, problems = [], [seen[path].problem for path in dict.fromkeys(_files(found))]
    taken: set[tuple[str, str, str]] = set()
    for pair in found:
        key = (pair.dataset, pair.split, pair.name)
        if key in taken:
            problems.append(f"{'/'.join(key)} is the name of more than one pair")
            continue
        taken.add(key)
        cells = [_relative(path, root) for path in (pair.dark, pair.normal, pair.labels)]
        if any(console.shown(cell) != cell for cell in cells):
            problems.append(f"{root}/{pair.name} has a name that no list can hold, rename it")
            continue
        looks = {path: seen[path] for path in (pair.dark, pair.normal) if path is not None}
        if any(look.problem for look in looks.values()):
            continue
        sizes = {path: (p.width, p.height) for path, look in looks.items() if (p := look.found)}
        if len(set(sizes.values())) > 1 and pair.dataset not in to_register:
            told = " and ".join(f"{path} is {w}x{h}" for path, (w, h) in sizes.items())
            problems.append(f"{told}, expected two images of one size")
        width, height = next(iter(sizes.values()))
        dark, normal = (looks.get(path) if path else None for path in (pair.dark, pair.normal))
        rows.append(
            (
                *(*key, source),
                *cells,
                *(width, height),
                *(look.bytes if look else 0 for look in (dark, normal)),
                *(look.sha256 if look else "" for look in (dark, normal)),
                *("", "", "", "", "", "ok", ""),
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)), [told for told in problems if told]


def _relative(path: Path | None, root: Path) -> str:
    return "" if path is None else Path(os.path.relpath(path, root)).as_posix()
