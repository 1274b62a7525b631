"""Labels and detections in files from elsewhere, and whether their boxes are what they should be.

The public labels of DARK FACE are corners (x0 y0 x1 y1), its evaluation tool reads x y width
height, COCO's files hold the latter. A file read the wrong way scores near 0 without any error, so
the reading is checked: by its own numbers, and against the labels.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark import matching
from benchmark.detect import widerface
from benchmark.errors import InputError
from benchmark.faces import Faces, read_detections, read_labels

Layout: TypeAlias = Literal["xyxy", "xywh"]
"""Corners x0 y0 x1 y1, or x y width height; pixels."""

_NAMES: Mapping[str, str] = {"xyxy": "x0 y0 x1 y1", "xywh": "x y width height"}
_LOOKED_AT = 20_000
"""Boxes that the reading is judged by, the best ones."""
_FACTOR = 2.0
"""How many times better the other reading must fit the labels for a file to be refused."""

Raw: TypeAlias = Mapping[str, NDArray[np.float64]]
"""Image -> (n, 5): four numbers of a box as the file has them, and the score."""


def read_truth(path: Path) -> dict[str, Faces]:
    """Read labels: a folder of DARK FACE's files, WIDER FACE's annotations, or COCO's JSON.

    Returns:
        Image name without suffix -> faces.

    Raises:
        InputError: There is nothing of that kind, or a file is broken.
    """
    if path.is_dir():
        files = sorted(path.glob("*.txt"))
        if not files:
            raise InputError(f"{path} holds no .txt file, expected a label file an image.")
        return {file.stem: read_labels(file) for file in files}
    if path.suffix.lower() != ".json":
        return dict(widerface.read_annotations(path))
    content = _json(path)
    if not isinstance(content, dict) or not {"images", "annotations"} <= content.keys():
        raise InputError(f"{path} is no COCO ground truth, expected `images` and `annotations`.")
    names = _coco_names(content)
    boxes: dict[str, list[list[float]]] = {name: [] for name in names.values()}
    for entry in content["annotations"]:
        boxes[names[entry["image_id"]]].append(_numbers(path, entry["bbox"], 4))
    listed = {name: np.array(found, np.float64).reshape(-1, 4) for name, found in boxes.items()}
    return {name: Faces.labelled(_corners(path, found, "xywh")) for name, found in listed.items()}


def read(
    path: Path, truth: Mapping[str, Faces], labels: Path, layout: Layout | None
) -> dict[str, Faces]:
    """Read detections: a folder of DARK FACE submissions, COCO results, or a table of this suite.

    A folder holds `<image>.txt` with a line a box: four numbers and the score. Images that the
    file lacks have no detections.

    Args:
        path: Folder, `.json` or `.parquet`.
        truth: The labels, which the reading of boxes is checked against.
        labels: Where they were read from: COCO's JSON has the names of COCO's image ids.
        layout: How boxes are meant; None takes corners, for COCO x y width height.

    Raises:
        InputError: A file is broken, or its boxes look like the other layout.
    """
    if path.suffix.lower() == ".parquet":
        return _completed(read_detections(path), truth)
    coco = path.suffix.lower() == ".json"
    raw = _coco_results(path, labels) if coco else _submission(path)
    chosen: Layout = layout or ("xywh" if coco else "xyxy")
    found = {name: _faces(path, numbers, chosen) for name, numbers in raw.items()}
    check_layout(path, raw, chosen, truth)
    return _completed(found, truth)


def _completed(found: Mapping[str, Faces], truth: Mapping[str, Faces]) -> dict[str, Faces]:
    return {name: Faces.none() for name in truth} | dict(found)


def _submission(folder: Path) -> dict[str, NDArray[np.float64]]:
    files = sorted(folder.glob("*.txt")) if folder.is_dir() else []
    if not files:
        raise InputError(
            f"{folder} is no folder of .txt files, expected detections: a folder with a file an "
            "image (`x0 y0 x1 y1 score` a line), COCO results (.json) or a table (.parquet)."
        )
    return {file.stem: _lines(file) for file in files}


def _lines(file: Path) -> NDArray[np.float64]:
    rows = []
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if line.strip():
            rows.append(_numbers(f"{file} line {number}", line.replace(",", " ").split(), 5))
    return np.array(rows, dtype=np.float64).reshape(-1, 5)


def _numbers(where: object, fields: Iterable[Any], count: int) -> list[float]:
    listed = list(fields)
    try:
        numbers = [float(field) for field in listed]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != count or not np.isfinite(numbers).all():
        wanted = "a box and its score (5 numbers)" if count == 5 else "a box (4 numbers)"
        raise InputError(f"{where} is {listed!r}, expected {wanted}: correct it.")
    return numbers


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}): get it again.") from error


def _coco_names(content: Mapping[str, Any]) -> dict[int, str]:
    return {
        image["id"]: Path(image["file_name"]).with_suffix("").name for image in content["images"]
    }


def _coco_results(path: Path, labels: Path) -> dict[str, NDArray[np.float64]]:
    content = _json(path)
    if not isinstance(content, list) or not all(
        isinstance(entry, dict) and {"image_id", "bbox", "score"} <= entry.keys()
        for entry in content
    ):
        raise InputError(
            f"{path} is no COCO result file, expected a list of image_id, bbox and score."
        )
    names = _coco_names(_json(labels)) if labels.suffix.lower() == ".json" else {}
    rows: dict[str, list[list[float]]] = {}
    for place, entry in enumerate(content):
        name = names.get(entry["image_id"], str(entry["image_id"]))
        numbers = _numbers(f"{path} entry {place}", [*entry["bbox"], entry["score"]], 5)
        rows.setdefault(name, []).append(numbers)
    return {name: np.array(found, np.float64).reshape(-1, 5) for name, found in rows.items()}


def _faces(path: Path, numbers: NDArray[np.float64], layout: Layout) -> Faces:
    return Faces(_corners(path, numbers[:, :4], layout), np.ascontiguousarray(numbers[:, 4]))


def _corners(path: Path, boxes: NDArray[np.float64], layout: Layout) -> NDArray[np.float64]:
    """Return boxes as corners, or refuse those that cannot be meant that way."""
    corners = boxes.copy()
    if layout == "xywh":
        corners[:, 2:] += boxes[:, :2]
    turned = np.flatnonzero((corners[:, 2:] < corners[:, :2]).any(axis=1))
    if len(turned):
        raise InputError(
            f"{path} holds the box {boxes[turned[0]].tolist()}, which has no extent as "
            f"{_NAMES[layout]}: {_hint(layout)}."
        )
    return corners


def _hint(layout: Layout) -> str:
    other: Layout = "xywh" if layout == "xyxy" else "xyxy"
    return f"if the file holds {_NAMES[other]}, say so with `--boxes {other}`, else correct it"


def check_layout(path: Path, raw: Raw, layout: Layout, truth: Mapping[str, Faces]) -> None:
    """Refuse detections that fit the labels much better if read the other way.

    Args:
        path: Named in the message.
        raw: Boxes as the file has them.
        layout: How they are to be read.
        truth: The labels.

    Raises:
        InputError: More than twice as many labelled faces are met (IoU 0.5) by the other reading.
    """
    other: Layout = "xywh" if layout == "xyxy" else "xyxy"
    here, there = (_met(raw, reading, truth) for reading in (layout, other))
    if there > _FACTOR * here:
        raise InputError(
            f"{path} read as {_NAMES[layout]} meets {here} labelled faces, read as "
            f"{_NAMES[other]} it meets {there}: {_hint(layout)}."
        )


def _met(raw: Raw, layout: Layout, truth: Mapping[str, Faces]) -> int:
    """Count the boxes that overlap a labelled face by half or more, over some images."""
    met = seen = 0
    for name, faces in truth.items():
        numbers = raw.get(name, np.empty((0, 5)))
        boxes = numbers[np.argsort(-numbers[:, 4], kind="stable"), :4].copy()
        if layout == "xywh":
            boxes[:, 2:] += boxes[:, :2]
        whole = boxes[(boxes[:, 2:] >= boxes[:, :2]).all(axis=1)]
        if len(whole) and len(faces):
            met += int((matching.overlaps(faces.boxes, whole).max(axis=1) >= 0.5).sum())
        seen += len(boxes)
        if seen > _LOOKED_AT:
            break
    return met
