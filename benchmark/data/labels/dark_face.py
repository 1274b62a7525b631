"""DARK FACE's formats: one text file per image, of labels or of detections.

Labels hold the number of faces, then a line `x0 y0 x1 y1` for each; submissions hold a line
`x0 y0 x1 y1 score` for each box and nothing else.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.core.console import shown
from benchmark.core.errors import InputError
from benchmark.data.labels import text_files
from benchmark.data.labels.boxes import Boxes
from benchmark.data.labels.text_files import Line

_BOX = "four numbers `x0 y0 x1 y1`"
_MOST_DIGITS = 9


def read_labels(path: Path) -> Boxes:
    """Read the faces of one image in the format of DARK FACE.

    The first line is their number, followed by one line `x0 y0 x1 y1` (pixels) per face.

    Raises:
        InputError: The file is missing or not text, the number is wrong, or a line is not a box;
            the message contains the line.
    """
    lines = text_files.lines(path, "face labels")
    if not lines:
        raise InputError(
            f"{shown(path)} is empty, expected the number of faces on line 1: replace it."
        )
    count = whole(lines[0][1])
    if count is None:
        raise InputError(
            f"{shown(path)} line 1 is {text_files.excerpt(lines[0][1])}, expected the number of "
            "faces: convert the labels to the format of DARK FACE."
        )
    if count != len(lines) - 1:
        raise InputError(
            f"{shown(path)} line 1 announces {count} faces, but {len(lines) - 1} lines follow:"
            " correct the number or the lines."
        )
    boxes = text_files.rows(path, lines[1:], 4, _BOX)
    turned = np.flatnonzero((boxes[:, 2:] < boxes[:, :2]).any(axis=1))
    if len(turned):
        number, line = lines[1 + int(turned[0])]
        raise InputError(
            f"{shown(path)} line {number} is {text_files.excerpt(line)}, whose right or bottom "
            "edge lies before its left or top one, expected `x0 y0 x1 y1`: if the file holds x, y, "
            "width, height, convert it."
        )
    return Boxes.labelled(boxes)


def whole(text: str) -> int | None:
    """Return the text as a non-negative integer of at most nine digits, or None."""
    stripped = text.strip()
    return int(stripped) if stripped.isdecimal() and len(stripped) <= _MOST_DIGITS else None


def boxes(path: Path, lines: Sequence[Line]) -> NDArray[np.float64]:
    """Parse the detections of one image: one line per box with four numbers and the score.

    Numbers are separated by blanks, commas or both. The meaning of the four numbers is not
    interpreted here.

    Args:
        path: The file, for error messages.
        lines: Its lines; none if nothing was detected.

    Returns:
        (n, 5).

    Raises:
        InputError: A line is not a box with its score.
    """
    filled = [line for line in lines if line[1].strip()]
    return text_files.rows(path, filled, 5, "a box and its score (5 numbers)", ",")
