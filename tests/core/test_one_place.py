"""Files are written through `benchmark.core.files` and text is printed through
`benchmark.core.console`.

The source is read, so that the next module that opens or prints by itself fails here.
"""

import ast
from collections.abc import Iterator

import pytest

from benchmark import ROOT

PACKAGES = ("benchmark", "baselines", "mlsm", "studies")
SOURCES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}

WRITERS = {
    "benchmark/core/files.py": "the one place",
    "benchmark/methods/fetching.py": "hands a finished file to the library that checks its SHA-256",
    "benchmark/demo/sets.py": "moves whole folders that are written beside their place",
    "benchmark/registration/batch.py": "gives a finished file of its own cache a second name",
    "benchmark/check/repeat.py": "lays out a copy of the code in a temporary folder",
}
"""Module -> why it may open files to write by itself."""
PRINTERS = {
    "benchmark/core/console.py": "the one place",
}
"""Module -> why it may print by itself."""

PUTTING = {
    *("write_text", "write_bytes", "to_csv", "to_parquet", "to_feather", "to_excel", "to_json"),
    *("savefig", "imsave", "imwrite", "savez", "savez_compressed", "savetxt", "tofile", "dump"),
    *("copy", "copy2", "copyfile", "copytree", "move", "rename", "link", "mkstemp"),
}
"""Names of functions and methods that put something on disk where they are given a path."""
OWN = {"style", "checkpoints", "methods", "loop", "cache", "figures", "writer", "files", "self"}
"""What `save` may be asked of: the suite's own, which write through outputs."""
MODULES = {"shutil", "os", "tempfile"}
"""Modules of which `copy`, `link` and the like mean files."""


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def name_of(node: ast.AST) -> str:
    """Return `save` of `figures.save` or of `save`."""
    return getattr(node, "attr", getattr(node, "id", ""))


def receiver(call: ast.Call) -> str:
    return name_of(call.func.value) if isinstance(call.func, ast.Attribute) else ""


def places(tree: ast.AST) -> set[str]:
    """Return the names that stand for a place to write at, or for a buffer in memory."""
    found = {"buffer", "stream", "content"} & {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and "BytesIO" in ast.unparse(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return found | {
        node.optional_vars.id
        for node in ast.walk(tree)
        if isinstance(node, ast.withitem)
        and isinstance(node.optional_vars, ast.Name)
        and "beside" in ast.unparse(node.context_expr)
    }


def is_writing(call: ast.Call, allowed: set[str]) -> bool:
    name, arguments = name_of(call.func), call.args
    told = {name_of(node) for node in (*arguments, getattr(call.func, "value", call.func))}
    if told & allowed:
        return False
    if name == "open":
        words = [*arguments, *(keyword.value for keyword in call.keywords)]
        modes = [word.value for word in words if isinstance(word, ast.Constant)]
        return any(isinstance(mode, str) and set("wax+") & set(mode) for mode in modes)
    if name in ("to_csv", "to_json"):
        return bool(arguments) or any(k.arg == "path_or_buf" for k in call.keywords)
    if name == "save":
        return (
            bool(arguments) and isinstance(call.func, ast.Attribute) and receiver(call) not in OWN
        )
    if name in ("replace", "rename"):  # of a path; those of texts, tables and dataclasses differ
        plain = isinstance(arguments[0], ast.Constant | ast.Dict) if arguments else True
        return len(arguments) == 1 and not plain and not call.keywords and receiver(call) not in OWN
    if name in ("copy", "copy2", "copyfile", "copytree", "move", "link", "mkstemp"):
        return receiver(call) in MODULES
    if name == "dump":
        return len(arguments) > 1
    return name in PUTTING


@pytest.mark.parametrize("name", [name for name in SOURCES if name not in WRITERS])
def test_a_module_writes_files_through_core_files(name: str) -> None:
    tree = SOURCES[name]
    allowed = places(tree) | {"files", "outputs"}
    wrong = [f"{c.lineno}: {ast.unparse(c)}" for c in calls(tree) if is_writing(c, allowed)]
    assert wrong == []


@pytest.mark.parametrize("name", [name for name in SOURCES if name not in PRINTERS])
def test_a_module_prints_through_console(name: str) -> None:
    wrong = []
    for call in calls(SOURCES[name]):
        text = ast.unparse(call.func)
        if text in ("print", "typer.echo", "click.echo", "typer.secho", "warnings.warn"):
            wrong.append(f"{call.lineno}: {text}")
        if text in ("sys.stdout.write", "sys.stderr.write", "tqdm.write", "bar.write"):
            first = ast.unparse(call.args[0])
            if not first.startswith("printable("):
                wrong.append(f"{call.lineno}: {text}({first})")
    assert wrong == []


def paths_of(function: ast.FunctionDef) -> set[str]:
    """Return the arguments that are paths."""
    every = [*function.args.args, *function.args.kwonlyargs]
    return {one.arg for one in every if one.annotation and "Path" in ast.unparse(one.annotation)}


@pytest.mark.parametrize("name", [name for name in SOURCES if "/cli" in name])
def test_a_command_shows_paths_as_text_of_one_line(name: str) -> None:
    wrong = []
    for function in ast.walk(SOURCES[name]):
        if not isinstance(function, ast.FunctionDef):
            continue
        paths = paths_of(function)
        for node in ast.walk(function):
            raw = isinstance(node, ast.FormattedValue) and name_of(node.value) in paths
            if raw or (
                isinstance(node, ast.Call)
                and name_of(node.func) in ("say", "note", "str")
                and {name_of(one) for one in node.args} & paths
            ):
                wrong.append(f"{node.lineno}: {ast.unparse(node)}")
    assert wrong == []


def test_who_may_write_or_print_alone_exists_and_does() -> None:
    for name in WRITERS:
        tree = SOURCES[name]
        assert any(is_writing(call, places(tree)) for call in calls(tree)), name
    for name in PRINTERS:
        assert "print" in {ast.unparse(call.func) for call in calls(SOURCES[name])}, name


@pytest.mark.parametrize(
    "line",
    [
        "path.write_text('x')",
        "Path('a').open('w')",
        "open(path, 'wb')",
        "path.open(mode='a')",
        "frame.to_csv(path)",
        "frame.to_csv(path_or_buf=path)",
        "figure.savefig(folder / 'a.pdf')",
        "torch.save(state, path)",
        "np.save(path, image)",
        "picture.save(path)",
        "partial.replace(path)",
        "shutil.copy(a, b)",
        "os.link(a, b)",
        "json.dump(content, stream)",
        "partial.rename(path)",
    ],
)
def test_each_way_to_write_is_seen(line: str) -> None:
    assert next(is_writing(call, set()) for call in calls(ast.parse(line)))


@pytest.mark.parametrize(
    "line",
    [
        "path.open()",
        "path.open('rb')",
        "frame.to_csv(index=False)",
        "text.replace('a', 'b')",
        "checkpoints.save(path, checkpoint)",
        "values.copy()",
        "dataclasses.replace(row, part=1)",
        "frame.rename({'a': 'b'})",
        "cells.rename('pairs')",
    ],
)
def test_what_writes_nothing_is_let_be(line: str) -> None:
    assert not any(is_writing(call, set()) for call in calls(ast.parse(line)))
