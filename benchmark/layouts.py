"""Folder layouts of the raw sets as published, one reader each.

Readers list files and open none. Folder names are understood in any case, numbers sort as
numbers, hidden files are passed over, an extra top folder from unpacking is stepped into, and
partial sets are read as far as they go. `data/README.md` says how sure each layout is.

Every reader takes the set's folder and raises InputError where the folder holds none of the
layout, where an image lacks its counterpart, or where two files differ in suffix alone.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from benchmark.errors import InputError
from benchmark.images import SUFFIXES
from benchmark.pairs import Pair, natural_key

_Item = TypeVar("_Item")


class _Layout(NamedTuple):
    """A folder of dark images and where their normal-light partners may be."""

    split: str
    prefix: str
    dark: str
    normals: tuple[str, ...]


_PAIRED = {
    "LOL": (
        _Layout("train", "", "our485/low", ("our485/high",)),
        _Layout("test", "", "eval15/low", ("eval15/high",)),
    ),
    "LSRW": tuple(
        _Layout(split, f"{camera}/", f"{part}/{camera}/low", (f"{part}/{camera}/high",))
        for split, part in (("train", "Training data"), ("test", "Eval"))
        for camera in ("Huawei", "Nikon")
    ),
    "RELLISUR": tuple(
        _Layout(split, "", f"{part}/LLLR", (f"{part}/NLHR/X1", f"{part}/NLHR-Duplicates/X1"))
        for split, part in (("train", "Train"), ("val", "Val"), ("test", "Test"))
    ),
    "A7m3": (_Layout("train", "", "low", ("normal",)),),
}


def read_paired(dataset: str, root: Path) -> list[Pair]:
    """Read a set that keeps dark and normal-light images in two folders, matched by name.

    Args:
        dataset: LOL, LSRW, RELLISUR or A7m3. RELLISUR's five exposures share a reference: dark
            `00018-4.5` belongs to `00018` (folder NLHR) or `00018-4.5` (NLHR-Duplicates).
        root: The set's folder.
    """
    layout = _PAIRED[dataset]
    top = _top(root, tuple(folders.dark.partition("/")[0] for folders in layout))
    pairs, orphans = [], []
    for folders in layout:
        normal = _images(next(filter(None, (_at(top, path) for path in folders.normals)), None))
        for stem, dark in _images(_at(top, folders.dark)).items():
            scene = stem.rpartition("-")[0] if dataset == "RELLISUR" else stem
            partner = normal.get(stem) or normal.get(scene)
            if partner is None:
                orphans.append(dark)
            else:
                pairs.append(Pair(dataset, folders.split, folders.prefix + stem, dark, partner))
    _refuse(orphans, dataset, "no normal-light image of the same name")
    return _some(pairs, root, dataset, [folders.dark for folders in layout])


_SICE_TEST_RANGES = ((4, 23), (28, 28), (31, 31), (33, 34), (37, 39), (46, 52), (55, 69), (75, 79))
SICE_TEST = frozenset(
    number for first, last in (*_SICE_TEST_RANGES, (100, 103)) for number in range(first, last + 1)
)
"""The 58 sequences of Part1 that the authors' `testing_index.txt` names.

The list is taken from a third party's reader of the set. The count is confirmed by the authors'
issue tracker (csjcai/SICE, issue 11), and by Table I of arXiv:2403.07622, whose 531 images are as
many as the 589 sequences without these.
"""


def read_sice(root: Path) -> list[Pair]:
    """Read SICE: one exposure of each Part1 sequence to train, Part2's dark exposures to test.

    Test: the protocol of Zero-DCE (Guo et al., CVPR 2020), the first 3 of 7 or 4 of 9 exposures,
    767 pairs. That protocol also resizes to 1200x900; a reader leaves files as they are.
    Train: the exposure next below the middle (-1 EV). Not in the paper: Table I's 531 images are
    one a sequence of all but 58, which would train on Part2; see `read_sice58`.
    """
    pairs = []
    for part, sequence, dark, normal in _sice_sequences(root, "SICE"):
        name = f"{sequence}/"
        if part == "Part1":
            pairs.append(Pair("SICE", "train", name + dark[-1].stem, dark[-1], normal))
        else:
            pairs += [Pair("SICE", "test", name + path.stem, path, normal) for path in dark]
    return pairs


def read_sice58(root: Path) -> list[Pair]:
    """Read SICE as its authors split it: 58 sequences of Part1 to test, 531 to train, -1 EV each.

    531 is the number in Table I of arXiv:2403.07622, so this is the likely split of the paper.
    """
    pairs = []
    for part, sequence, dark, normal in _sice_sequences(root, "SICE58"):
        held_out = part == "Part1" and sequence.isdecimal() and int(sequence) in SICE_TEST
        split = "test" if held_out else "train"
        name = f"{part}/{sequence}/{dark[-1].stem}"
        pairs.append(Pair("SICE58", split, name, dark[-1], normal))
    return pairs


def _sice_sequences(root: Path, dataset: str) -> list[tuple[str, str, list[Path], Path]]:
    """List part, sequence, its dark exposures (the first n // 2 of n, darkest first), its label."""
    found, orphans = [], []
    top = _top(root, ("Part1", "Dataset_Part1", "Part2", "Dataset_Part2"))
    for part in ("Part1", "Part2"):
        folder = child(top, part) or child(top, f"Dataset_{part}")
        if folder is None:
            continue
        folder = _top(folder, ("Label",))
        labels = _images(child(folder, "Label"))
        for sequence in _subfolders(folder):
            if sequence.name.lower() == "label":
                continue
            exposures = list(_images(sequence).values())
            label = labels.get(sequence.name)
            if label is None or len(exposures) < 2:
                orphans.append(sequence)
            else:
                dark = exposures[: len(exposures) // 2]
                found.append((part, sequence.name, dark, label))
    _refuse(orphans, dataset, "no image of its name in Label, or fewer than two exposures")
    return _some(found, root, dataset, ["Part1/1", "Part1/Label", "Part2/1", "Part2/Label"])


def read_labelme(root: Path) -> list[Pair]:
    """Read every image of a folder tree as a normal-light training image."""
    pairs: dict[str, Pair] = {}
    for path in _tree(root):
        name = path.relative_to(root).with_suffix("").as_posix()
        if name in pairs:
            raise InputError(
                f"{pairs[name].normal} and {path} differ in suffix alone: rename one of them."
            )
        pairs[name] = Pair("LabelMe", "train", name, None, path)
    return _some(list(pairs.values()), root, "LabelMe", ["an image anywhere below"])


def read_dark_face(root: Path) -> list[Pair]:
    """Read the labelled images of DARK FACE, all of them for testing."""
    top = _top(root, ("image", "images"))
    labels = child(top, "label")
    pairs, orphans = [], []
    for stem, path in _images(child(top, "image") or child(top, "images")).items():
        text = None if labels is None else labels / f"{stem}.txt"
        if text is None or not text.is_file():
            orphans.append(path)
        else:
            pairs.append(Pair("DARKFACE", "test", stem, path, None, text))
    _refuse(orphans, "DARKFACE", "no label/<name>.txt")
    return _some(pairs, root, "DARKFACE", ["image/1.png", "label/1.txt"])


def child(folder: Path, name: str) -> Path | None:
    """Return the subfolder of that name, in any case."""
    exact = folder / name
    if exact.is_dir():
        return exact
    return next((sub for sub in _subfolders(folder) if sub.name.lower() == name.lower()), None)


def _at(folder: Path | None, path: str) -> Path | None:
    for name in path.split("/"):
        folder = None if folder is None else child(folder, name)
    return folder


def _subfolders(folder: Path) -> list[Path]:
    """List subfolders in natural order, without hidden ones."""
    found = (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    return sorted(found, key=lambda path: natural_key(path.name))


def _top(folder: Path, markers: Sequence[str]) -> Path:
    """Return `folder`, or its subfolder where an archive's extra top folder holds the layout."""
    for candidate in (folder, *_subfolders(folder)):
        if any(child(candidate, marker) is not None for marker in markers):
            return candidate
    return folder


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _images(folder: Path | None) -> dict[str, Path]:
    """Return the image files of a folder by stem, in natural order; none of None."""
    found: dict[str, Path] = {}
    paths = [] if folder is None else [path for path in folder.iterdir() if _is_image(path.name)]
    for path in sorted(paths, key=lambda path: natural_key(path.name)):
        if path.stem in found:
            raise InputError(
                f"{found[path.stem]} and {path} differ in suffix alone: remove one of them."
            )
        if not path.is_dir():
            found[path.stem] = path
    return found


def _tree(root: Path) -> Iterator[Path]:
    """Walk a folder tree in natural order, through links, each real folder once."""
    seen = set()
    for folder, below, files in os.walk(root, followlinks=True):
        if (real := os.path.realpath(folder)) in seen:
            below.clear()
            continue
        seen.add(real)
        below[:] = sorted((b for b in below if not b.startswith(".")), key=natural_key)
        yield from (Path(folder, f) for f in sorted(files, key=natural_key) if _is_image(f))


def _refuse(orphans: Sequence[Path], dataset: str, why: str) -> None:
    """Raise one error for everything that lacks its counterpart."""
    if orphans:
        first = ", ".join(str(path) for path in orphans[:3])
        raise InputError(
            f"{len(orphans)} entries of {dataset} have {why}, starting with {first}: "
            f"unpack the set again or remove them, see data/README.md."
        )


def _some(items: list[_Item], root: Path, dataset: str, layout: Sequence[str]) -> list[_Item]:
    """Return what was read, unless nothing was."""
    if not items:
        raise InputError(
            f"{root} holds none of {dataset}, expected {', '.join(layout)}: see data/README.md."
        )
    return items
