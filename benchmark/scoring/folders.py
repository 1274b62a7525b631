"""Folders of the user's own pairs: which images belong together, and their scores."""

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
from benchmark.data.inputs import EvaluationInput
from benchmark.scoring import jobs, score
from benchmark.scoring.results import Row

_WORDED = re.compile(r"(\D+)(\d.*)")
"""A name that begins with a word and goes on with a number, as LOL-v2's `low00690` does."""


class Pair(NamedTuple):
    """A dark image, its reference, and what both are called."""

    name: str
    dark: Path
    normal: Path


@dataclass(frozen=True)
class Wish:
    """What is scored.

    Attributes:
        chain: Methods, left to right.
        track: Which weights.
        trained: Folder of retrained weights.
        qfs: Quality factors; None leaves the image as it is.
        dataset: What rows call the folder.
    """

    chain: methods.Chain
    track: Track
    trained: Path
    qfs: Sequence[int | None]
    dataset: str


class Scored(NamedTuple):
    """Result rows, and a sentence about each pair that has none."""

    rows: list[Row]
    problems: list[str]


def listed(folder: Path) -> dict[str, Path]:
    """Return name without suffix -> image file of a folder, in the order of names.

    Raises:
        InputError: There is no such folder, it holds no images, or two share a name.
    """
    found: dict[str, Path] = {}
    for file in user_files.inside(folder):
        name = shown(file.stem)
        if name in found:
            raise InputError(
                f"{folder} holds both {found[name].name} and {file.name}: keep one of them."
            )
        found[name] = file
    return found


def paired(dark: Path, normal: Path) -> list[Pair]:
    """Pair the images of two folders by name.

    Names are equal, or each folder begins all of its names with a word of its own, as LOL-v2 does:
    `low00690.png` and `normal00690.png`. Suffixes may differ.

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
    """Return what follows the word that all names begin with -> name; nothing without one."""
    found = [(match[1], match[2], name) for name in names if (match := _WORDED.fullmatch(name))]
    if len(found) != len(list(names)) or len({word for word, _, _ in found}) != 1:
        return {}
    return {number: name for _, number, name in found}


def cases(pair: Pair, qfs: Sequence[int | None], dataset: str, to: Path) -> list[EvaluationInput]:
    """Compress a dark image and return it as one test input per quality factor.

    Args:
        pair: The images.
        qfs: Quality factors; None leaves the image as it is.
        dataset: What rows call the folder.
        to: Folder for the JPEG files.

    Raises:
        InputError: An image cannot be read, or they differ in size.
    """
    pixels, reference = user_files.read(pair.dark), user_files.read(pair.normal)
    if pixels.shape != reference.shape:
        sizes = " and ".join(f"{a.shape[1]}x{a.shape[0]}" for a in (pixels, reference))
        raise InputError(
            f"{pair.dark} and its reference {pair.normal} are {sizes} pixels, expected one size: "
            "crop them to it."
        )
    made = []
    for qf in qfs:
        source = pair.dark if qf is None else to / f"qf{qf}.jpg"
        if qf is not None:
            files.write_bytes(source, jpeg.encode(pixels, qf))
        made.append(EvaluationInput(dataset, pair.name, qf, source, pair.normal, None, own=True))
    return made


def score_pairs(pairs: Sequence[Pair], wish: Wish, processes: int = 1) -> Scored:
    """Score a chain on pairs; one that cannot be scored is told and ends no other.

    Args:
        pairs: From `paired`.
        wish: What to score.
        processes: How many pairs are worked on at a time.

    Raises:
        InputError: The chain's weights are absent or broken.
    """
    jobs.assembled(wish.chain, wish.track, wish.trained)  # before anybody waits for an image
    work = [_Work(pair, wish) for pair in pairs]
    label = f"{wish.chain} ({wish.track})"
    results: list[list[Row] | str] = []
    try:
        results.extend(parallel.map_parallel(_attempt, work, processes, label))
    except InputError as error:  # what was scored before a process died is kept
        results += [f"{pair.dark} was not scored: {error}" for pair in pairs[len(results) :]]
    rows = [row for found in results if not isinstance(found, str) for row in found]
    return Scored(rows, [found for found in results if isinstance(found, str)])


class _Work(NamedTuple):
    pair: Pair
    wish: Wish


def _attempt(work: _Work) -> list[Row] | str:
    """Return the rows of a pair, or a sentence about what is wrong with it."""
    pair, wish = work
    try:
        with tempfile.TemporaryDirectory() as folder:
            listed = cases(pair, wish.qfs, wish.dataset, Path(folder))
            made = [jobs.Job(wish.chain, wish.track, wish.trained, case) for case in listed]
            values = [score.score(job) for job in made]
            return score.as_rows("user", made, values)
    except InputError as error:
        return str(error)
    except Exception as error:  # whatever a method raises of one image says nothing of the others
        reason = f"{type(error).__name__}: {error}"
        return (
            f"{shown(pair.dark)} cannot be scored with {wish.chain} ({reason}): leave it out, or "
            "mend the method."
        )
