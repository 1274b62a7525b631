"""Training images, with the paths of their files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrainingImage:
    """One training image: quality factor -> compressed input, and the target."""

    inputs: Mapping[int, Path]
    target: Path
