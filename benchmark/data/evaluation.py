"""Test inputs, with the paths of their files."""

from pathlib import Path
from typing import NamedTuple

from benchmark.core.hashing import sha256


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
        registered: File of the normal-light image after registration, which protocol `sound`
            compares with; None if `reference` serves, because the pair was aligned.
        left: Column of the input, in pixels, at which the registered image begins.
        top: Likewise its row.
        refused: Whether registration refused the pair, so that protocol `sound` has no reference.
    """

    dataset: str
    image: str
    qf: int | None
    input: Path
    reference: Path | None
    labels: Path | None
    own: bool = False
    registered: Path | None = None
    left: int = 0
    top: int = 0
    refused: bool = False

    def key(self) -> str:
        """Return a key unique to this input: names, quality factor and contents of its files."""
        files = [sha256(path) for path in (self.input, self.reference, self.registered) if path]
        aligned = [f"{self.left},{self.top}"] if self.registered else []
        refused = ["refused"] if self.refused else []
        return "|".join([self.dataset, self.image, str(self.qf), *files, *aligned, *refused])
