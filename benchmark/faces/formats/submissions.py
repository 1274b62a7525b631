"""Load labels and detections of other tools, with the image names of the labels.

Known formats: DARK FACE's label and submission files, WIDER FACE's annotations and submissions,
COCO's ground truth and results, and the tables of this suite. All other files are refused, because
a file that is read wrongly would give a number all the same.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmark.core.console import shown
from benchmark.core.errors import InputError
from benchmark.data.labels import dark_face, text_files, wider_face
from benchmark.data.labels.boxes import Boxes, read_detections
from benchmark.faces.formats import categories, coco, readings
from benchmark.faces.formats.names import Names
from benchmark.faces.formats.readings import Layout

_FORMATS = (
    "a folder with a file an image (`x0 y0 x1 y1 score` a line, or WIDER FACE's submissions), "
    "COCO results (.json) or a table of this suite (.parquet)"
)


class Loaded(NamedTuple):
    """Labels and detections of the same images, in the order of the labels.

    Attributes:
        truth: Image name -> labelled faces.
        found: The same image names -> detections.
        unseen: Images that do not occur in the detections; they count as images without any.
    """

    truth: dict[str, Boxes]
    found: dict[str, Boxes]
    unseen: list[str]

    def described(self) -> str:
        """Return a summary: numbers of images, faces and boxes, and images without detections."""
        boxes, faces = (sum(map(len, by_image.values())) for by_image in (self.found, self.truth))
        regions = sum(len(labelled.ignored) for labelled in self.truth.values())
        text = f"{boxes} boxes against {faces} faces in {len(self.truth)} images"
        text += f", {regions} ignored regions" if regions else ""
        if self.unseen:
            first = shown(self.unseen[0])
            text += f", {len(self.unseen)} images without detections (the first is {first})"
        return text


class _Boxes(NamedTuple):
    """Detections as in a file: image -> (n, 5) numbers, and the layout of the boxes."""

    by_image: dict[str, NDArray[np.float64]]
    layout: Layout


def load(
    labels: Path, detections: Path, layout: Layout | None = None, category: str | None = None
) -> Loaded:
    """Read labels and the detections to score against them.

    Args:
        labels: A folder of DARK FACE's label files, WIDER FACE's annotations, or COCO ground truth
            (`.json`).
        detections: A folder of DARK FACE's or WIDER FACE's submissions, COCO results (`.json`), or
            a table of this suite (`.parquet`).
        layout: Layout of the boxes; None takes that of the format.
        category: Id or name of the category of COCO files to score.

    Raises:
        InputError: The format is unknown, a file is malformed, an image has no labels, or the boxes
            seem to have another layout.
    """
    known = coco.read_truth(labels) if _is_json(labels) else None
    results = coco.read_results(detections) if _is_json(detections) else None
    if category is not None and known is None and results is None:
        raise InputError(
            f"Option --category {text_files.excerpt(category)} needs COCO files, which tell the "
            f"categories of boxes, but got {shown(labels)} and {shown(detections)}: leave it out."
        )
    choice = categories.choose(
        [*(known.annotations if known else []), *(results.entries if results else [])],
        known.categories if known else {},
        category,
        " and ".join(shown(file.path) for file in (known, results) if file),
    )
    truth = _truth(labels, known, choice)
    names = Names(truth, labels)
    if results:
        boxes = _of_results(results, choice, known, names, labels)
    else:
        given = _table(detections) if _ends(detections, ".parquet") else _folder(detections)
        boxes = _Boxes(_renamed(detections, given.by_image, names, labels), given.layout)
    by_name = readings.read(detections, boxes.by_image, layout or boxes.layout, truth)
    unseen = [name for name in truth if name not in by_name]
    return Loaded(truth, {name: by_name.get(name, Boxes.none()) for name in truth}, unseen)


def _ends(path: Path, suffix: str) -> bool:
    return path.suffix.lower() == suffix and not path.is_dir()


def _is_json(path: Path) -> bool:
    return _ends(path, ".json")


def _truth(path: Path, known: coco.Truth | None, choice: categories.Choice) -> dict[str, Boxes]:
    if known is not None:
        chosen = categories.of(choice, path, "annotations entry", known.annotations)
        return coco.faces(known, chosen)
    if path.is_file():
        return dict(wider_face.read_annotations(path))
    if not path.is_dir():
        raise InputError(
            f"{shown(path)} is not there, expected labels: a folder of DARK FACE's label files, "
            "WIDER FACE's annotations or COCO ground truth (.json); check the path."
        )
    files = text_files.files(path)
    if not files:
        raise InputError(f"{shown(path)} holds no .txt file, expected a label file an image.")
    return {name: dark_face.read_labels(file) for name, file in files.items()}


def _of_results(
    results: coco.Results,
    choice: categories.Choice,
    known: coco.Truth | None,
    names: Names,
    labels: Path,
) -> _Boxes:
    """Group COCO results by image: by its id in COCO ground truth, otherwise by its name."""
    rows: dict[str, list[list[float]]] = {}
    for result in categories.of(choice, results.path, "entry", results.entries):
        rows.setdefault(result.image_id, []).append([*result.bbox, result.score])
    by_id = {image_id: np.array(boxes, np.float64) for image_id, boxes in rows.items()}
    strange = (
        [] if known is None else [image_id for image_id in by_id if image_id not in known.names]
    )
    if known is not None and not strange:
        return _Boxes({known.names[image_id]: boxes for image_id, boxes in by_id.items()}, "xywh")
    if strange and not all(map(names.find, by_id)):
        raise _unlabelled(results.path, strange, len(by_id), labels)
    return _Boxes(_renamed(results.path, by_id, names, labels), "xywh")


def _table(path: Path) -> _Boxes:
    listed = read_detections(path).items()
    return _Boxes(
        {name: np.column_stack([faces.boxes, faces.scores]) for name, faces in listed}, "xyxy"
    )


def _folder(folder: Path) -> _Boxes:
    files = text_files.files(folder) if folder.is_dir() else {}
    if not files:
        raise InputError(
            f"{shown(folder)} is no folder of .txt files, expected detections: give {_FORMATS}."
        )
    plain, wider = {}, {}
    for name, file in files.items():
        lines = text_files.lines(file, "detections")
        if wider_face.is_submission(lines):
            wider[name] = wider_face.read_submission(file, lines)
        else:
            plain[name] = dark_face.boxes(file, lines)
    mixed = next((name for name, numbers in plain.items() if len(numbers)), None)
    if wider and mixed is not None:
        raise InputError(
            f"{shown(folder)} mixes WIDER FACE's submissions ({shown(next(iter(wider)))}) with "
            f"files of lines of boxes ({shown(mixed)}), expected one format: convert the others."
        )
    return _Boxes({**plain, **wider}, "xywh" if wider else "xyxy")


def _renamed(
    path: Path, given: Mapping[str, NDArray[np.float64]], names: Names, labels: Path
) -> dict[str, NDArray[np.float64]]:
    """Replace the image names of a file of detections by those of the labels."""
    meant = {name: names.find(name) for name in given}
    strange = [name for name, image in meant.items() if image is None]
    if strange:
        raise _unlabelled(path, strange, len(given), labels)
    renamed: dict[str, NDArray[np.float64]] = {}
    for name, image in meant.items():
        if image is not None and image in renamed:
            raise InputError(
                f"{shown(path)} has detections of {shown(image)} under several names, the last is "
                f"{shown(name)}, expected one: remove the others."
            )
        renamed[str(image)] = given[name]
    return renamed


def _unlabelled(path: Path, strange: Sequence[str], count: int, labels: Path) -> InputError:
    return InputError(
        f"{len(strange)} of {count} images of {shown(path)} have no labels in {shown(labels)} (the "
        f"first is {shown(strange[0])}), expected labels of each: add them or leave the images out."
    )
