"""How methods are found: files in `baselines/`, variants of them, entry points of packages."""

import dataclasses
import difflib
import functools
import importlib
import importlib.metadata
import pkgutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pydantic
import yaml

from benchmark.core import code_digest
from benchmark.core.errors import InputError
from benchmark.core.hashing import digest_values
from benchmark.methods.plugin import Plugin

PACKAGE = "baselines"
VARIANTS = "variants.yaml"
ENTRY_POINTS = "mlsm_bench.methods"


class Variant(pydantic.BaseModel, extra="forbid", frozen=True):
    """A method that is another one with some settings fixed.

    Attributes:
        method: Name of that method.
        title: How tables spell the variant.
        settings: Settings that are fixed; a profile cannot change them.
    """

    method: str
    title: str
    settings: dict[str, Any] = {}


def names() -> list[str]:
    """Return the names of all methods: files in `baselines/`, variants, then entry points."""
    return sorted({*_files(), *variants(), *installed()})


def folder() -> Path:
    """Return the folder of the suite's own methods."""
    return Path(importlib.import_module(PACKAGE).__path__[0])


def _files() -> list[str]:
    """Return the names of the methods that are files in `baselines/`."""
    modules = [module.name for module in pkgutil.iter_modules([str(folder())])]
    return [name for name in modules if not name.startswith("_")]


def variants() -> dict[str, Variant]:
    """Return name -> variant, as `baselines/variants.yaml` lists them.

    Raises:
        InputError: The file is not such a list.
    """
    return _read_variants(folder() / VARIANTS)


@functools.cache
def _read_variants(path: Path) -> dict[str, Variant]:
    if not path.is_file():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        listed = pydantic.TypeAdapter(dict[str, Variant]).validate_python(content)
    except (yaml.YAMLError, pydantic.ValidationError) as error:
        raise InputError(
            f"{path} is no list of variants, expected lines such as 'name: {{method: mlsm, title: "
            f"Name, settings: {{levels: 1}}}}': {' '.join(str(error).split())}"
        ) from error
    for name, variant in listed.items():
        if variant.method in listed:
            raise InputError(
                f"{path} makes {name!r} a variant of {variant.method!r}, which is a variant "
                "itself: name the method behind it, with all settings."
            )
    return listed


@functools.cache
def installed() -> dict[str, list[importlib.metadata.EntryPoint]]:
    """Return name -> entry points of that name, read once per process.

    Each reading looks through every installed package, which takes longer than the rest of `find`.
    """
    points: dict[str, list[importlib.metadata.EntryPoint]] = {}
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        if not point.name.startswith("_"):
            points.setdefault(point.name, []).append(point)
    return points


def find(name: str) -> Plugin:
    """Return the method called `name`.

    Raises:
        InputError: There is none, its file does not define it, or there are two of that name.
    """
    _refuse_unknown(name)
    _refuse_namesakes(name)
    if name in variants():
        return _variant(name, variants()[name])
    for point in installed().get(name, []):
        return _checked(point.load(), name, point.value)
    module = importlib.import_module(f"{PACKAGE}.{name}")
    return _checked(getattr(module, name, None), name, f"{PACKAGE}/{name}.py")


def module_of(name: str) -> str:
    """Return the dotted name of the module that defines a method, without loading it.

    Raises:
        InputError: There is no method of that name.
    """
    _refuse_unknown(name)
    if name in variants():
        return module_of(_base(name))
    points = installed().get(name, [])
    return points[0].module if points else f"{PACKAGE}.{name}"


def digest(name: str) -> str:
    """Return the SHA-256 of what defines a method: its code, its libraries, a variant's settings.

    Raises:
        InputError: There is no method of that name.
    """
    code = code_digest.of(module_of(name))
    if name not in variants():
        return code
    return digest_values([code, variants()[name].model_dump()])


def _variant(name: str, variant: Variant) -> Plugin:
    """Return a method with some settings fixed, which has no released weights."""
    base = find(_base(name))
    return dataclasses.replace(
        base,
        name=name,
        title=variant.title,
        build=_fixing(base.build, variant.settings),
        train=None if base.train is None else _fixing(base.train, variant.settings),
        released=(),
        fixed=variant.settings,
    )


def _base(name: str) -> str:
    """Return the method that a variant is made of."""
    base = variants()[name].method
    if base not in names():
        raise InputError(
            f"{PACKAGE}/{VARIANTS} makes {name!r} a variant of {base!r}, which is no method: mend "
            "its name there, or remove the line."
        )
    return base


def _fixing(function: Callable[..., Any], settings: dict[str, Any]) -> Callable[..., Any]:
    """Return a function with some settings fixed, whatever it is called with."""

    @functools.wraps(function)
    def fixed(*arguments: Any, **others: Any) -> Any:
        return function(*arguments, **others | settings)

    return fixed


def _refuse_unknown(name: str) -> None:
    if name not in names():
        close = difflib.get_close_matches(name, names(), 1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names())}."
        raise InputError(f"There is no method called {name!r}: {hint}")


def _refuse_namesakes(name: str) -> None:
    """Let nothing replace a method silently: whose numbers would the rows be?"""
    places = [f"{PACKAGE}/{name}.py"] if name in _files() else []
    places += [f"{PACKAGE}/{VARIANTS}"] if name in variants() else []
    points: Sequence[importlib.metadata.EntryPoint] = installed().get(name, [])
    places += [
        f"{point.value} of package {point.dist.name if point.dist else 'unknown'}"
        for point in sorted(points, key=lambda point: point.value)
    ]
    if len(places) > 1:
        raise InputError(
            f"There are {len(places)} methods called {name!r}, expected one: {', '.join(places)}; "
            f"uninstall a package or rename its entry point in the group {ENTRY_POINTS}."
        )


def _checked(found: object, name: str, where: str) -> Plugin:
    if isinstance(found, Plugin) and found.name == name:
        return found
    raise InputError(
        f"{where} does not define a method {name!r}: decorate a function of that name with @plugin."
    )
