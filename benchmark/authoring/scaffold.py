"""Scaffold of a new baseline: a working file, its lines in params.yaml, and its check."""

import keyword
import re
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import yaml

from benchmark import ROOT, methods
from benchmark.core import files
from benchmark.core.errors import InputError
from benchmark.core.types import Role
from benchmark.methods import registry

TRAINING = "{steps: 100, batch: 4, crop: 64}"
"""Initial budget of a new learned method in a profile, which takes seconds and must be replaced."""

FAMILY = "own"
"""Family of chains to which new methods are added, where a params file has families."""

_IMPORT_FAILURES = (
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""Exceptions that importing a broken file may raise."""


class Draft(NamedTuple):
    """Description of the method to be written."""

    name: str
    role: Role
    learned: bool = False


def new(draft: Draft, params_path: Path) -> Path:
    """Write `baselines/<name>.py` and add the method to a params file; both or neither.

    Args:
        draft: Description of the method.
        params_path: Params file that receives the chain, and a budget if the method is learned;
            everything else in it, including comments, stays unchanged.

    Returns:
        The path of the new file.

    Raises:
        InputError: The name is taken or invalid, the params file has a form to which lines cannot
            be added, or a file cannot be written.
    """
    check_name(draft.name)
    target = ROOT / registry.PACKAGE / f"{draft.name}.py"
    if target.exists() or draft.name in methods.names():
        raise InputError(
            f"There is a method {draft.name!r} already: choose another name, or edit "
            f"{registry.PACKAGE}/{draft.name}.py."
        )
    if not params_path.is_file():
        raise InputError(
            f"There is no params file at {params_path}: run the command of a checkout of the "
            "repository, where methods are added."
        )
    before = params_path.read_text(encoding="utf-8")
    after = _added(before, draft, params_path)
    files.check(target, params_path)
    files.write_text(target, source(draft))
    try:
        files.write_text(params_path, after)
    except InputError:
        target.unlink()
        raise
    return target


def check_name(name: str) -> None:
    """Refuse an invalid name of a method.

    Raises:
        InputError: The name is not a lower-case identifier, or is a keyword of Python.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        near = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_").lstrip("0123456789_")
        hint = f"such as {near!r}" if near else "such as 'my_method'"
        raise InputError(
            "A method's name must be lower-case letters, digits and '_', a letter first, because "
            f"it names a file, a function and a step of a chain, but got {name!r}: take one {hint}."
        )
    if keyword.iskeyword(name):
        raise InputError(
            f"A method cannot be called {name!r}, a keyword of Python: take {name + '_net'!r}."
        )


def source(draft: Draft) -> str:
    """Return the Python source of a new, simple method that keeps the contract."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("skeletons")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Python, not HTML
    )
    kind = "learned" if draft.learned else "classical"
    title = draft.name.replace("_", " ").capitalize()
    return environment.get_template(f"{kind}.py.j2").render(draft._asdict() | {"title": title})


def _added(text: str, draft: Draft, path: Path) -> str:
    """Return a params file with a method's lines added; refuse it if the result is not as meant."""
    content = _parsed(text)
    chains, training = content.get("chains") or [], content.get("training") or {}
    expected: dict[str, Any] = dict(content)
    if isinstance(chains, dict):
        own = chains.get(FAMILY) or []
        if not any(draft.name in (family or []) for family in chains.values()):
            expected["chains"] = chains | {FAMILY: [*own, draft.name]}
            text = _into_family(text, draft.name, FAMILY in chains)
    elif draft.name not in chains:
        expected["chains"] = [*chains, draft.name]
        text = _into_block(text, "chains", f"- {draft.name}")
    if draft.learned and draft.name not in training:
        expected["training"] = training | {draft.name: yaml.safe_load(TRAINING)}
        text = _into_block(text, "training", f"{draft.name}: {TRAINING}")
    if _parsed(text) != expected:
        budgeted = f" and '{draft.name}: {TRAINING}' under 'training'" if draft.learned else ""
        raise InputError(
            f"{path} has 'chains' or 'training' in a form that cannot be added to, expected a "
            f"block with an entry a line, and families as '{FAMILY}: [a, b]': bring it into that "
            f"form; what it lacks is "
            f"{draft.name!r} under 'chains'{budgeted}."
        )
    return text


def _parsed(text: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return content if isinstance(content, dict) else {}


def _into_family(text: str, name: str, there: bool) -> str:
    """Add a chain to the family of the user's own methods, or the family to the block `chains`."""
    if not there:
        return _into_block(text, "chains", f"{FAMILY}: [{name}]")
    line = re.compile(rf"^( +{FAMILY}: \[.*\S)(\] *(?:#.*)?)$", re.MULTILINE)
    return line.sub(rf"\g<1>, {name}\g<2>", text)


def _into_block(text: str, key: str, entry: str) -> str:
    """Append a line to a top-level block, indented like the entry before it."""
    lines = text.splitlines(keepends=True)
    heads = [index for index, line in enumerate(lines) if re.match(rf"{key}:", line)]
    if len(heads) != 1:
        return text
    head = heads[0]
    lines[head] = re.sub(r": *(\{ *\}|\[ *\])", ":", lines[head], count=1)
    last, indent = head, "" if entry.startswith("-") else "  "
    for index, line in enumerate(lines[head + 1 :], head + 1):
        if line.strip() and not re.match(r"[ \-#]", line):
            break
        if match := re.match(r"( *)[^ #\n]", line):
            if last == head:
                indent = match[1]
            last = index
    if not lines[last].endswith("\n"):
        lines[last] += "\n"
    return "".join([*lines[: last + 1], f"{indent}{entry}\n", *lines[last + 1 :]])


def violations(name: str, thorough: bool = False) -> list[str]:
    """Return the violations of the contract by a method, as sentences; empty if there are none.

    Args:
        name: Name of the method.
        thorough: As in `benchmark.authoring.contract.check`.

    Raises:
        InputError: There is no such method.
    """
    try:
        plugin = methods.find(name)
    except InputError:
        raise
    except _IMPORT_FAILURES as error:
        return [f"cannot be imported: {type(error).__name__}: {error}"]
    from benchmark.authoring import contract  # with it comes torch, which a new file needs not

    return contract.check(plugin, thorough)
