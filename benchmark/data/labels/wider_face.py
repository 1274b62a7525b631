"""WIDER FACE's formats: annotations of all images in one file, submissions in one file per image.

Annotations have, per image, a line with its path, a line with the number of faces, then a line per
face: `x y width height` in pixels and six attributes (readme of its `wider_face_split`). An image
without faces has one line of zeros. Submissions are `<event>/<name>.txt`: the image's name, the
number of boxes, then a line `x y width height score` per box (its evaluation tools).
"""

import functools
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from benchmark.core.console import shown
from benchmark.core.errors import InputError
from benchmark.core.images import SUFFIXES
from benchmark.data.labels import text_files
from benchmark.data.labels.boxes import Boxes, Regions
from benchmark.data.labels.dark_face import read_labels, whole
from benchmark.data.labels.text_files import Line

_Edge = Annotated[int, Field(ge=-int(text_files.LIMIT), le=int(text_files.LIMIT))]
_Extent = Annotated[int, Field(ge=0, le=int(text_files.LIMIT))]


class _Face(BaseModel):
    """A face in the annotations, with the fields in the order of the file."""

    x: _Edge
    y: _Edge
    width: _Extent
    height: _Extent
    blur: Annotated[int, Field(ge=0, le=2)]  # clear, normal, heavy
    expression: Annotated[int, Field(ge=0, le=1)]  # typical, exaggerated
    illumination: Annotated[int, Field(ge=0, le=1)]  # normal, extreme
    invalid: Annotated[int, Field(ge=0, le=1)]  # no, yes: the evaluation ignores the face
    occlusion: Annotated[int, Field(ge=0, le=2)]  # none, partial, heavy
    pose: Annotated[int, Field(ge=0, le=1)]  # typical, atypical

    def corners(self) -> tuple[int, int, int, int]:
        return (self.x, self.y, self.x + self.width, self.y + self.height)


_FIELDS = tuple(_Face.model_fields)


@functools.lru_cache(maxsize=4)
def read_annotations(path: Path) -> dict[str, Boxes]:
    """Read WIDER FACE's annotations: `<event>/<name>` without suffix -> faces.

    Invalid faces become ignored regions, as in the published evaluation. Boxes without area are
    left out, because nothing can overlap them.

    Raises:
        InputError: The file is missing or not in this format; the message contains the line.
    """
    if not path.is_file():
        raise InputError(
            f"{shown(path)} is not a file, expected WIDER FACE annotations: check the path."
        )
    lines = iter(text_files.lines(path, "WIDER FACE annotations"))
    faces: dict[str, Boxes] = {}
    for number, line in lines:
        if not line.strip().lower().endswith(SUFFIXES):
            raise _wrong(path, number, line, "the path of an image")
        name = PurePosixPath(line.strip()).with_suffix("").as_posix()
        if name in faces:
            raise _wrong(path, number, line, "each image once")
        faces[name] = _faces(path, lines)
    if not faces:
        raise InputError(
            f"{shown(path)} is empty, expected WIDER FACE annotations: check the path."
        )
    return faces


def _faces(path: Path, lines: Iterator[Line]) -> Boxes:
    number, line = next(lines, (0, ""))
    count = whole(line)
    if count is None:
        raise _wrong(path, number, line, "the number of faces")
    listed = []
    for _ in range(max(1, count)):  # no face: one line of zeros
        number, line = next(lines, (0, ""))
        listed.append(_face(path, number, line))
    counted = [face for face in listed if face.width and face.height]
    valid = [face.corners() for face in counted if not face.invalid]
    invalid = [face.corners() for face in counted if face.invalid]
    regions = Regions(_boxes(invalid), np.zeros(len(invalid), np.bool_))
    return Boxes.labelled(_boxes(valid), regions)


def _face(path: Path, number: int, line: str) -> _Face:
    fields = line.split()
    try:
        if len(fields) == len(_FIELDS):
            return _Face.model_validate(dict(zip(_FIELDS, fields, strict=True)))
    except ValidationError as error:
        name = str(error.errors(include_url=False)[0]["loc"][0])
        expected = f"{len(_FIELDS)} whole numbers of a face, its {name} in range"
        raise _wrong(path, number, line, expected) from error
    raise _wrong(path, number, line, f"{len(_FIELDS)} whole numbers of a face")


def _boxes(corners: list[tuple[int, int, int, int]]) -> NDArray[np.float64]:
    return np.array(corners, dtype=np.float64).reshape(-1, 4)


def _wrong(path: Path, number: int, line: str, expected: str) -> InputError:
    where = f"line {number} is {text_files.excerpt(line)}" if number else "ends early"
    return InputError(
        f"{shown(path)} {where}, expected {expected}: get wider_face_val_bbx_gt.txt of WIDER FACE "
        "again."
    )


def labelled(path: Path, name: str) -> Boxes:
    """Read the labelled faces of one image from a label file of its set.

    Args:
        path: The file in the manifest: one in DARK FACE's format, or WIDER FACE's annotations.
        name: Name of the image in the manifest.

    Raises:
        InputError: The file is missing or malformed, or does not contain the image.
    """
    if not path.name.startswith("wider_face_"):
        return read_labels(path)
    known = read_annotations(path)
    if name not in known:
        raise InputError(
            f"{shown(path)} has no faces of {shown(name)}: get images and annotations of one split."
        )
    return known[name]


def is_submission(lines: list[Line]) -> bool:
    """Return True if the lines of a file begin like a submission of WIDER FACE."""
    head = [line for _, line in lines[:2]]
    return len(head) == 2 and len(head[0].split()) < 5 and whole(head[1]) is not None


def read_submission(path: Path, lines: list[Line]) -> NDArray[np.float64]:
    """Read the detections of one image from a WIDER FACE submission.

    Args:
        path: The file `<event>/<name>.txt`.
        lines: Its lines: the name, the number of boxes, then `x y width height score` per box.

    Returns:
        (n, 5) x, y, width, height, score.

    Raises:
        InputError: The name differs, the number is wrong, or a line is not a box.
    """
    (_, name), (_, number), *boxes = lines
    if _stem(name) != path.stem:
        raise InputError(
            f"{shown(path)} line 1 is {text_files.excerpt(name)}, expected the name of the image, "
            f"{shown(path.stem)}: rename the file, or correct the line."
        )
    if whole(number) != len(boxes):
        raise InputError(
            f"{shown(path)} line 2 announces {whole(number)} boxes, but {len(boxes)} lines follow: "
            "correct the number or the lines."
        )
    return text_files.rows(path, boxes, 5, "`x y width height score` of a box")


def _stem(name: str) -> str:
    last = PurePosixPath(name.strip()).name
    return last[: -len(PurePosixPath(last).suffix)] if last.lower().endswith(SUFFIXES) else last
