"""JPEG files of the merged data sets, written once and read by every method."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from benchmark.core import files, jpeg, parallel
from benchmark.core.errors import InputError
from benchmark.core.images import read_uint8
from benchmark.data.evaluation import EvaluationInput
from benchmark.data.inputs import TrainingImage
from benchmark.data.lists import PathResolver

CASE_COLUMNS = ["dataset", "image", "qf", "input", "reference", "labels"]
ALIGNED_COLUMNS = ["registered", "left", "top", "refused"]
"""Columns of a list of test inputs that say what protocol `sound` compares with."""


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


def cases(
    lists: Mapping[str, pd.DataFrame],
    qfs: Sequence[int | None],
    registrations: Mapping[str, pd.DataFrame] = MappingProxyType({}),
) -> pd.DataFrame:
    """Return one row per test input, with `CASE_COLUMNS` and `ALIGNED_COLUMNS`.

    For an uncompressed input, qf is <NA>. `input` is a path below the folder of JPEG files, or a
    manifest's path if qf is <NA>; `reference` and `labels` are a manifest's paths, or "" if there
    are none.

    Args:
        lists: Set -> its test pairs.
        qfs: Quality factors; None is the uncompressed image.
        registrations: Set -> how its pairs were registered, as
            `benchmark.registration.batch.references` returns it; sets whose pairs are aligned are
            not in it.
    """
    rows = [
        (name, row.name, qf, file_name(row.dark, qf) if qf else row.dark, row.normal, row.labels)
        for name, frame in lists.items()
        for qf in qfs
        for row in (_Source(*cells) for cells in frame[list(_Source._fields)].to_numpy())
    ]
    made = pd.DataFrame(rows, columns=CASE_COLUMNS).astype({"qf": "Int16"})
    return made.join(pd.DataFrame(_aligned(made, registrations), columns=ALIGNED_COLUMNS))


def _aligned(
    made: pd.DataFrame, registrations: Mapping[str, pd.DataFrame]
) -> list[tuple[str, int, int, int]]:
    """Return the registered image of each test input, its corner, and 1 if it was refused."""
    known = {
        (dataset, row["name"]): (row["registered"], row["left"], row["top"], 1 - row["accepted"])
        for dataset, frame in registrations.items()
        for row in frame.to_dict("records")
    }
    named = made[["dataset", "image"]].itertuples(index=False, name=None)
    return [known.get(key, ("", 0, 0, 0)) for key in named]


def read_registrations(prepared: Path, names: Iterable[str]) -> dict[str, pd.DataFrame]:
    """Return set -> how its test pairs were registered, of the sets where they had to be.

    Args:
        prepared: Folder that the stage prepare wrote.
        names: Test sets.
    """
    paths = {name: prepared / name / "registration.csv" for name in names}
    return {
        name: pd.read_csv(path, dtype={"name": str, "registered": str}, keep_default_na=False)
        for name, path in paths.items()
        if path.is_file()
    }


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
            registered=places.locate(registered) if registered else None,
            left=int(left),
            top=int(top),
            refused=refused == "1",
        )
        for dataset, image, qf, source, reference, labels, registered, left, top, refused in frame[
            [*CASE_COLUMNS, *ALIGNED_COLUMNS]
        ].to_numpy()
    ]
