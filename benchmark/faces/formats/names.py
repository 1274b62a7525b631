"""Which image a name from elsewhere stands for.

An image is its path in the set, `0--Parade/1`, never the last part of it alone: two folders may
hold files of one name. A shorter path stands for a longer one where only one of them ends in it.
"""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from benchmark.core.console import shown
from benchmark.core.errors import InputError
from benchmark.core.images import SUFFIXES


def parts(name: str) -> tuple[str, ...]:
    """Return the parts of an image's path, in any system's writing, without an image's suffix."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.name.lower().endswith(SUFFIXES):
        path = path.with_suffix("")
    return tuple(part for part in path.parts if part != "/")


class Names:
    """The images of a set of labels.

    Args:
        known: Their names.
        labels: Where they were read from, for the message.
    """

    def __init__(self, known: Iterable[str], labels: Path) -> None:
        self._labels = labels
        self._by_last: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name in known:
            path = parts(name)
            self._by_last.setdefault(path[-1] if path else "", []).append((path, name))

    def find(self, name: str) -> str | None:
        """Return the image that a name stands for, or None.

        Raises:
            InputError: It stands for several.
        """
        path = parts(name)
        alike = self._by_last.get(path[-1] if path else "", [])
        exact = [known for other, known in alike if other == path]
        ending = [known for other, known in alike if _ends(other, path)]
        found = exact or ending
        if len(found) > 1:
            listed = ", ".join(shown(one) for one in found[:2])
            raise InputError(
                f"The name {shown(name)} stands for {len(found)} images of {shown(self._labels)} "
                f"({listed}), expected one: give detections the folders of the images, too."
            )
        return found[0] if found else None


def _ends(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether the longer path ends in the shorter one."""
    shared = min(len(one), len(other))
    return one[len(one) - shared :] == other[len(other) - shared :]
