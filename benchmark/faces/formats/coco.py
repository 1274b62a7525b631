"""Read and validate COCO's ground truth and results, and convert them to boxes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pydantic_core
from numpy.typing import NDArray

from benchmark.core.console import shown
from benchmark.core.errors import InputError
from benchmark.data.labels import text_files
from benchmark.data.labels.boxes import Boxes, Regions
from benchmark.data.labels.text_files import excerpt
from benchmark.faces.formats.coco_fields import (
    Annotation,
    Category,
    Entry,
    GroundTruth,
    Picture,
    Result,
    checked,
)

_TRUTH = "COCO ground truth, an object with `images` and `annotations`"
_RESULTS = "COCO results, a list of objects with `image_id`, `category_id`, `bbox` and `score`"
_Known = TypeVar("_Known", bound=Entry)


@dataclass(frozen=True)
class Truth:
    """Ground truth with consistent ids.

    Attributes:
        path: The file.
        names: Image id -> name: the path of its file, or the id if it has none.
        annotations: Faces and regions, in the order of the file.
        categories: Category id -> name, as declared in the file.
    """

    path: Path
    names: dict[str, str]
    annotations: list[Annotation]
    categories: dict[str, str]


@dataclass(frozen=True)
class Results:
    """Detections in the order of the file."""

    path: Path
    entries: list[Result]


def read_truth(path: Path) -> Truth:
    """Read COCO ground truth.

    Raises:
        InputError: The file does not have this format, or an id is missing or ambiguous; the
            message names the entry.
    """
    content = checked(path, "", _json(path, _TRUTH), GroundTruth)
    images = _entries(path, "images", content.images, Picture)
    annotations = _entries(path, "annotations", content.annotations, Annotation)
    categories = _entries(path, "categories", content.categories, Category)
    names = {image.id: image.file_name or image.id for image in images}
    _once(path, "images", "id", [image.id for image in images])
    _once(path, "images", "file_name", list(names.values()))
    _once(path, "categories", "id", [category.id for category in categories])
    _once(path, "annotations", "id", [a.id for a in annotations if a.id is not None])
    truth = Truth(path, names, annotations, {category.id: category.name for category in categories})
    for place, annotation in enumerate(annotations):
        _belongs(truth, f"annotations entry {place}", annotation)
    return truth


def _belongs(truth: Truth, place: str, annotation: Annotation) -> None:
    wrong, category = "", annotation.category_id
    if annotation.image_id not in truth.names:
        wrong = f"image_id {excerpt(annotation.image_id)}, expected the id of one of `images`"
    elif truth.categories and category is not None and category not in truth.categories:
        wrong = f"category_id {excerpt(category)}, expected the id of one of `categories`"
    elif min(annotation.bbox[2:]) < 0:
        wrong = f"bbox {annotation.bbox}, expected x y width height, none of the sizes negative"
    if wrong:
        raise InputError(f"{shown(truth.path)} {place} has {wrong}: correct it.")


def read_results(path: Path) -> Results:
    """Read COCO results.

    Raises:
        InputError: The file does not have this format; the message names the entry.
    """
    content = _json(path, _RESULTS)
    if not isinstance(content, list):
        raise InputError(
            f"{shown(path)} is {excerpt(content)}, expected {_RESULTS}: write that list alone."
        )
    return Results(path, _entries(path, "", content, Result))


def _json(path: Path, what: str) -> Any:
    text = text_files.read(path, what)
    try:
        return pydantic_core.from_json(text)
    except ValueError as error:
        raise InputError(
            f"{shown(path)} is not JSON ({error}), expected {what}: get it again."
        ) from error


def _entries(path: Path, section: str, listed: list[Any], model: type[_Known]) -> list[_Known]:
    name = f"{section} entry".strip()
    return [checked(path, f"{name} {place}", entry, model) for place, entry in enumerate(listed)]


def _once(path: Path, section: str, field: str, values: Sequence[str]) -> None:
    twice = [value for value, times in Counter(values).items() if times > 1]
    if twice:
        raise InputError(
            f"{shown(path)} has the {field} {excerpt(twice[0])} more than once in {section}, "
            "expected each once: correct the others."
        )


def faces(truth: Truth, annotations: Iterable[Annotation]) -> dict[str, Boxes]:
    """Return image -> labelled faces with ignored regions.

    Ignored regions are annotations with `iscrowd` or `ignore`; pycocotools itself reads only the
    former.

    Args:
        truth: The ground truth.
        annotations: The annotations that count.
    """
    counted: dict[str, list[list[float]]] = {name: [] for name in truth.names.values()}
    regions: dict[str, list[list[float]]] = {name: [] for name in counted}
    crowds: dict[str, list[bool]] = {name: [] for name in counted}
    for annotation in annotations:
        name = truth.names[annotation.image_id]
        if annotation.iscrowd or annotation.ignore:
            regions[name].append(annotation.bbox)
            crowds[name].append(bool(annotation.iscrowd))
        else:
            counted[name].append(annotation.bbox)
    return {
        name: Boxes.labelled(
            _corners(boxes), Regions(_corners(regions[name]), np.array(crowds[name], np.bool_))
        )
        for name, boxes in counted.items()
    }


def _corners(boxes: list[list[float]]) -> NDArray[np.float64]:
    """Convert x, y, width, height to x0, y0, x1, y1."""
    array = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    array[:, 2:] += array[:, :2]
    return array
