"""Readers of the raw sets' published folder layouts, one per layout.

Readers list files without opening them. They ignore the case of folder names, sort numbers as
numbers, skip hidden files, enter extra top folders from unpacking, and read incomplete sets as far
as they go. `data/README.md` says how certain each layout is.

Every reader takes the set's folder and reports all problems at once in a `folders.LayoutError`:
images without a counterpart, files that differ only in suffix, folders that cannot be opened or
link back to themselves, and a folder without the layout.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmark.data.folders import FolderReader
from benchmark.data.manifest import Pair


class _Layout(NamedTuple):
    """A folder of dark images and the possible folders of their normal-light images."""

    split: str
    prefix: str
    dark: str
    normals: tuple[str, ...]


_PAIRED = {
    "LOL": (
        _Layout("train", "", "our485/low", ("our485/high",)),
        _Layout("test", "", "eval15/low", ("eval15/high",)),
        _Layout("train", "", "Train/input", ("Train/target",)),  # as Retinexformer has them
        _Layout("test", "", "Test/input", ("Test/target",)),
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
        dataset: LOL, LSRW, RELLISUR or A7m3. RELLISUR's five exposures share a reference: the dark
            image `00018-4.5` belongs to `00018` (folder NLHR) or `00018-4.5` (NLHR-Duplicates).
        root: The set's folder.
    """
    layout, reading = _PAIRED[dataset], FolderReader(dataset)
    top = reading.top(root, tuple(folders.dark.partition("/")[0] for folders in layout))
    pairs: list[Pair] = []
    for folders in layout:
        normal_folder = next(
            filter(None, (reading.at(top, path) for path in folders.normals)), None
        )
        normal = reading.images(normal_folder)
        orphans = []
        for stem, dark in reading.images(reading.at(top, folders.dark)).items():
            scene = stem.rpartition("-")[0] if dataset == "RELLISUR" else stem
            partner = normal.get(stem) or normal.get(scene)
            if partner is None:
                orphans.append(dark)
            else:
                pairs.append(Pair(dataset, folders.split, folders.prefix + stem, dark, partner))
        reading.refuse(orphans, "no normal-light image of the same name")
    return reading.done(pairs, root, [folders.dark for folders in layout])


_SICE_TEST_RANGES = ((4, 23), (28, 28), (31, 31), (33, 34), (37, 39), (46, 52), (55, 69), (75, 79))
SICE_TEST = frozenset(
    number for first, last in (*_SICE_TEST_RANGES, (100, 103)) for number in range(first, last + 1)
)
"""The 58 sequences of Part1 that the authors' `testing_index.txt` lists.

The list is taken from a third party's reader of the set. The count is confirmed by the authors'
issue tracker (csjcai/SICE, issue 11), and by Table I of arXiv:2403.07622, whose 531 images are as
many as the 589 sequences without these.
"""


def read_sice(root: Path) -> list[Pair]:
    """Read SICE: one exposure per sequence of Part1 for training, dark ones of Part2 for testing.

    Test: the protocol of Zero-DCE (Guo et al., CVPR 2020), which takes the first 3 of 7 or 4 of 9
    exposures, 767 pairs. That protocol also resizes to 1200x900, which `benchmark.data.resize`
    does. Train: the exposure just below the middle one (-1 EV). Not in the paper: the 531 images of
    Table I are one per sequence for all but 58 sequences, which would train on Part2; see
    `read_sice58`.
    """
    pairs, reading = [], FolderReader("SICE")
    for part, sequence, dark, normal in _sice_sequences(root, reading):
        name = f"{sequence}/"
        if part == "Part1":
            pairs.append(Pair("SICE", "train", name + dark[-1].stem, dark[-1], normal))
        else:
            pairs += [Pair("SICE", "test", name + path.stem, path, normal) for path in dark]
    return reading.done(pairs, root, _SICE_LAYOUT)


def read_sice58(root: Path) -> list[Pair]:
    """Read SICE in its authors' split: 58 sequences of Part1 to test, 531 to train, -1 EV each.

    531 is the number in Table I of arXiv:2403.07622, so this is the likely split of the paper.
    """
    pairs, reading = [], FolderReader("SICE58")
    for part, sequence, dark, normal in _sice_sequences(root, reading):
        held_out = part == "Part1" and sequence.isdecimal() and int(sequence) in SICE_TEST
        split = "test" if held_out else "train"
        name = f"{part}/{sequence}/{dark[-1].stem}"
        pairs.append(Pair("SICE58", split, name, dark[-1], normal))
    return reading.done(pairs, root, _SICE_LAYOUT)


_SICE_LAYOUT = ("Part1/1", "Part1/Label", "Part2/1", "Part2/Label")


def _sice_sequences(
    root: Path, reading: FolderReader
) -> Iterator[tuple[str, str, list[Path], Path]]:
    """Yield part, sequence, dark exposures (n // 2 of n, darkest first) and label."""
    top = reading.top(root, ("Part1", "Dataset_Part1", "Part2", "Dataset_Part2"))
    for part in ("Part1", "Part2"):
        folder = reading.child(top, part) or reading.child(top, f"Dataset_{part}")
        if folder is None:
            continue
        folder = reading.top(folder, ("Label",))
        labels = reading.images(reading.child(folder, "Label"))
        for sequence in reading.subfolders(folder):
            if sequence.name.lower() == "label":
                continue
            exposures = list(reading.images(sequence).values())
            label = labels.get(sequence.name)
            if label is None:
                reading.refuse([sequence], "no image of its name in Label")
            elif len(exposures) < 2:
                reading.refuse([sequence], "fewer than two exposures")
            else:
                yield part, sequence.name, exposures[: len(exposures) // 2], label


def read_labelme(root: Path) -> list[Pair]:
    """Read every image of a folder tree as a normal-light training image."""
    reading = FolderReader("LabelMe")
    pairs: dict[str, Pair] = {}
    for path in reading.tree(root):
        name = path.relative_to(root).with_suffix("").as_posix()
        if name in pairs:
            reading.problems.append(f"{pairs[name].normal} and {path} differ in suffix alone")
        else:
            pairs[name] = Pair("LabelMe", "train", name, None, path)
    return reading.done(list(pairs.values()), root, ["an image anywhere below"])


def read_dark_face(root: Path) -> list[Pair]:
    """Read the labelled images of DARK FACE, all of them for testing."""
    reading = FolderReader("DARKFACE")
    top = reading.top(root, ("image", "images"))
    labels = reading.child(top, "label") or reading.child(top, "labels")
    pairs, orphans = [], []
    for stem, path in reading.images(
        reading.child(top, "image") or reading.child(top, "images")
    ).items():
        text = None if labels is None else labels / f"{stem}.txt"
        if text is None or not text.is_file():
            orphans.append(path)
        else:
            pairs.append(Pair("DARKFACE", "test", stem, path, None, text))
    reading.refuse(orphans, "no label/<name>.txt")
    return reading.done(pairs, root, ["image/1.png", "label/1.txt"])


def read_wider(dataset: str, root: Path) -> list[Pair]:
    """Read the labelled images of WIDER FACE's validation part: normal light, for testing.

    Two layouts are known: the published one (`WIDER_val/images/<event>/<name>.jpg` and one file
    of annotations for all), and copies with labels as DARK FACE has them (`images/`, `label/`).
    """
    reading = FolderReader(dataset)
    top = reading.top(root, ("WIDER_val", "wider_face_split", "label", "labels"))
    copies = reading.child(top, "label") or reading.child(top, "labels")
    pairs, orphans = [], []
    if copies is not None:
        for stem, path in reading.images(reading.child(top, "images")).items():
            text = copies / f"{stem}.txt"
            if text.is_file():
                pairs.append(Pair(dataset, "test", stem, None, path, text))
            else:
                orphans.append(path)
        reading.refuse(orphans, "no label/<name>.txt")
        return reading.done(pairs, root, ["images/1.jpg", "label/1.txt"])
    split = reading.child(top, "wider_face_split")
    annotations = None if split is None else split / "wider_face_val_bbx_gt.txt"
    published = reading.at(top, "WIDER_val/images")
    images = published or reading.at(top, "WIDER_val/WIDER_val/images")
    for event in [] if images is None else reading.subfolders(images):
        for stem, path in reading.images(event).items():
            if annotations is not None and annotations.is_file():
                name = f"{event.name}/{stem}"
                pairs.append(Pair(dataset, "test", name, None, path, annotations))
            else:
                orphans.append(path)
    reading.refuse(orphans, "no wider_face_split/wider_face_val_bbx_gt.txt")
    layout = ["WIDER_val/images/0--Parade/1.jpg", "wider_face_split/wider_face_val_bbx_gt.txt"]
    return reading.done(pairs, root, layout)
