"""Listing the folders of raw sets, with all their problems collected."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmark.core.errors import InputError, ProblemsError
from benchmark.core.images import SUFFIXES
from benchmark.data.manifest import Pair, natural_key

_TOLD = 6  # entries of a folder that has not the layout
_FEW = 20  # subfolders that are looked into for an extra top folder


class LayoutError(ProblemsError):
    """All problems with the folder of a raw set.

    Attributes:
        pairs: The pairs without a problem.
    """

    def __init__(self, dataset: str, problems: Sequence[str], pairs: Sequence[Pair] = ()) -> None:
        self.pairs = list(pairs)
        super().__init__(dataset, problems, "unpack the set again or mend them, see data/README.md")


class FolderReader:
    """Reader of a set's folder that collects problems and reports them at the end."""

    def __init__(self, dataset: str) -> None:
        self.dataset = dataset
        self.problems: list[str] = []
        self._listed: dict[Path, list[Path]] = {}
        self._walked: set[str] = set()

    def entries(self, folder: Path) -> list[Path]:
        """List a folder in natural order, without hidden entries."""
        if folder not in self._listed:
            try:
                paths = [path for path in folder.iterdir() if not path.name.startswith(".")]
            except OSError as error:
                self.problems.append(f"{folder} cannot be opened ({error.strerror})")
                paths = []
            self._listed[folder] = sorted(paths, key=lambda path: natural_key(path.name))
        return self._listed[folder]

    def child(self, folder: Path, name: str) -> Path | None:
        """Return the subfolder of this name, ignoring case; an exact match comes first."""
        matches = [path for path in self.entries(folder) if path.name.lower() == name.lower()]
        matches.sort(key=lambda path: path.name != name)
        return next((path for path in matches if self.is_folder(path)), None)

    def at(self, folder: Path | None, path: str) -> Path | None:
        """Return the folder at a path of subfolders, ignoring case."""
        for name in path.split("/"):
            folder = None if folder is None else self.child(folder, name)
        return folder

    def is_folder(self, path: Path) -> bool:
        """Return True for a folder; a path that cannot be examined is noted as a problem."""
        try:
            return path.is_dir()
        except OSError as error:
            self.problems.append(f"{path} cannot be opened ({error.strerror})")
            return False

    def subfolders(self, folder: Path) -> list[Path]:
        """List subfolders in natural order."""
        return [path for path in self.entries(folder) if self.is_folder(path)]

    def top(self, folder: Path, markers: Sequence[str]) -> Path:
        """Return `folder`, or the subfolder that contains the layout.

        Unpacked archives have up to two extra top folders (`LOL/LOLdataset/...` inside `LOL`).
        """
        level = [folder]
        for _ in range(3):
            for candidate in level:
                if any(self.child(candidate, marker) is not None for marker in markers):
                    return candidate
            level = [sub for candidate in level for sub in self.subfolders(candidate)[:_FEW]]
        return folder

    def images(self, folder: Path | None) -> dict[str, Path]:
        """Return stem -> image file of a folder in natural order; empty if `folder` is None."""
        images: dict[str, Path] = {}
        for path in [] if folder is None else self.entries(folder):
            if not path.name.lower().endswith(SUFFIXES) or self.is_folder(path):
                continue
            if path.stem in images:
                self.problems.append(f"{images[path.stem]} and {path} differ in suffix alone")
            else:
                images[path.stem] = path
        return images

    def tree(self, folder: Path, above: tuple[str, ...] = ()) -> Iterator[Path]:
        """Yield the images of a folder tree in natural order, following links, each folder once."""
        real = os.path.realpath(folder)
        if real in above:
            self.problems.append(f"{folder} is a link back to a folder that holds it")
        if real in self._walked:
            return
        self._walked.add(real)
        folders = self.subfolders(folder)
        apart = set(folders)
        for path in self.entries(folder):
            if path.name.lower().endswith(SUFFIXES) and path not in apart:
                yield path
        for path in folders:
            yield from self.tree(path, (*above, real))

    def refuse(self, orphans: Sequence[Path], why: str) -> None:
        """Note files without a counterpart as problems."""
        self.problems += [f"{path} has {why}" for path in orphans]

    def done(self, pairs: list[Pair], root: Path, layout: Sequence[str]) -> list[Pair]:
        """Return the pairs, or raise if there are problems or no pairs."""
        if not pairs and not self.problems:
            names = [path.name for path in self.entries(root)]
            listing = ", ".join([*names[:_TOLD], *(["..."] if len(names) > _TOLD else [])])
            self.problems.append(
                f"{root} holds none of {self.dataset}, expected {', '.join(layout)}, but has "
                f"{listing or 'nothing'}"
            )
        if self.problems:
            raise LayoutError(self.dataset, self.problems, pairs)
        return pairs


def plain(name: str) -> str:
    """Return a folder's name in normal form, equal for DARK FACE, Dark_Face and darkface."""
    return re.sub(r"[ _-]", "", name).casefold()


def marked(root: Path, marks: Sequence[str]) -> tuple[Path, str] | None:
    """Return the nearest folder, at most two levels below a root, with a mark, and that mark.

    Args:
        root: Folder to search; of many subfolders only the first ones are searched.
        marks: Relative paths of subfolders, any of which identifies the folder.
    """
    level = [root]
    for _ in range(3):
        for folder in level:
            mark = next((mark for mark in marks if (folder / mark).is_dir()), None)
            if mark is not None:
                return folder, mark
        level = [sub for folder in level for sub in _folders(folder)[:_FEW]]
    return None


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [
                entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")
            ]
    except OSError:  # what cannot be opened shows no marks
        return []
    return [folder / name for name in sorted(names, key=natural_key)]


def child(folder: Path, name: str) -> Path | None:
    """Return the subfolder of this name, ignoring case, spaces, `-` and `_`.

    Raises:
        InputError: The folder cannot be opened.
    """
    try:
        exact = folder / name
        if exact.is_dir():
            return exact
        matches = sorted(sub for sub in folder.iterdir() if plain(sub.name) == plain(name))
        return next((sub for sub in matches if sub.is_dir()), None)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be opened ({error.strerror}): give yourself permission to read it."
        ) from error
