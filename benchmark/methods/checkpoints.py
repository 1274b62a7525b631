"""Trained weights on disk: checkpoints that say how they were made."""

import pickle
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from benchmark.core import files
from benchmark.core.errors import InputError
from benchmark.core.hashing import digest_values, sha256_bytes

FORMAT = 1
REMEDY = "train it again with dvc repro, restore it with git if it ships, or see weights/README.md"
_UNREADABLE = (
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    struct.error,
)
"""What torch.load raises for files that are cut short, damaged or something else altogether."""


@dataclass(frozen=True)
class Checkpoint:
    """Trained weights and how they were made.

    Attributes:
        method: The plugin's name.
        part: Which of its parts.
        settings: What the plugin's `build` and `train` take besides weights.
        state: State dict, name -> tensor.
        record: How it was trained: recipe, profile, data hash, seed, steps, versions.
    """

    method: str
    part: str
    settings: Mapping[str, Any]
    state: Mapping[str, Any]
    record: Mapping[str, Any] = field(default_factory=dict)


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the file appears whole or not at all."""
    files.write_tensors(path, {"format": FORMAT} | asdict(checkpoint))


def load(path: Path, method: str, part: str = "model") -> Checkpoint:
    """Read the checkpoint of a method's part.

    Args:
        path: The file.
        method: The plugin's name.
        part: Which of its parts.

    Raises:
        InputError: The file is missing, is not a checkpoint of this suite, or holds another method
            or part.
    """
    content = read(path)
    known = {one.name for one in fields(Checkpoint)} | {"format"}
    if not isinstance(content, dict) or content.get("format") != FORMAT or set(content) != known:
        raise InputError(
            f"{path} is not a checkpoint of this suite, expected part {part} of {method}: remove "
            f"it, then {REMEDY}."
        )
    found = Checkpoint(**{name: value for name, value in content.items() if name != "format"})
    if (found.method, found.part) != (method, part):
        own = trained_path(path.parent, found.method, found.part).name
        raise InputError(
            f"{path} holds part {found.part} of {found.method}, expected part {part} of {method}: "
            f"give it back its name, {own}, then {REMEDY}."
        )
    return found


def read(path: Path) -> Any:
    """Read what a weights file holds, tensors and plain values only (never code).

    Raises:
        InputError: The file is missing or cannot be read that way.
    """
    import torch

    if not path.is_file():
        raise InputError(f"There are no weights at {path}: train them or see weights/README.md.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        raise InputError(
            f"{path} with {path.stat().st_size:,} bytes cannot be read as weights "
            f"({type(error).__name__}), it is cut short or something else: remove it, then "
            f"{REMEDY}."
        ) from error


def digest(checkpoint: Checkpoint) -> str:
    """Return the SHA-256 over a checkpoint's weights and settings, whatever its record says."""
    tensors = {
        name: [str(value.dtype), list(value.shape), sha256_bytes(value.numpy().tobytes())]
        for name, value in checkpoint.state.items()
    }
    own = [checkpoint.method, checkpoint.part, dict(checkpoint.settings)]
    return digest_values([*own, tensors])


def trained_path(folder: Path, name: str, part: str = "model") -> Path:
    """Return where a profile keeps the weights of a method's part."""
    return folder / (f"{name}.pt" if part == "model" else f"{name}_{part}.pt")
