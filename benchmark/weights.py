"""Where weights lie, checkpoints that describe themselves, and chains built from them."""

import functools
import pickle
import struct
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from benchmark import datasets, outputs
from benchmark.digests import digest_values, sha256
from benchmark.errors import InputError
from benchmark.methods import (
    Chain,
    Plugin,
    Released,
    Step,
    WeightsFile,
)
from benchmark.terms import Track

FORMAT = 1
_AGAIN = "train it again with dvc repro, restore it with git if it ships, or see weights/README.md"
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
MISFITS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What building a method raises where the content of a weights file does not suit its network."""


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
    outputs.write_tensors(path, {"format": FORMAT} | asdict(checkpoint))


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
            f"it, then {_AGAIN}."
        )
    found = Checkpoint(**{name: value for name, value in content.items() if name != "format"})
    if (found.method, found.part) != (method, part):
        own = trained_path(path.parent, found.method, found.part).name
        raise InputError(
            f"{path} holds part {found.part} of {found.method}, expected part {part} of {method}: "
            f"give it back its name, {own}, then {_AGAIN}."
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
            f"{_AGAIN}."
        ) from error


def find_released(file: WeightsFile) -> Path | None:
    """Return where a file lies, or None if no folder has it.

    Raises:
        InputError: A file of that name has another size or SHA-256.
    """
    for folder in datasets.released_folders():
        path = folder / file.file
        if path.is_file():
            return _verified(path, file)
    return None


@functools.cache
def _verified(path: Path, file: WeightsFile) -> Path:
    size, found = path.stat().st_size, sha256(path)
    if size != file.size or found != file.sha256:
        raise InputError(
            f"{path} has {size} bytes and SHA-256 {found[:12]}..., expected {file.size} bytes "
            f"and {file.sha256[:12]}...: get the file again from {file.source}."
        )
    return path


def read_released(released: Released) -> Mapping[str, Any]:
    """Return the state dict that the authors' files hold, as our module loads it.

    Raises:
        InputError: A file is absent or broken.
    """
    return released.adapt(*(read(find_released(f) or Path(f.file)) for f in released.files))


def trained_path(folder: Path, name: str, part: str = "model") -> Path:
    """Return where a profile keeps the weights of a method's part."""
    return folder / (f"{name}.pt" if part == "model" else f"{name}_{part}.pt")


def absent(chain: Chain, track: Track, trained: Path) -> str:
    """Return why `assemble` would find no weights, or "" where it finds them all."""
    for step in chain.plugins:
        reason = _absent(step, track, trained)
        if reason:
            return reason
    return ""


def _absent(step: Plugin, track: Track, trained: Path) -> str:
    if not step.learned:
        return ""
    if track == "retrained":
        path = trained_path(trained, step.name)
        place = "/".join((*path.parts[-3:-1], path.name))
        return "" if path.is_file() else f"{step.title} has no trained weights at {place}"
    if not step.released:
        return f"{step.title} has no released weights that this suite can load"
    chosen = step.released[0]
    if chosen.partial:
        return f"released weights of {step.title} are partial: {chosen.partial}"
    wrong = broken(step)
    if wrong:
        return wrong
    missing = [file.file for file in chosen.files if find_released(file) is None]
    if missing:
        return f"released weights of {step.title} are absent ({', '.join(missing)})"
    return ""


def broken(step: Plugin) -> str:
    """Return what is wrong with a method's released files, or "" where they are sound or absent."""
    try:
        for file in step.released[0].files if step.released else ():
            find_released(file)
    except InputError as error:
        return str(error).removesuffix(".")
    return ""


def tracks(chain: Chain) -> tuple[Track, ...]:
    """Return the tracks a chain can have at all."""
    if not chain.learned:
        return ("classical",)
    learned = [step for step in chain.plugins if step.learned]
    return ("retrained", "released") if all(s.released for s in learned) else ("retrained",)


def assemble(chain: Chain, track: Track, trained: Path) -> list[Step]:
    """Build a chain's methods with their weights.

    Args:
        chain: What to build.
        track: `classical`, `retrained` or `released`; steps without weights ignore it.
        trained: The folder of retrained weights, such as `weights/lol`.

    Raises:
        InputError: Weights are absent or broken.
    """
    reason = absent(chain, track, trained)
    if reason:
        raise InputError(f"Chain {chain} cannot run: {reason}; see weights/README.md.")
    return [Step(step, _build(step, track, trained, chain)) for step in chain.plugins]


def _build(step: Plugin, track: Track, trained: Path, chain: Chain) -> Any:
    if not step.learned:
        return step.build(**chain.settings_of(step.name))
    if track == "retrained":
        path = trained_path(trained, step.name)
        checkpoint = load(path, step.name)
        return _fitted(step, checkpoint.state, checkpoint.settings, str(path), _AGAIN)
    released = step.released[0]
    files = ", ".join(file.file for file in released.files)
    remedy = f"run `mlsm-bench weights verify {step.name}`"
    return _fitted(step, read_released(released), released.settings, files, remedy)


def _fitted(
    step: Plugin, state: Mapping[str, Any], settings: Mapping[str, Any], file: str, remedy: str
) -> Any:
    """Build a method, or say in one sentence why its weights do not fit."""
    try:
        return step.build(state, **settings)
    except InputError:
        raise
    except MISFITS as error:
        words = textwrap.shorten(f"{type(error).__name__}: {error}", 240, placeholder=" ...")
        raise InputError(
            f"{file} does not fit the network of {step.name} with settings {dict(settings)} "
            f"({words}): it is cut, or of another architecture or version; {remedy}."
        ) from error


def settings(chain: Chain, track: Track, trained: Path) -> dict[str, dict[str, Any]]:
    """Return step -> the settings it runs with where they are not the published ones."""
    made: dict[str, dict[str, Any]] = {}
    for step in chain.plugins:
        if not step.learned:
            made[step.name] = chain.settings_of(step.name)
        elif track == "retrained":
            made[step.name] = dict(load(trained_path(trained, step.name), step.name).settings)
        else:
            made[step.name] = dict(step.released[0].settings)
    return {name: found for name, found in made.items() if found}


def budgets(chain: Chain, trained: Path) -> dict[str, list[int]]:
    """Return step -> optimiser steps of its last part's training here, and published ones."""
    records = {
        step.name: load(trained_path(trained, step.name), step.name).record
        for step in chain.plugins
        if step.learned
    }
    return {
        name: [int(record["steps"]), int(record["published_steps"])]
        for name, record in records.items()
        if "steps" in record and "published_steps" in record
    }


def hashes(chain: Chain, track: Track, trained: Path) -> dict[str, str]:
    """Return the SHA-256 of every weights file a chain uses, by step name."""
    found: dict[str, str] = {}
    for step in chain.plugins:
        if step.learned and track == "retrained":
            found[step.name] = sha256(trained_path(trained, step.name))
        elif step.learned:
            digests = [file.sha256 for file in step.released[0].files]
            found[step.name] = digests[0] if len(digests) == 1 else digest_values(digests)
    return found
