"""Training images and test inputs, with the paths of their files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmark.core.hashing import sha256


@dataclass(frozen=True)
class TrainingImage:
    """One training image: quality factor -> compressed input, and the target."""

    inputs: Mapping[int, Path]
    target: Path


class EvaluationInput(NamedTuple):
    """One test input with the paths of its files.

    Attributes:
        dataset: Name of the raw set.
        image: Name within the set.
        qf: Quality factor; None for the uncompressed image.
        input: The file that every method decodes.
        reference: File of the normal-light image, or None.
        labels: File of the face boxes, or None.
        own: True if the files are a user's own, which `benchmark.core.user_files` reads; False if
            they belong to a data set.
    """

    dataset: str
    image: str
    qf: int | None
    input: Path
    reference: Path | None
    labels: Path | None
    own: bool = False

    def key(self) -> str:
        """Return a key unique to this input: names, quality factor and contents of its files."""
        files = [sha256(path) for path in (self.input, self.reference) if path]
        return "|".join([self.dataset, self.image, str(self.qf), *files])
