"""Face boxes: labelled or detected boxes, ignored regions, and detections on disk.

A box is x0, y0, x1, y1 in pixels, in continuous coordinates: (0, 0) is the top left corner of the
top left pixel and (W, H) the bottom right corner of the image, so a box is x1 - x0 wide.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmark.core import files
from benchmark.core.console import shown
from benchmark.core.errors import InputError
from benchmark.core.images import Image

MAX_BOXES = 750
"""Largest number of detections per image, the best ones (as in public PyramidBox evaluations)."""

_COORDINATES = ["x0", "y0", "x1", "y1"]
_COLUMNS = ["image", *_COORDINATES, "score"]


@dataclass(frozen=True, eq=False)
class Regions:
    """Ignored regions, in which a detection is neither a true nor a false positive.

    Attributes:
        boxes: float64 (n, 4) x0, y0, x1, y1 in pixels, x0 <= x1, y0 <= y1.
        crowd: bool (n,). False: one face that does not count (WIDER FACE's invalid faces, COCO's
            `ignore`), matched by intersection over union. True: a crowd of any number of faces
            (COCO's `iscrowd`), matched by the share of the detection's area that lies in it.
    """

    boxes: NDArray[np.float64]
    crowd: NDArray[np.bool_]

    @classmethod
    def none(cls) -> "Regions":
        """Return an empty set of regions."""
        return cls(np.empty((0, 4)), np.empty(0, np.bool_))

    def __len__(self) -> int:
        return len(self.crowd)


@dataclass(frozen=True, eq=False)
class Boxes:
    """The labelled or detected faces of one image, possibly none.

    Attributes:
        boxes: float64 (n, 4) x0, y0, x1, y1 in pixels, x0 <= x1, y0 <= y1.
        scores: float64 (n,), higher is more certain; labelled faces have 1.
        ignored: For labels: regions in which detections do not count.

    Raises:
        ValueError: Shapes or dtypes are wrong, a number is not finite, or x1 < x0 or y1 < y0.
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
    def none(cls) -> "Boxes":
        """Return an empty set of faces."""
        return cls(np.empty((0, 4)), np.empty(0))

    @classmethod
    def labelled(cls, boxes: NDArray[np.float64], ignored: Regions | None = None) -> "Boxes":
        """Return labelled faces, whose scores are 1, with their ignored regions."""
        return cls(boxes, np.ones(len(boxes)), ignored or Regions.none())


def plain(labels: Boxes) -> dict[str, list[list[float]]]:
    """Return the labelled faces of an image as values for JSON; see `from_plain`."""
    regions, crowd = labels.ignored.boxes, labels.ignored.crowd
    return {
        "faces": labels.boxes.tolist(),
        "invalid": regions[~crowd].tolist(),
        "crowds": regions[crowd].tolist(),
    }


def from_plain(content: Mapping[str, Sequence[Sequence[float]]]) -> Boxes:
    """Return the labelled faces from the result of `plain`, with crowds last."""
    faces, invalid, crowds = (
        np.array(content[key], np.float64).reshape(-1, 4) for key in ("faces", "invalid", "crowds")
    )
    crowd = np.arange(len(invalid) + len(crowds)) >= len(invalid)
    return Boxes.labelled(faces, Regions(np.concatenate([invalid, crowds]), crowd))


Detector: TypeAlias = Callable[[Image], Boxes]
"""Function that detects faces: at most `MAX_BOXES`, inside the image, in order of decreasing score.
It does not modify its input."""


def write_detections(path: Path, detections: Mapping[str, Boxes]) -> None:
    """Write the detections of many images as one Parquet table.

    The columns are image, x0, y0, x1, y1 (pixels) and score, with one row per box and images in the
    given order. An image without detections has one row of null values, so that the distinct values
    of `image` are the images and the rows with a score are the boxes.

    Args:
        path: The file; its folder is created.
        detections: Image name -> detections, an empty `Boxes` for none.
    """
    lengths = [max(len(faces), 1) for faces in detections.values()]
    numbers = np.concatenate([np.empty((0, 5)), *map(_rows, detections.values())])
    table = pd.DataFrame(numbers, columns=_COLUMNS[1:])
    table.insert(0, "image", np.repeat(np.array(list(detections), dtype=object), lengths))
    with files.beside(path) as place:
        table.to_parquet(place, index=False)


def _rows(faces: Boxes) -> NDArray[np.float64]:
    if len(faces) == 0:
        return np.full((1, 5), np.nan)
    return np.column_stack([faces.boxes, faces.scores])


def read_detections(path: Path) -> dict[str, Boxes]:
    """Read detections that `write_detections` wrote, bit for bit, in the same order of images.

    Raises:
        InputError: The file is missing or not Parquet, has other columns, or contains rows that are
            not boxes.
    """
    if not path.is_file():
        raise InputError(
            f"{shown(path)} is not a file, expected detections: run the detection first."
        )
    try:
        table = pq.read_table(path).to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(
            f"{shown(path)} is no Parquet file ({shown(str(error))}): run the detection again."
        ) from error
    if list(table.columns) != _COLUMNS:
        raise InputError(
            f"{shown(path)} has the columns {list(table.columns)}, expected {_COLUMNS}:"
            " run the detection again."
        )
    if pd.api.types.infer_dtype(table["image"], skipna=False) not in ("string", "empty"):
        raise InputError(
            f"{shown(path)} has images that are no text, expected names: run the detection again."
        )
    try:
        numbers = table[_COLUMNS[1:]].to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{shown(path)} has boxes that are no numbers ({shown(str(error))}), expected numbers "
            f"in {_COLUMNS[1:]}: run the detection again."
        ) from error
    codes, images = pd.factorize(table["image"])
    numbers = numbers[np.argsort(codes, kind="stable")]
    parts = np.split(numbers, np.cumsum(np.bincount(codes)))[: len(images)]
    pairs = zip(map(str, images), parts, strict=True)
    return {image: _faces(path, image, part) for image, part in pairs}


def _faces(path: Path, image: str, numbers: NDArray[np.float64]) -> Boxes:
    if len(numbers) == 1 and np.isnan(numbers).all():
        return Boxes.none()
    try:
        return Boxes(numbers[:, :4], numbers[:, 4])
    except ValueError as error:
        raise InputError(
            f"{shown(path)} holds rows of {shown(image)} that are no boxes ({error}):"
            " run the detection again."
        ) from error
