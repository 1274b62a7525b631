"""What methods are trained on and tested on: images, and where their files lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmark.core.hashing import sha256


@dataclass(frozen=True)
class TrainingImage:
    """One training image: the compressed inputs by quality factor, and the target."""

    inputs: Mapping[int, Path]
    target: Path


class EvaluationInput(NamedTuple):
    """One test input and where it lies.

    Attributes:
        dataset: Raw set.
        image: Name within the set.
        qf: Quality factor, None for the uncompressed image.
        input: The file every method decodes.
        reference: The normal-light image, or None.
        labels: Face boxes, or None.
        own: Whether the files are a user's own, read by `benchmark.core.user_files`, or a data
        set's.
    """

    dataset: str
    image: str
    qf: int | None
    input: Path
    reference: Path | None
    labels: Path | None
    own: bool = False

    def key(self) -> str:
        """Return what tells this case from any other: names, quality factor, files' contents."""
        files = [sha256(path) for path in (self.input, self.reference) if path]
        return "|".join([self.dataset, self.image, str(self.qf), *files])
