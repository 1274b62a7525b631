"""What is known of all methods, kept so that listing them loads neither torch nor a network."""

import contextlib
import dataclasses
from pathlib import Path
from typing import Any

import benchmark
from benchmark import ROOT
from benchmark.core import code_digest, jsonfile
from benchmark.core.errors import InputError
from benchmark.core.hashing import digest_values, sha256
from benchmark.methods import registry
from benchmark.methods.plugin import Plugin, Released, WeightsFile

FILE = ROOT / ".cache" / "methods.json"
_CODE = ("build", "train", "quick", "fixed")
"""Fields of a plugin that no list shows and no file holds."""


def plugins() -> list[Plugin]:
    """Return every method as `registry.find` does, but unable to be built or trained.

    They are found again as long as no file of `baselines/`, of this room, and no module of an
    entry point has changed.

    Raises:
        InputError: As `registry.find`.
    """
    key = _key()
    content = jsonfile.read(FILE) if FILE.is_file() else {}
    if content.get("key") != key:
        found = [registry.find(name) for name in registry.names()]
        content = {"key": key, "methods": [_plain(plugin) for plugin in found]}
        with contextlib.suppress(InputError, OSError):  # a folder that may only be read
            jsonfile.write(FILE, content)
    return [_plugin(plain) for plain in content["methods"]]


def _key() -> str:
    folders = [registry.folder(), Path(benchmark.__file__).parent / "methods"]
    paths = [path for folder in folders for path in folder.iterdir()]
    sources = sorted(path for path in paths if path.suffix in (".py", ".yaml"))
    points = [point for points in registry.installed().values() for point in points]
    return digest_values(
        [
            *([str(path), sha256(path)] for path in sources),
            *([point.name, point.value, code_digest.code(point.module)] for point in points),
        ]
    )


def _plain(plugin: Plugin) -> dict[str, Any]:
    released = [
        {"name": one.name, "partial": one.partial, "files": [vars(file) for file in one.files]}
        for one in plugin.released
    ]
    values = {
        field.name: getattr(plugin, field.name)
        for field in dataclasses.fields(plugin)
        if field.name not in _CODE
    }
    return values | {"released": released, "learned": plugin.learned}


def _plugin(plain: dict[str, Any]) -> Plugin:
    values = dict(plain)
    learned = values.pop("learned")
    released = tuple(
        Released(
            one["name"],
            tuple(WeightsFile(**file) for file in one["files"]),
            partial=one["partial"],
        )
        for one in values.pop("released")
    )
    parts = tuple(values.pop("parts"))
    train = _not_loaded if learned else None
    return Plugin(
        **values, released=released, parts=parts, build=_not_loaded, train=train, quick={}
    )


def _not_loaded(*_: Any, **__: Any) -> Any:
    raise RuntimeError("A method of a list cannot run: get it from benchmark.methods.find.")
