"""Chains built from methods and their weights, trained here or released by the authors."""

import functools
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.core import locations
from benchmark.core.errors import InputError
from benchmark.core.hashing import digest_values, sha256
from benchmark.core.types import Track
from benchmark.methods import Chain, Plugin, Released, Step, WeightsFile, checkpoints
from benchmark.methods.checkpoints import REMEDY, load, read, trained_path

MISFITS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What building a method raises where the content of a weights file does not suit its network."""


def find_released(file: WeightsFile) -> Path | None:
    """Return where a file lies, or None if no folder has it.

    Raises:
        InputError: A file of that name has another size or SHA-256.
    """
    for folder in locations.released_folders():
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


def absent(chain: Chain, track: Track, trained: Path) -> str:
    """Return why `assemble` would find no weights, or "" where it finds them all."""
    for step in chain.plugins:
        reason = absence(step, track, trained)
        if reason:
            return reason
    return ""


def absence(step: Plugin, track: Track, trained: Path) -> str:
    """Return why a method's weights are missing, or "" where they are here or it has none."""
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
    return tracks_of(chain.plugins)


def tracks_of(plugins: Sequence[Plugin]) -> tuple[Track, ...]:
    """Return the tracks that methods applied one after the other can have."""
    learned = [step for step in plugins if step.learned]
    if not learned:
        return ("classical",)
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
        return _fitted(step, checkpoint.state, checkpoint.settings, str(path), REMEDY)
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


def budgets(chain: Chain, trained: Path) -> dict[str, dict[str, Any]]:
    """Return step -> how its last part was trained: the fields of `records.Budget`."""
    records = {
        step.name: load(trained_path(trained, step.name), step.name).record
        for step in chain.plugins
        if step.learned
    }
    return {
        name: {
            "done": int(record["steps"]),
            "published": int(record["published_steps"]),
            "images": int(record.get("images", {}).get("train", 0)),
            "minutes": float(record.get("minutes", 0.0)),
            "schedule": str(record.get("schedule", "")),
            "flat_at": record.get("flat_at"),
        }
        for name, record in records.items()
        if "steps" in record and "published_steps" in record
    }


def hashes(chain: Chain, track: Track, trained: Path) -> dict[str, str]:
    """Return the SHA-256 of the weights that a chain uses, by step name.

    Of released weights it is that of the file, of trained ones `checkpoints.digest`.
    """
    found: dict[str, str] = {}
    for step in chain.plugins:
        if step.learned and track == "retrained":
            checkpoint = load(trained_path(trained, step.name), step.name)
            found[step.name] = checkpoints.digest(checkpoint)
        elif step.learned:
            digests = [file.sha256 for file in step.released[0].files]
            found[step.name] = digests[0] if len(digests) == 1 else digest_values(digests)
    return found
