"""JPEG files of the merged data sets, written once and read by every method."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmark.core import files, jpeg, parallel
from benchmark.core.errors import InputError
from benchmark.core.images import read_uint8
from benchmark.data.evaluation import EvaluationInput
from benchmark.data.inputs import TrainingImage
from benchmark.data.lists import PathResolver

CASE_COLUMNS = ["dataset", "image", "qf", "input", "reference", "labels"]


class _Job(NamedTuple):
    source: Path
    targets: dict[int, Path]  # quality factor -> file to write


def file_name(cell: str, qf: int) -> str:
    """Return the path of an image's JPEG file below the folder of JPEG files."""
    return f"{cell}.qf{qf}.jpg"


def compress(
    cells: Sequence[str], qfs: Sequence[int], places: PathResolver, to: Path, jobs: int
) -> None:
    """Write every image as JPEG at every quality factor; existing files are kept.

    Args:
        cells: Paths in the form of merged manifests; see `PathResolver`.
        qfs: Quality factors.
        places: Resolver of these paths.
        to: Folder of JPEG files.
        jobs: Number of processes.
    """
    work = []
    for cell in dict.fromkeys(cells):
        targets = {qf: to / file_name(cell, qf) for qf in qfs}
        missing = {qf: path for qf, path in targets.items() if not path.is_file()}
        if missing:
            work.append(_Job(places.locate(cell), missing))
    for _ in parallel.map_parallel(_compress, work, jobs, "compressing"):
        pass


def _compress(job: _Job) -> None:
    pixels = read_uint8(job.source)
    for qf, target in job.targets.items():
        files.write_bytes(target, jpeg.encode(pixels, qf))


def cases(lists: Mapping[str, pd.DataFrame], qfs: Sequence[int | None]) -> pd.DataFrame:
    """Return one row per test input: dataset, image, qf, input, reference, labels.

    For an uncompressed input, qf is <NA>. `input` is a path below the folder of JPEG files, or a
    manifest's path if qf is <NA>; `reference` and `labels` are a manifest's paths, or "" if there
    are none.
    """
    rows = [
        (name, row.name, qf, file_name(row.dark, qf) if qf else row.dark, row.normal, row.labels)
        for name, frame in lists.items()
        for qf in qfs
        for row in (_Source(*cells) for cells in frame[list(_Source._fields)].to_numpy())
    ]
    return pd.DataFrame(rows, columns=CASE_COLUMNS).astype({"qf": "Int16"})


class _Source(NamedTuple):
    name: str
    dark: str
    normal: str
    labels: str


def items(
    listed: pd.DataFrame,
    side: str,
    target: str,
    qfs: Sequence[int],
    jpegs: Path,
    places: PathResolver,
) -> dict[str, list[TrainingImage]]:
    """Return split -> training items of a merged list.

    Args:
        listed: A merged list with splits `train` and `validation`.
        side: Column of the images whose JPEG files are the inputs: `dark` or `normal`.
        target: Column of the targets.
        qfs: Quality factors of the inputs.
        jpegs: Folder of JPEG files.
        places: Resolver of the targets' paths.
    """
    images: dict[str, list[TrainingImage]] = {"train": [], "validation": []}
    for split, source, original in listed[["split", side, target]].to_numpy():
        inputs = {qf: jpegs / file_name(source, qf) for qf in qfs}
        images[split].append(TrainingImage(inputs, places.locate(original)))
    return images


def read_cases(path: Path, jpegs: Path, places: PathResolver) -> list[EvaluationInput]:
    """Read a list of test inputs that `cases` returned.

    Raises:
        InputError: The list does not exist.
    """
    if not path.is_file():
        raise InputError(f"There is no list of test inputs at {path}: run the stage compress.")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    return [
        EvaluationInput(
            dataset,
            image,
            int(qf) if qf else None,
            jpegs / source if qf else places.locate(source),
            places.locate(reference) if reference else None,
            places.locate(labels) if labels else None,
        )
        for dataset, image, qf, source, reference, labels in frame[CASE_COLUMNS].to_numpy()
    ]
