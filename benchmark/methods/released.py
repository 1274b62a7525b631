"""Weights that methods' authors released: what is here, whether it loads, how to get the rest."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from benchmark import ROOT, methods
from benchmark.core import locations
from benchmark.core.errors import InputError
from benchmark.core.hashing import sha256
from benchmark.methods import Plugin, Released, WeightsFile, assemble, fetching, summaries

State = Literal["present", "absent", "broken"]


class Listed(NamedTuple):
    """A released file, as it lies on this machine.

    Attributes:
        plugin: The method.
        released: Which of its releases.
        file: Which file of that.
        state: `broken` where a file of that name has another size or SHA-256.
        folder: The weights folder it lies below, or None.
    """

    plugin: Plugin
    released: Released
    file: WeightsFile
    state: State
    folder: Path | None


class Verdict(NamedTuple):
    """Whether a release is sound: `words` says what was found, or what is wrong."""

    method: str
    variant: str
    state: State
    words: str


class Fetched(NamedTuple):
    """What became of a wanted file: `words` says where it lies, or how to get it."""

    method: str
    file: str
    sha256: str
    here: bool
    words: str


def plugins(names: Sequence[str] = ()) -> list[Plugin]:
    """Return the methods that have released weights; all of them where none is named.

    Raises:
        InputError: A name is unknown, or that method has no released weights.
    """
    if not names:
        return [plugin for name in methods.names() if (plugin := methods.find(name)).released]
    for name in names:
        if not methods.find(name).released:
            raise InputError(
                f"Method {name} lists no released weights: see `mlsm-bench weights list` for those "
                "that do."
            )
    return [methods.find(name) for name in dict.fromkeys(names)]


def files(names: Sequence[str] = ()) -> list[Listed]:
    """Return every released file of the named methods, or of all.

    Raises:
        InputError: As `plugins`.
    """
    return [
        Listed(plugin, released, file, *_look(file))
        for plugin in (plugins(names) if names else summaries.plugins())
        for released in plugin.released
        for file in released.files
    ]


def _look(file: WeightsFile) -> tuple[State, Path | None]:
    folders = [found for found in locations.released_folders() if (found / file.file).is_file()]
    if not folders:
        return "absent", None
    try:
        assemble.find_released(file)
    except InputError:
        return "broken", folders[0]
    return "present", folders[0]


def verify(names: Sequence[str] = ()) -> list[Verdict]:
    """Check SHA-256 of every release at hand and load it into its method's module.

    Raises:
        InputError: As `plugins`.
    """
    return [_verdict(plugin, found) for plugin in plugins(names) for found in plugin.released]


def _verdict(plugin: Plugin, released: Released) -> Verdict:
    try:
        missing = [f.file for f in released.files if assemble.find_released(f) is None]
        if missing:
            return Verdict(plugin.name, released.name, "absent", f"{', '.join(missing)} not here")
        words = _loaded(plugin, released, assemble.read_released(released))
    except InputError as error:
        return Verdict(plugin.name, released.name, "broken", str(error))
    except assemble.MISFITS as error:
        words = f"does not load into {plugin.module}: {type(error).__name__}: {error}"
        return Verdict(plugin.name, released.name, "broken", words)
    return Verdict(plugin.name, released.name, "present", words)


def _loaded(plugin: Plugin, released: Released, state: Mapping[str, Any]) -> str:
    """Load a state dict strictly; of partial weights, all they hold must have a place."""
    count = sum(value.numel() for value in state.values())
    if not released.partial:
        plugin.build(state, **released.settings)
        return f"{count:,} numbers loaded from {len(released.files)} file(s)"
    result = _fresh(plugin, released).load_state_dict(state, strict=False)
    if result.unexpected_keys:
        raise ValueError(f"the module has no {', '.join(result.unexpected_keys[:3])}")
    return f"{count:,} numbers loaded; partial: {released.partial}"


def _fresh(plugin: Plugin, released: Released) -> Any:
    """Return the network of a method's last part, untrained."""
    assert plugin.train is not None  # the contract allows released weights of learned methods alone
    before = {
        part: plugin.train(part, {}, **released.settings).network.state_dict()
        for part in plugin.parts[:-1]
    }
    return plugin.train(plugin.parts[-1], before, **released.settings).network


def fetch(names: Sequence[str] = ()) -> list[Fetched]:
    """Get the released files of the named methods, or of all, into `weights/released/`.

    A file that is at hand and sound is left alone. One whose address is not known comes back with
    instructions instead, one that could not be fetched with the reason; the others are fetched.

    Raises:
        InputError: As `plugins`.
    """
    return [_fetched(listed) for listed in files(names)]


def _fetched(listed: Listed) -> Fetched:
    method, file = listed.plugin.name, listed.file
    if listed.state == "present":
        return Fetched(method, file.file, file.sha256, True, f"is in {listed.folder}")
    folder = ROOT / "weights" / "released"
    if file.url:
        try:
            path = fetching.fetch(file, folder)
        except InputError as error:
            return Fetched(method, file.file, file.sha256, False, str(error))
        return Fetched(method, file.file, file.sha256, True, f"fetched to {path}")
    place = (folder / file.file).relative_to(ROOT).as_posix()
    words = (
        f"get it from {file.source}, copy it to {place} ({file.size:,} bytes, SHA-256 "
        f"{file.sha256}), then run `mlsm-bench weights verify {method}`"
    )
    return Fetched(method, file.file, file.sha256, False, words)


def digests() -> dict[str, str]:
    """Return path below its folder -> SHA-256 of every file there; the first folder wins."""
    found: dict[str, str] = {}
    for folder in reversed(locations.released_folders()):
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        found |= {path.relative_to(folder).as_posix(): sha256(path) for path in files}
    return found
