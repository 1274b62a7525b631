"""Match image names of other tools to the images of a set of labels.

An image is identified by its path in the set, such as `0--Parade/1`, never only by the last part:
two folders may contain files of the same name. A shorter path is accepted if exactly one image path
ends in it.
"""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from benchmark.core.console import shown
from benchmark.core.errors import InputError
from benchmark.core.images import SUFFIXES


def parts(name: str) -> tuple[str, ...]:
    """Return the parts of an image path of any operating system, without an image suffix."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.name.lower().endswith(SUFFIXES):
        path = path.with_suffix("")
    return tuple(part for part in path.parts if part != "/")


class Names:
    """The images of a set of labels.

    Args:
        known: Names of the images.
        labels: File or folder of the labels, for messages.
    """

    def __init__(self, known: Iterable[str], labels: Path) -> None:
        self._labels = labels
        self._by_last: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name in known:
            path = parts(name)
            self._by_last.setdefault(path[-1] if path else "", []).append((path, name))

    def find(self, name: str) -> str | None:
        """Return the image with a name, or None.

        Raises:
            InputError: The name is ambiguous.
        """
        path = parts(name)
        alike = self._by_last.get(path[-1] if path else "", [])
        exact = [known for candidate, known in alike if candidate == path]
        ending = [known for candidate, known in alike if _ends(candidate, path)]
        matches = exact or ending
        if len(matches) > 1:
            listed = ", ".join(shown(image) for image in matches[:2])
            raise InputError(
                f"The name {shown(name)} stands for {len(matches)} images of {shown(self._labels)} "
                f"({listed}), expected one: give detections the folders of the images, too."
            )
        return matches[0] if matches else None


def _ends(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Return True if the longer of two paths ends in the shorter one."""
    shared = min(len(first), len(second))
    return first[len(first) - shared :] == second[len(second) - shared :]
