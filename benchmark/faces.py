"""Faces in an image: the box type, the labels of DARK FACE, detections on disk.

A box is x0, y0, x1, y1 in pixels, in continuous coordinates: (0, 0) is the top left corner of the
top left pixel and (W, H) the bottom right corner of the image, so a box is x1 - x0 wide.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from benchmark import outputs
from benchmark.errors import InputError
from benchmark.images import Image

MAX_BOXES = 750
"""Detections kept of an image, the best ones (the setting of the public PyramidBox evaluations)."""

_COORDINATES = ["x0", "y0", "x1", "y1"]
_COLUMNS = ["image", *_COORDINATES, "score"]


@dataclass(frozen=True, eq=False)
class Regions:
    """Parts of an image in which a detection is neither a hit nor a false positive.

    Attributes:
        boxes: float64 (n, 4) x0, y0, x1, y1 in pixels, x0 <= x1, y0 <= y1.
        crowd: bool (n,). False: one face that does not count (WIDER FACE's invalid faces, COCO's
            `ignore`), met by intersection over union. True: a crowd of any number of faces (COCO's
            `iscrowd`), met by the share of the detection's area that lies in it.
    """

    boxes: NDArray[np.float64]
    crowd: NDArray[np.bool_]

    @classmethod
    def none(cls) -> "Regions":
        """Return no regions."""
        return cls(np.empty((0, 4)), np.empty(0, np.bool_))

    def __len__(self) -> int:
        return len(self.crowd)


@dataclass(frozen=True, eq=False)
class Faces:
    """The faces of one image, labelled or detected; they may be none.

    Attributes:
        boxes: float64 (n, 4) x0, y0, x1, y1 in pixels, x0 <= x1, y0 <= y1.
        scores: float64 (n,), higher is surer; labelled faces have 1.
        ignored: Of labels: where detections do not count.

    Raises:
        ValueError: Shapes or dtypes are others, a number is not finite, or a box is turned.
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    ignored: Regions = field(default_factory=Regions.none)

    def __post_init__(self) -> None:
        shapes = (self.boxes.shape, self.scores.shape)
        if shapes != ((len(self.scores), 4), (len(self.scores),)):
            raise ValueError(f"Arguments must be of shape (n, 4) and (n,), but got {shapes}.")
        if self.boxes.dtype != np.float64 or self.scores.dtype != np.float64:
            raise ValueError(
                "Arguments `boxes` and `scores` must be float64,"
                f" but got {self.boxes.dtype} and {self.scores.dtype}."
            )
        if not (np.isfinite(self.boxes).all() and np.isfinite(self.scores).all()):
            raise ValueError("Arguments `boxes` and `scores` must be finite.")
        if (self.boxes[:, :2] > self.boxes[:, 2:]).any():
            raise ValueError("Argument `boxes` must have x0 <= x1 and y0 <= y1.")

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def none(cls) -> "Faces":
        """Return no faces."""
        return cls(np.empty((0, 4)), np.empty(0))

    @classmethod
    def labelled(cls, boxes: NDArray[np.float64], ignored: Regions | None = None) -> "Faces":
        """Return labelled faces, whose scores are 1, and the regions that do not count."""
        return cls(boxes, np.ones(len(boxes)), ignored or Regions.none())


Detector: TypeAlias = Callable[[Image], Faces]
"""Finds faces by falling score, at most `MAX_BOXES`, inside the image; leaves its input alone."""


def read_labels(path: Path) -> Faces:
    """Read the faces of one image in the format of DARK FACE.

    The first line is their number; a line `x0 y0 x1 y1` in pixels follows for each.

    Raises:
        InputError: The file is missing or not text, the number is wrong, or a line is not a box;
            the message names the line.
    """
    lines = _text(path).rstrip().splitlines()
    if not lines:
        raise InputError(f"{path} is empty, expected the number of faces on line 1: replace it.")
    if not lines[0].strip().isdecimal():
        raise InputError(
            f"{path} line 1 is {lines[0]!r}, expected the number of faces:"
            " convert the labels to the format of DARK FACE."
        )
    if int(lines[0]) != len(lines) - 1:
        raise InputError(
            f"{path} line 1 announces {int(lines[0])} faces, but {len(lines) - 1} lines follow:"
            " correct the number or the lines."
        )
    boxes = [_box(path, number, line) for number, line in enumerate(lines[1:], start=2)]
    return Faces.labelled(np.array(boxes, dtype=np.float64).reshape(-1, 4))


def _text(path: Path) -> str:
    if not path.is_file():
        raise InputError(f"{path} is not a file, expected face labels: check the path.")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text ({error}), expected face labels: replace it.") from (
            error
        )


def _box(path: Path, number: int, line: str) -> list[float]:
    try:
        box = [float(field) for field in line.split()]
    except ValueError:
        box = []
    if len(box) != 4 or not np.isfinite(box).all():
        raise InputError(
            f"{path} line {number} is {line!r}, expected four numbers `x0 y0 x1 y1`: correct it."
        )
    if box[2] < box[0] or box[3] < box[1]:
        raise InputError(
            f"{path} line {number} is {line!r}, whose right or bottom edge lies before its left or"
            " top one, expected `x0 y0 x1 y1`: if the file holds x, y, width, height, convert it."
        )
    return box


def write_detections(path: Path, detections: Mapping[str, Faces]) -> None:
    """Write the detections of many images as one Parquet table.

    The columns are image, x0, y0, x1, y1 (pixels) and score: one row a box, images in the order
    given. An image without detections is one row whose numbers are null, so that distinct values
    of `image` count the images and rows with a score count the boxes.

    Args:
        path: The file; its folder is made.
        detections: Image name to what was found in it, an empty `Faces` for nothing.
    """
    lengths = [max(len(faces), 1) for faces in detections.values()]
    numbers = np.concatenate([np.empty((0, 5)), *map(_rows, detections.values())])
    table = pd.DataFrame(numbers, columns=_COLUMNS[1:])
    table.insert(0, "image", np.repeat(np.array(list(detections), dtype=object), lengths))
    with outputs.beside(path) as place:
        table.to_parquet(place, index=False)


def _rows(faces: Faces) -> NDArray[np.float64]:
    if len(faces) == 0:
        return np.full((1, 5), np.nan)
    return np.column_stack([faces.boxes, faces.scores])


def read_detections(path: Path) -> dict[str, Faces]:
    """Read what `write_detections` wrote: the same images in the same order, bit for bit.

    Raises:
        InputError: The file is missing or no Parquet, has other columns, or its rows are not boxes.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file, expected detections: run the detection first.")
    try:
        table = pd.read_parquet(path)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path} is no Parquet file ({error}): run the detection again.") from (
            error
        )
    if list(table.columns) != _COLUMNS:
        raise InputError(
            f"{path} has the columns {list(table.columns)}, expected {_COLUMNS}:"
            " run the detection again."
        )
    codes, images = pd.factorize(table["image"], use_na_sentinel=False)
    order = np.argsort(codes, kind="stable")
    numbers = table[_COLUMNS[1:]].to_numpy(dtype=np.float64)[order]
    parts = np.split(numbers, np.cumsum(np.bincount(codes)))[: len(images)]
    pairs = zip(map(str, images), parts, strict=True)
    return {image: _faces(path, image, part) for image, part in pairs}


def _faces(path: Path, image: str, numbers: NDArray[np.float64]) -> Faces:
    if len(numbers) == 1 and np.isnan(numbers).all():
        return Faces.none()
    try:
        return Faces(numbers[:, :4], numbers[:, 4])
    except ValueError as error:
        raise InputError(
            f"{path} holds rows of {image} that are no boxes ({error}): run the detection again."
        ) from error
