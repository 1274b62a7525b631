"""Ground truth of faces: the annotations of WIDER FACE, and whichever format a set has.

WIDER FACE keeps one text file for all images: a line with the image's path, a line with the number
of faces, then a line a face, `x y width height` in pixels and six attributes of which the fourth
tells an invalid face (readme of its `wider_face_split`). An image without faces has one line of
zeros.
"""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmark.errors import InputError
from benchmark.faces import Faces, read_labels

_INVALID = 7  # blur, expression, illumination, invalid, occlusion, pose follow the box
_FIELDS = 10


@functools.lru_cache(maxsize=4)
def read_annotations(path: Path) -> dict[str, Faces]:
    """Read WIDER FACE's annotations: `<event>/<name>` without suffix -> faces.

    Invalid faces and boxes without area are left out: the published evaluation ignores the first,
    and nothing can overlap the others.

    Raises:
        InputError: The file is missing, or is not in that format; the message names the line.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file, expected WIDER FACE annotations: check the path.")
    lines = enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1)
    found: dict[str, Faces] = {}
    for number, line in lines:
        if not line.strip().lower().endswith((".jpg", ".jpeg", ".png")):
            raise _wrong(path, number, line, "the path of an image")
        name = Path(line.strip()).with_suffix("").as_posix()
        found[name] = Faces.labelled(_faces(path, lines))
    return found


def _faces(
    path: Path, lines: Iterator[tuple[int, str]]
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    number, line = next(lines, (0, ""))
    if not line.strip().isdecimal():
        raise _wrong(path, number, line, "the number of faces")
    boxes = []
    for _ in range(max(1, int(line))):  # no face: one line of zeros
        number, line = next(lines, (0, ""))
        fields = line.split()
        if len(fields) != _FIELDS or not all(f.lstrip("-").isdecimal() for f in fields):
            raise _wrong(path, number, line, f"{_FIELDS} whole numbers of a face")
        x, y, width, height, *_ = numbers = [float(field) for field in fields]
        if width > 0 and height > 0 and not numbers[_INVALID]:
            boxes.append((x, y, x + width, y + height))
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)


def _wrong(path: Path, number: int, line: str, wanted: str) -> InputError:
    where = f"line {number} is {line!r}" if number else "ends early"
    return InputError(
        f"{path} {where}, expected {wanted}: get wider_face_val_bbx_gt.txt of WIDER FACE again."
    )


def labelled(path: Path, name: str) -> Faces:
    """Read the faces of one image from its set's labels, per image or for all images.

    Args:
        path: What the manifest names: a file of DARK FACE's format, or WIDER FACE's annotations.
        name: The image's name in the manifest.

    Raises:
        InputError: The file is missing or broken, or does not know the image.
    """
    if not path.name.startswith("wider_face_"):
        return read_labels(path)
    known = read_annotations(path)
    if name not in known:
        raise InputError(f"{path} has no faces of {name}: get images and annotations of one split.")
    return known[name]
