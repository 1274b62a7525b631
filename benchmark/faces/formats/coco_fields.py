"""Schema of all fields in COCO's ground truth and results.

The fields are those of cocodataset.org, `ignore` of pycocotools and `attributes` of annotation
tools. Any other field could mean that a face does not count, so it is refused.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    ValidationError,
)

from benchmark.core.console import shown
from benchmark.core.errors import InputError
from benchmark.data.labels.text_files import LIMIT, excerpt

_LARGEST_ID = 10**18


def _text(value: object) -> str:
    """Return an id as text; 7, 7.0 and "7" are the same."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("an id must be a whole number or a text")
    if not abs(value) <= _LARGEST_ID or int(value) != value:
        raise ValueError("an id must be whole and small")
    return str(int(value))


Id = Annotated[str, BeforeValidator(_text)]
_Number = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-LIMIT, le=LIMIT)]
_Box: TypeAlias = Annotated[list[_Number], Field(min_length=4, max_length=4)]
_Flag: TypeAlias = Literal[0, 1] | StrictBool


class Entry(BaseModel):
    """An object without unknown fields."""

    model_config = ConfigDict(extra="forbid")


class Picture(Entry):
    """An entry of `images`."""

    id: Id
    file_name: Annotated[StrictStr, Field(min_length=1)] | None = None
    width: Any = None
    height: Any = None
    license: Any = None
    flickr_url: Any = None
    coco_url: Any = None
    date_captured: Any = None


class Annotation(Entry):
    """An entry of `annotations`: a face, or a region in which detections do not count."""

    id: Id | None = None
    image_id: Id
    category_id: Id | None = None
    bbox: _Box
    iscrowd: _Flag = 0
    ignore: _Flag = 0
    area: Any = None
    segmentation: Any = None
    keypoints: Any = None
    num_keypoints: Any = None
    caption: Any = None
    attributes: Any = None


class Category(Entry):
    """An entry of `categories`."""

    id: Id
    name: StrictStr = ""
    supercategory: Any = None
    keypoints: Any = None
    skeleton: Any = None
    color: Any = None
    isthing: Any = None


class GroundTruth(Entry):
    """A file of labels whose entries are not validated yet."""

    images: list[Any]
    annotations: list[Any]
    categories: list[Any] = []
    info: Any = None
    licenses: Any = None
    type: Any = None


class Result(Entry):
    """An entry of a file of results, which is a detection."""

    image_id: Id
    category_id: Id | None = None
    bbox: _Box
    score: _Number
    id: Any = None
    file_name: Any = None
    iscrowd: Any = None
    area: Any = None
    segmentation: Any = None
    keypoints: Any = None
    caption: Any = None


_EXPECTED: Mapping[str, str] = MappingProxyType(
    {
        "images": "a list of images",
        "annotations": "a list of annotations",
        "categories": "a list of categories",
        "id": "a whole number or a text",
        "image_id": "the id of an image, a whole number or a text",
        "category_id": "the id of a category, a whole number or a text",
        "bbox": f"four numbers x y width height within {LIMIT:g}",
        "score": f"a number within {LIMIT:g}",
        "iscrowd": "0 or 1",
        "ignore": "0 or 1",
        "file_name": "the name of a file",
        "name": "a text",
    }
)
_Known = TypeVar("_Known", bound=Entry)


def checked(path: Path, place: str, value: object, model: type[_Known]) -> _Known:
    """Validate an object of a file with its schema.

    Args:
        path: The file.
        place: Place in the file, such as "annotations entry 3"; "" for the whole file.
        value: The object.
        model: The schema.

    Raises:
        InputError: The object does not match; the message states the first problem.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        raise InputError(
            f"{shown(path)} {place}{' ' if place else ''}{_wrong(value, field, model)}."
        ) from error


def _wrong(value: object, field: str, model: type[Entry]) -> str:
    known = ", ".join(model.model_fields)
    if not isinstance(value, dict):
        return f"is {excerpt(value)}, expected an object with the fields {known}: correct it"
    if field not in model.model_fields:
        return (
            f"has the unknown field {excerpt(field)}, expected no others than {known}: remove it, "
            "and mark faces that do not count with `ignore` or `iscrowd`"
        )
    if field not in value:
        return f"lacks the field {field}, expected {_EXPECTED[field]}: add it"
    return f"has {field} {excerpt(value[field])}, expected {_EXPECTED[field]}: correct it"
