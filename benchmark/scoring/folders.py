"""Score folders of a user's own pairs: pair the images by name and measure them."""

import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmark import methods
from benchmark.core import files, jpeg, parallel, user_files
from benchmark.core.console import shown
from benchmark.core.errors import InputError
from benchmark.core.types import Track
from benchmark.data.evaluation import EvaluationInput
from benchmark.scoring import jobs, score
from benchmark.scoring.results import Row

_WORDED = re.compile(r"(\D+)(\d.*)")
"""Pattern of a name that begins with a word and continues with a number, such as `low00690`."""


class Pair(NamedTuple):
    """A dark image and its reference, with their common name."""

    name: str
    dark: Path
    normal: Path


@dataclass(frozen=True)
class ScoreSettings:
    """Settings of a scoring run.

    Attributes:
        chain: Methods, left to right.
        track: Track of the weights.
        trained: Folder of retrained weights.
        qfs: Quality factors; None leaves the image uncompressed.
        dataset: Name of the folder in the result rows.
    """

    chain: methods.Chain
    track: Track
    trained: Path
    qfs: Sequence[int | None]
    dataset: str


class Scored(NamedTuple):
    """Result rows, and one sentence per pair that could not be scored."""

    rows: list[Row]
    problems: list[str]


def listed(folder: Path) -> dict[str, Path]:
    """Return name without suffix -> image file of a folder, sorted by name.

    Raises:
        InputError: The folder does not exist, contains no images, or two images share a name.
    """
    images: dict[str, Path] = {}
    for file in user_files.inside(folder):
        name = shown(file.stem)
        if name in images:
            raise InputError(
                f"{folder} holds both {images[name].name} and {file.name}: keep one of them."
            )
        images[name] = file
    return images


def paired(dark: Path, normal: Path) -> list[Pair]:
    """Pair the images of two folders by name.

    The two names of a pair are equal, or all names of a folder begin with the same word, as in
    LOL-v2: `low00690.png` and `normal00690.png`. Suffixes may differ.

    Args:
        dark: Folder of dark images.
        normal: Folder of normal-light images.

    Raises:
        InputError: A folder is missing or empty, or names do not match.
    """
    inputs, references = listed(dark), listed(normal)
    keys, others = {name: name for name in inputs}, {name: name for name in references}
    if keys.keys() != others.keys():
        keys, others = _numbered(inputs) or keys, _numbered(references) or others
    lonely = sorted(keys.keys() ^ others.keys())
    if lonely:
        raise InputError(
            f"{dark} and {normal} differ in {len(lonely)} image names, first {lonely[0]!r}: "
            "give every dark image the reference of its name."
        )
    return [Pair(name, inputs[name], references[others[key]]) for key, name in keys.items()]


def _numbered(names: Iterable[str]) -> dict[str, str]:
    """Return the rest after a common first word -> name; empty if there is no such word."""
    matches = [(match[1], match[2], name) for name in names if (match := _WORDED.fullmatch(name))]
    if len(matches) != len(list(names)) or len({word for word, _, _ in matches}) != 1:
        return {}
    return {number: name for _, number, name in matches}


def cases(pair: Pair, qfs: Sequence[int | None], dataset: str, to: Path) -> list[EvaluationInput]:
    """Compress a dark image and return it as one test input per quality factor.

    Args:
        pair: The images.
        qfs: Quality factors; None leaves the image uncompressed.
        dataset: Name of the folder in the result rows.
        to: Folder for the JPEG files.

    Raises:
        InputError: An image cannot be read, or they differ in size.
    """
    pixels, _ = score.read_pair(pair.dark, pair.normal, own=True)
    inputs = []
    for qf in qfs:
        source = pair.dark if qf is None else to / f"qf{qf}.jpg"
        if qf is not None:
            files.write_bytes(source, jpeg.encode(pixels, qf))
        inputs.append(EvaluationInput(dataset, pair.name, qf, source, pair.normal, None, own=True))
    return inputs


def score_pairs(pairs: Sequence[Pair], settings: ScoreSettings, processes: int = 1) -> Scored:
    """Score a chain on pairs; a pair that cannot be scored is reported and stops no other.

    Args:
        pairs: Pairs from `paired`.
        settings: Settings of the run.
        processes: Number of processes.

    Raises:
        InputError: The chain's weights are absent or corrupt.
    """
    # before anybody waits for an image
    jobs.assembled(settings.chain, settings.track, settings.trained)
    work = [_Work(pair, settings) for pair in pairs]
    label = f"{settings.chain} ({settings.track})"
    results: list[list[Row] | str] = []
    try:
        results.extend(parallel.map_parallel(_attempt, work, processes, label))
    except InputError as error:  # what was scored before a process died is kept
        results += [f"{pair.dark} was not scored: {error}" for pair in pairs[len(results) :]]
    rows = [row for result in results if not isinstance(result, str) for row in result]
    return Scored(rows, [result for result in results if isinstance(result, str)])


class _Work(NamedTuple):
    pair: Pair
    settings: ScoreSettings


def _attempt(work: _Work) -> list[Row] | str:
    """Return the rows of a pair, or a sentence that describes the problem."""
    pair, settings = work
    try:
        with tempfile.TemporaryDirectory() as folder:
            listed = cases(pair, settings.qfs, settings.dataset, Path(folder))
            work_items = [
                jobs.Job(settings.chain, settings.track, settings.trained, case) for case in listed
            ]
            values = [score.score(job) for job in work_items]
            return score.as_rows("user", work_items, values)
    except InputError as error:
        return str(error)
    except Exception as error:  # whatever a method raises of one image says nothing of the others
        reason = f"{type(error).__name__}: {error}"
        return (
            f"{shown(pair.dark)} cannot be scored with {settings.chain} ({reason}): leave it out, "
            "or mend the method."
        )
