"""Digests of code: one SHA-256 for a module and all code of the repository that it runs.

Every stored result (a trained part, a scored image, detected boxes, a registered pair) is looked up
under the digest of the code that computed it. The digest covers the module's import closure within
the repository and the versions of the libraries that this closure imports, so that every edit that
can change a number changes the digest. Comments, docstrings, blank lines and the location of a
module do not count, so that a better sentence or a moved file does not repeat any computation.
"""

import ast
import functools
import importlib.machinery
import importlib.metadata
import importlib.util
import io
import sys
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.core.hashing import digest_values

PACKAGES = frozenset({"benchmark", "baselines", "mlsm", "studies"})
"""The repository's own packages; other code is identified by the version of its library."""


@dataclass(frozen=True)
class _Binding:
    """A name that a module imports from another module of the repository.

    Attributes:
        local: The name in the importing module.
        module: The module that it is imported from.
        name: Its name in that module; "" for the module itself.
    """

    local: str
    module: str
    name: str


@dataclass(frozen=True)
class _Module:
    """The parts of a module's source that count.

    Attributes:
        text: The source without comments, docstrings, blank lines and imports of own packages.
        bindings: Names that it imports from own packages and uses.
        reexports: Names that it imports from own packages without using them.
        libraries: Top-level names of all other imports.
        attributes: Name -> attributes that are read from it; "" if it is used in another way.
    """

    text: str
    bindings: tuple[_Binding, ...]
    reexports: tuple[_Binding, ...]
    libraries: frozenset[str]
    attributes: Mapping[str, frozenset[str]]


def of(*modules: str) -> str:
    """Return the SHA-256 over modules, their import closure and the libraries' versions.

    Args:
        modules: Dotted names, such as `benchmark.scoring.score`; a method that another package
            provides is followed within that package, too.

    Raises:
        ModuleNotFoundError: A module does not exist.
    """
    return digest_values([code(*modules), versions(*modules)])


def code(*modules: str) -> str:
    """Return the SHA-256 over modules and their import closure, without library versions.

    Trained weights are looked up under this digest: they are distributed with the suite, and
    another version of a library does not change them. Their record states the versions that
    computed them.
    """
    own = _own(modules)
    return digest_values(sorted({_entry(name, own) for name in closure(*modules)}))


def versions(*modules: str) -> dict[str, str]:
    """Return distribution -> version of every library that modules and their closure import."""
    own = _own(modules)
    names = {name for module in closure(*modules) for name in _read(module, own).libraries}
    found = {dist for name in names for dist in _distributions().get(name, ())}
    return {dist: _version(dist) for dist in sorted(found)}


@functools.cache
def _version(distribution: str) -> str:
    """Return a distribution's version; each reading parses the whole of its metadata."""
    return importlib.metadata.version(distribution)


def closure(*modules: str) -> tuple[str, ...]:
    """Return the sorted names of the modules and of all own modules that they import.

    Imports inside functions count. Imports for type checkers, and names that a package only
    re-exports, do not.
    """
    return _closure(modules, _own(modules))


@functools.cache
def _closure(modules: tuple[str, ...], own: frozenset[str]) -> tuple[str, ...]:
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        parent = name.rpartition(".")[0]
        waiting += [parent] if parent else []
        waiting += [binding.module for binding in _taken(name, own)]
    return tuple(sorted(seen))


def forget() -> None:
    """Clear the caches, so that sources are read again instead of once per process."""
    for known in (_closure, _read, _spec, _taken, _version):
        known.cache_clear()


def _own(modules: tuple[str, ...]) -> frozenset[str]:
    return PACKAGES | {name.partition(".")[0] for name in modules}


def _entry(name: str, own: frozenset[str]) -> str:
    """Return the digest of one module: its text, and the text behind each name that it imports.

    Without the latter, importing a function of the same name from another module would not change
    the digest.
    """
    taken = [[b.local, b.name, _read(b.module, own).text] for b in _taken(name, own)]
    return digest_values([_read(name, own).text, sorted(taken)])


@functools.cache
def _spec(name: str) -> importlib.machinery.ModuleSpec | None:
    """Find a module without importing the packages that it lies in, which may take seconds."""
    package = name.rpartition(".")[0]
    if not package:
        return importlib.util.find_spec(name)
    above = _spec(package)
    if above is None or above.submodule_search_locations is None:
        return None
    return importlib.machinery.PathFinder.find_spec(name, above.submodule_search_locations)


@functools.cache
def _read(name: str, own: frozenset[str]) -> _Module:
    spec = _spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"There is no module {name}.", name=name)
    if spec.origin is None or not spec.origin.endswith(".py"):  # a folder, or compiled
        return _Module("", (), (), frozenset(), {})
    package = name if spec.submodule_search_locations else name.rpartition(".")[0]
    return _parse(Path(spec.origin).read_text(encoding="utf-8"), package, own)


def _parse(source: str, package: str, own: frozenset[str]) -> _Module:
    nodes = list(ast.walk(ast.parse(source)))
    for_checkers = {id(node) for block in _type_checking(nodes) for node in ast.walk(block)}
    ours: list[_Binding] = []
    libraries: set[str] = set()
    cuts: list[ast.stmt] = []
    for node in nodes:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        base = _base(node, package)
        tops = {name.partition(".")[0] for name in base}
        if tops & own:
            cuts.append(node)
        if id(node) in for_checkers:
            continue
        if tops & own:
            ours += _bindings(node, base[0])
        else:
            libraries |= tops - sys.stdlib_module_names
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    text = _without(source, [*cuts, *_docstrings(nodes)])
    return _Module(
        text,
        tuple(binding for binding in ours if binding.local in used),
        tuple(binding for binding in ours if binding.local not in used),
        frozenset(libraries),
        _attributes(nodes),
    )


def _attributes(nodes: Sequence[ast.AST]) -> Mapping[str, frozenset[str]]:
    read: dict[str, set[str]] = {}
    dotted = set()
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            read.setdefault(node.value.id, set()).add(node.attr)
            dotted.add(id(node.value))
    for node in nodes:
        if isinstance(node, ast.Name) and id(node) not in dotted:
            read.setdefault(node.id, set()).add("")
    return {name: frozenset(attributes) for name, attributes in read.items()}


def _type_checking(nodes: Sequence[ast.AST]) -> Iterator[ast.If]:
    """Yield the `if TYPE_CHECKING` blocks of a module."""
    for node in nodes:
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield node


def _base(node: ast.Import | ast.ImportFrom, package: str) -> list[str]:
    """Return the dotted names of the modules in an import statement."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    dots = "." * node.level + (node.module or "")
    return [importlib.util.resolve_name(dots, package) if node.level else dots]


def _bindings(node: ast.Import | ast.ImportFrom, base: str) -> Iterator[_Binding]:
    for alias in node.names:
        if isinstance(node, ast.Import):
            local = alias.asname or alias.name.partition(".")[0]
            yield _Binding(local, alias.name, "")
        else:
            yield _Binding(alias.asname or alias.name, base, alias.name)


@functools.cache
def _taken(name: str, own: frozenset[str]) -> tuple[_Binding, ...]:
    """Return the names that a module uses from others, each with the module that defines it.

    For a package that is imported as a whole, these are the attributes that are read from it.
    """
    module, taken = _read(name, own), list[_Binding]()
    for binding in module.bindings:
        origin = _origin(binding, own)
        taken.append(origin)
        spec = None if origin.name else _spec(origin.module)
        if spec is not None and spec.submodule_search_locations:
            attributes = module.attributes.get(binding.local, frozenset())
            handed = {one.local for one in _read(origin.module, own).reexports}
            wanted = handed if "" in attributes else handed & attributes
            taken += [_origin(_Binding(one, origin.module, one), own) for one in sorted(wanted)]
    return tuple(taken)


def _origin(binding: _Binding, own: frozenset[str]) -> _Binding:
    """Follow a name through packages that only re-export it to the module that defines it."""
    inner = f"{binding.module}.{binding.name}"
    spec = _spec(binding.module)
    if spec is None or not spec.submodule_search_locations:
        return binding
    for handed in _read(binding.module, own).reexports:
        if handed.local == binding.name and handed.name:
            return _origin(_Binding(binding.local, handed.module, handed.name), own)
    is_module = _spec(inner) is not None
    return _Binding(binding.local, inner, "") if is_module else binding


def _docstrings(nodes: Sequence[ast.AST]) -> list[ast.stmt]:
    """Return the statements that consist of a constant: docstrings of objects and attributes."""
    return [
        node
        for node in nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]


def _without(source: str, statements: list[ast.stmt]) -> str:
    """Return the source without the given statements, comments and blank lines."""
    lines = source.splitlines()
    cuts = [
        (*token.start, *token.end)
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    for node in statements:
        end = node.end_lineno or node.lineno
        first, last = lines[node.lineno - 1].encode(), lines[end - 1].encode()
        start_column = len(first[: node.col_offset].decode())
        end_column = len(last[: node.end_col_offset].decode())
        cuts.append((node.lineno, start_column, end, end_column))
    for start, start_column, end, end_column in sorted(cuts, reverse=True):
        tail = lines[end - 1][end_column:]
        lines[start - 1 : end] = [
            lines[start - 1][:start_column] + tail,
            *[""] * (end - start),
        ]
    return "\n".join(line.rstrip() for line in lines if line.strip())


@functools.cache
def _distributions() -> dict[str, list[str]]:
    """Return top-level module -> the distributions that provide it."""
    return dict(importlib.metadata.packages_distributions())
