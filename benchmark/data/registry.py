"""Registry of the raw sets: published facts, location on disk, and reader of each."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmark import ROOT
from benchmark.core.errors import InputError
from benchmark.data import folders, readers
from benchmark.data.manifest import Pair

VARIABLE = "MLSM_BENCH_DATA"
"""Environment variable with the path of a folder of raw sets."""
SPLITS = ("train", "val", "test")
_REPOSITORY_RAW = ROOT / "data" / "raw"


@dataclass(frozen=True)
class RawSet:
    """Published facts about a raw set, and its reader.

    Attributes:
        name: Key in `SETS` and in manifests.
        folder: Name of its folder under a raw root.
        licence: Licence terms as far as they are stated.
        source: Where to obtain the set.
        expected: Split -> published number of pairs (or images).
        tables: Tables of arXiv:2403.07622 that list or score the set; for LabelMe, which no table
            lists, the tables with a row of the method that it trains.
        needs_registration: Whether its training pairs are misaligned and may differ in size.
        read: Function that lists the pairs in the set's folder.
        images: Published number of different image files in these pairs.
        protocol: Layout and split that the reader follows.
        aliases: Other known names of its folder; case, spaces, `-` and `_` are ignored.
        marks: Subfolders that identify the set's folder under any name.
        has_references: Whether its test images have a normal-light image.
    """

    name: str
    folder: str
    licence: str
    source: str
    expected: Mapping[str, int]
    tables: tuple[str, ...]
    needs_registration: bool
    read: Callable[[Path], list[Pair]]
    images: int
    protocol: str = "as published"
    aliases: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    has_references: bool = True


_SICE = partial(
    RawSet,
    folder="SICE",
    licence="none stated",
    source="https://github.com/csjcai/SICE, Part1 and Part2",
    tables=("I", "III", "IV", "V", "VI"),
    needs_registration=False,
    marks=("Part1/Label", "Part2/Label", "Dataset_Part1/Label", "Dataset_Part2/Label"),
)
_ALL = (
    RawSet(
        name="LOL",
        folder="LOL",
        licence="none stated",
        source="https://daooshee.github.io/BMVC2018website/, LOL dataset",
        expected={"train": 485, "test": 15},
        tables=("I", "II", "III", "IV", "V", "VI"),
        needs_registration=False,
        read=partial(readers.read_paired, "LOL"),
        images=1000,
        aliases=("LOLdataset", "LOLv1"),
        marks=("our485/low", "eval15/low", "Train/input", "Test/input"),
    ),
    RawSet(
        name="LSRW",
        folder="LSRW",
        licence="none stated",
        source="https://github.com/JianghaiSCU/R2RNet, LSRW dataset",
        expected={"train": 5600, "test": 50},
        tables=("I", "II", "III", "IV", "V", "VI"),
        needs_registration=True,
        read=partial(readers.read_paired, "LSRW"),
        images=11300,
        marks=("Training data/Huawei", "Training data/Nikon", "Eval/Huawei", "Eval/Nikon"),
    ),
    _SICE(
        name="SICE",
        expected={"train": 360, "test": 767},
        read=readers.read_sice,
        images=2 * 360 + 767 + 229,  # one label per sequence
        protocol="zero_dce_part2",
    ),
    _SICE(
        name="SICE58",
        expected={"train": 531, "test": 58},
        read=readers.read_sice58,
        images=2 * 589,
        protocol="sice58",
    ),
    RawSet(
        name="RELLISUR",
        folder="RELLISUR",
        licence="CC BY 4.0",
        source="https://doi.org/10.5281/zenodo.5234969",
        expected={"train": 3610, "val": 215, "test": 425},
        tables=("I", "II"),
        needs_registration=True,
        read=partial(readers.read_paired, "RELLISUR"),
        images=4250 + 850,  # one reference per scene
        aliases=("RELLISUR-Dataset",),
        marks=("Train/LLLR", "Val/LLLR", "Test/LLLR"),
    ),
    RawSet(
        name="LabelMe",
        folder="LabelMe",
        licence="research, unverified",
        source="http://labelme.csail.mit.edu, or any folder of normal-light photographs",
        expected={"train": 36417},
        tables=("III", "IV", "V", "VI", "VII"),
        needs_registration=False,
        read=readers.read_labelme,
        images=36417,
    ),
    RawSet(
        name="A7m3",
        folder="A7m3",
        licence="your own",
        source="your own camera, never released: pairs in own_camera/low and own_camera/normal",
        expected={"train": 610},
        tables=("I", "II"),
        needs_registration=False,
        read=partial(readers.read_paired, "A7m3"),
        images=1220,
        protocol="own camera",
        aliases=("own_camera",),
    ),
    RawSet(
        name="DARKFACE",
        folder="DARK FACE",
        licence="research, unverified",
        source="https://flyywh.github.io/CVPRW2019LowLight/, training and validation images",
        expected={"test": 6000},
        tables=("VII",),
        needs_registration=False,
        read=readers.read_dark_face,
        images=6000,
        aliases=("DarkFace_Train_2021",),
        has_references=False,
    ),
    RawSet(
        name="WIDER",
        folder="WIDER FACE",
        licence="CC BY-NC-ND 4.0",
        source="http://shuoyang1213.me/WIDERFACE/, validation images and face annotations",
        expected={"test": 3226},
        tables=(),
        needs_registration=False,
        read=partial(readers.read_wider, "WIDER"),
        images=3226,
        aliases=("WIDER",),
        marks=("WIDER_val/images", "wider_face_split"),
    ),
    RawSet(
        name="WIDER416",
        folder="WIDER416",
        licence="CC BY-NC-ND 4.0",
        source="validation images of WIDER FACE stretched to 416x416, labels as DARK FACE has them",
        expected={"test": 120},
        tables=(),
        needs_registration=False,
        read=partial(readers.read_wider, "WIDER416"),
        images=120,
        protocol="stretched to 416x416",
    ),
)
SETS: Mapping[str, RawSet] = {raw.name: raw for raw in _ALL}
"""Every raw set by name. SICE58 is another split of the folder SICE."""


def raw_roots(setting: Path | None) -> list[Path]:
    """Return the folders that are searched for raw sets, in search order.

    Args:
        setting: The profile's raw folder, which is then the only one and may not exist yet. None
            searches the folder in `MLSM_BENCH_DATA`, if set, then `data/raw`.

    Raises:
        InputError: `MLSM_BENCH_DATA` is set to a path that is not a folder.
    """
    if setting is not None:
        return [setting]
    value = os.environ.get(VARIABLE, "")
    if value and not Path(value).is_dir():
        raise InputError(
            f"{VARIABLE} is {value!r}, expected a folder that holds raw sets: correct or unset it."
        )
    return [*([Path(value)] if value else []), _REPOSITORY_RAW]


def _raw_set(name: str) -> RawSet:
    if name not in SETS:
        raise InputError(f"Raw set must be one of {', '.join(SETS)}, but got {name!r}.")
    return SETS[name]


BUILT_IN = _REPOSITORY_RAW / "demo"
"""Folder of the demo profile's miniatures, which are never suggested as a misplaced set."""


def find(name: str, roots: Sequence[Path]) -> Path | None:
    """Return the folder of a set: under the first root that contains it, or the root itself.

    Raises:
        InputError: There is no set of this name.
    """
    raw = _raw_set(name)
    names = (raw.folder, *raw.aliases)
    for root in roots:
        for folder in names if root.is_dir() else ():
            match = folders.child(root, folder)
            if match is not None:
                return match
        own = {folders.plain(path.name) for path in (root.absolute(), root.resolve())}
        if own & set(map(folders.plain, names)) and any(
            (root / mark).is_dir() for mark in raw.marks
        ):
            return root
    return None


def hint(name: str, roots: Sequence[Path]) -> str:
    """Return a hint where a missing set may be and what to rename, or an empty string.

    Raises:
        InputError: There is no set of this name.
    """
    raw = _raw_set(name)
    for root in roots:
        match = folders.marked(root, raw.marks)
        if match is not None and not Path(match[0]).is_relative_to(BUILT_IN):
            return (
                f"{match[0]} holds {match[1]} as {name} does: rename that folder to "
                f"{raw.folder!r}, and have {VARIABLE} name the folder above it"
            )
    return ""


def located(name: str, roots: Sequence[Path]) -> Path:
    """Return the folder of a set.

    Raises:
        InputError: The set is absent or unknown.
    """
    folder = find(name, roots)
    if folder is None:
        raw, searched = SETS[name], ", ".join(str(root) for root in roots)
        advice = hint(name, roots) or f"get it from {raw.source}, see data/README.md"
        raise InputError(
            f"{name} is not there, expected a folder {raw.folder!r} in {searched}: {advice}."
        )
    return folder


def read(name: str, roots: Sequence[Path]) -> list[Pair]:
    """List the pairs of a set, ordered by split, then in natural order.

    Raises:
        InputError: The set is unknown or absent, its folder does not have the layout, or images
            lack their counterparts.
    """
    return _raw_set(name).read(located(name, roots))
