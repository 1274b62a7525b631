"""How a number was made: code, weights, versions, hardware, encoder."""

import ast
import functools
import hashlib
import importlib.metadata
import importlib.util
import io
import os
import platform
import subprocess
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmark import ROOT, jpeg, methods, terms, weights
from benchmark.digests import digest_values, sha256

LIBRARIES = ("numpy", "scipy", "scikit-image", "mahotas", "torch", "torchvision", "pillow")


def files_digest(modules: Iterable[str]) -> str:
    """Return the SHA-256 over what the source files of modules do; see `essence`."""
    specs = [importlib.util.find_spec(module) for module in modules]
    paths = [Path(spec.origin) for spec in specs if spec and spec.origin]
    return digest_values([essence(path.read_text(encoding="utf-8")) for path in paths])


def essence(source: str) -> str:
    """Return Python source without what changes no result: comments, docstrings, blank lines."""
    lines = source.splitlines()
    cuts = [
        (*token.start, *token.end)
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
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


METHODS_OWN = frozenset({"benchmark.perceptual", "benchmark.similarity"})
"""Modules of the suite that methods alone import, by their full name."""


@functools.cache
def code_digest(module: str) -> str:
    """Return the SHA-256 over a method's module and what it imports of its package or `mlsm`.

    Comments and docstrings do not count (`essence`): an edit of them retrains nothing. Modules of
    `benchmark` are left out: stages name those among their dependencies. Only `METHODS_OWN` are
    followed, because no stage imports them.
    """
    seen: dict[str, str] = {}
    waiting = [module]
    tops = {module.split(".")[0], methods.PACKAGE, "mlsm"}
    while waiting:
        name = waiting.pop()
        spec = importlib.util.find_spec(name)
        if name in seen or spec is None or spec.origin is None:
            continue
        source = Path(spec.origin).read_text(encoding="utf-8")
        seen[name] = hashlib.sha256(essence(source).encode()).hexdigest()
        package = name if spec.submodule_search_locations else name.rpartition(".")[0]
        waiting += [
            found
            for found in _imports(source, package)
            if found.split(".")[0] in tops or found in METHODS_OWN
        ]
    return digest_values(seen)


def _imports(source: str, package: str) -> Iterator[str]:
    """Yield the dotted names a module imports that are modules."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            dots = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(dots, package) if node.level else dots
            yield base
            for alias in node.names:
                name = f"{base}.{alias.name}"
                if base.split(".")[0] != "benchmark" and _is_module(name):
                    yield name


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # the parent is a module, not a package
        return False


def method_record(name: str) -> dict[str, Any]:
    """Return what a method is: role, paper, code, and the released weights found here."""
    plugin = methods.find(name)
    files = plugin.released[0].files if plugin.released else ()
    released = [file for file in files if weights.find_released(file)]
    return {
        "title": plugin.title,
        "role": plugin.role,
        "cite": plugin.cite,
        "learned": plugin.learned,
        "writes": plugin.writes,
        "needs": plugin.needs,
        "code": code_digest(plugin.module),
        "released": {file.file: file.sha256 for file in released},
    }


def chain_record(
    chain: methods.Chain, tracks: tuple[terms.Track, ...], trained: Path
) -> dict[str, Any]:
    """Return what a chain is made of: everything that its scores depend on but the images.

    Returns:
        `title`, `order`, `steps` (method records), `tracks` (track -> SHA-256 of weights by step),
        `settings` (track -> settings by step where they are not the published ones), `budgets`
        (step -> steps it was trained for and published ones, of retrained weights) and `absent`
        (track -> why it cannot be scored).
    """
    record: dict[str, Any] = {
        "title": chain.title,
        "order": chain.order,
        "steps": {name: method_record(name) for name in chain.steps},
        "tracks": {},
        "settings": {},
        "budgets": {},
        "absent": {},
    }
    for track in tracks:
        if track not in weights.tracks(chain):
            if track == "released" and chain.learned:
                record["absent"][track] = weights.absent(chain, track, trained)
            continue
        reason = weights.absent(chain, track, trained)
        if reason:
            record["absent"][track] = reason
        else:
            record["tracks"][track] = weights.hashes(chain, track, trained)
            record["settings"][track] = weights.settings(chain, track, trained)
            if track == "retrained":
                record["budgets"] = weights.budgets(chain, trained)
    return record


def environment() -> dict[str, Any]:
    """Describe this machine and installation."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "vectors": _vectors(),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "jpeg": jpeg.encoder().describe(),
    }


def _vectors() -> str:
    """Return which vector instructions torch picked: they decide in which order sums are made."""
    import torch

    return torch.backends.cpu.get_cpu_capability()


def manifests(work: Path) -> dict[str, str]:
    """Return the SHA-256 of every list of images behind a profile's numbers, by name.

    The lists hold the SHA-256 of each image, so that these say which data were used.

    Args:
        work: `data/work/<profile>`.
    """
    folders = ("inventory", "merge/train", "merge/test")
    paths = [path for folder in folders for path in sorted((work / folder).glob("*.csv"))]
    return {path.relative_to(work).with_suffix("").as_posix(): sha256(path) for path in paths}


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def commit() -> str:
    """Return the git commit the code is at, with `+` where the tree has other changes."""
    try:
        head = _git("rev-parse", "HEAD")
        changed = _git(
            "status", "--porcelain", "--", "benchmark", "baselines", "mlsm", "params.yaml"
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+" if changed else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()
