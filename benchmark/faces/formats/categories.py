"""Selection of the category of COCO files that is scored, because a person's box is not a face."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from benchmark.core.console import shown
from benchmark.core.errors import InputError
from benchmark.data.labels.text_files import excerpt
from benchmark.faces.formats.coco_fields import Annotation, Result

_SHOWN = 8
_Boxes = TypeVar("_Boxes", Annotation, Result)


class Choice(NamedTuple):
    """The category to score.

    Attributes:
        id: Id of the category; None if all boxes belong to one category.
        several: Whether there are boxes of other categories.
        title: Id and name for messages.
    """

    id: str | None
    several: bool
    title: str


def choose(
    boxes: Sequence[Annotation | Result],
    names: Mapping[str, str],
    requested: str | None,
    where: str,
) -> Choice:
    """Return the category to score: the requested one, or the only one.

    Args:
        boxes: All boxes of labels and detections.
        names: Category id -> name, as declared by the labels.
        requested: Id or name of the requested category, if any.
        where: The files, for messages.

    Raises:
        InputError: There are several categories and none is requested, or the requested one does
            not exist.
    """
    met = dict.fromkeys(box.category_id for box in boxes if box.category_id is not None)
    if requested is None:
        if len(met) > 1:
            raise InputError(
                f"{where} hold boxes of {len(met)} categories ({_listed(met, names)}), expected "
                "one: name the one to score with --category, by id or name."
            )
        return Choice(None, False, "")
    known = dict.fromkeys([*names, *met])
    by_name = [category for category in known if names.get(category) == requested]
    matches = [requested] if requested in known else by_name
    if len(matches) != 1:
        problem = "is the name of several categories" if matches else "is no category"
        raise InputError(
            f"Option --category {excerpt(requested)} {problem} of {where}, expected the id or name "
            f"of one ({_listed(known, names) or 'they tell none'}): correct it."
        )
    return Choice(matches[0], len(met) > 1, _listed(matches, names))


def _listed(ids: Iterable[str], names: Mapping[str, str]) -> str:
    listed = [
        shown(f"{category} {names[category]!r}" if names.get(category) else category)
        for category in ids
    ]
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


def of(choice: Choice, path: Path, section: str, boxes: Sequence[_Boxes]) -> list[_Boxes]:
    """Return the boxes of the category to score.

    Args:
        choice: The category.
        path: The file, for messages.
        section: Kind of its entries for messages, "annotations entry" or "entry".
        boxes: All boxes of the file.

    Raises:
        InputError: A box has no category although there are several, or no box has this category.
    """
    if choice.id is None:
        return list(boxes)
    for place, box in enumerate(boxes):
        if choice.several and box.category_id is None:
            raise InputError(
                f"{shown(path)} {section} {place} lacks the field category_id, expected one beside "
                "boxes of several categories: add it."
            )
    kept = [box for box in boxes if box.category_id in (choice.id, None)]
    if boxes and not kept:
        raise InputError(
            f"{shown(path)} holds {len(boxes)} boxes, none of category {choice.title}, expected "
            "some: give a category one id in labels and detections."
        )
    return kept
