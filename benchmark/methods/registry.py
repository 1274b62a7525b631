"""How methods are found: files in `baselines/`, then entry points of installed packages."""

import difflib
import functools
import importlib
import importlib.metadata
import pkgutil
from collections.abc import Sequence

from benchmark.core.errors import InputError
from benchmark.methods.plugin import Plugin

PACKAGE = "baselines"
ENTRY_POINTS = "mlsm_bench.methods"


def names() -> list[str]:
    """Return the name of every method there is: files in `baselines/`, then entry points."""
    package = importlib.import_module(PACKAGE)
    files = [module.name for module in pkgutil.iter_modules(package.__path__)]
    return sorted({name for name in [*files, *installed()] if not name.startswith("_")})


@functools.cache
def installed() -> dict[str, list[importlib.metadata.EntryPoint]]:
    """Return name -> entry points of that name, read once per process.

    Each reading looks through every installed package, which takes longer than the rest of `find`.
    """
    found: dict[str, list[importlib.metadata.EntryPoint]] = {}
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        found.setdefault(point.name, []).append(point)
    return found


def find(name: str) -> Plugin:
    """Return the method called `name`.

    Raises:
        InputError: There is none, its file does not define it, or there are two of that name.
    """
    if name not in names():
        close = difflib.get_close_matches(name, names(), 1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names())}."
        raise InputError(f"There is no method called {name!r}: {hint}")
    points = installed().get(name, [])
    _refuse_namesakes(name, sorted(points, key=lambda point: point.value))
    for point in points:
        return _checked(point.load(), name, point.value)
    module = importlib.import_module(f"{PACKAGE}.{name}")
    return _checked(getattr(module, name, None), name, f"{PACKAGE}/{name}.py")


def module_of(name: str) -> str:
    """Return the dotted name of the module that defines a method, without loading it.

    Raises:
        InputError: There is no method of that name.
    """
    if name not in names():
        return find(name).module  # which says so
    points = installed().get(name, [])
    return points[0].module if points else f"{PACKAGE}.{name}"


def _refuse_namesakes(name: str, points: Sequence[importlib.metadata.EntryPoint]) -> None:
    """Let no installed package replace a method silently: whose numbers would the rows be?"""
    package = importlib.import_module(PACKAGE)
    built_in = name in (module.name for module in pkgutil.iter_modules(package.__path__))
    places = [f"{PACKAGE}/{name}.py"] if built_in else []
    places += [
        f"{point.value} of package {point.dist.name if point.dist else 'unknown'}"
        for point in points
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
