"""docs/add-a-baseline.md does what it says: its commands run, its edits apply, in a copy."""

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmark import ROOT
from benchmark.core.hashing import sha256
from tests.helpers import copies

PAGE = ROOT / "docs" / "add-a-baseline.md"


class Block(NamedTuple):
    kind: str
    text: str


def blocks():
    found = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [Block(*block) for block in found]


@pytest.fixture
def copy(tmp_path):
    """The repository in a folder of its own."""
    return copies.write(tmp_path / "copy")


def apply(edit: str, folder: Path) -> None:
    """Make an edit of the page, with what a reader would have read off the commands before."""
    path = folder / "weights" / "released" / "dawn_net" / "dawn.pth"
    if "BYTES" in edit:
        edit = edit.replace("BYTES", str(path.stat().st_size)).replace("SHA256", sha256(path))
    subprocess.run(
        ["git", "apply", "--recount", "-"], cwd=folder, input=edit, text=True, check=True
    )


@pytest.mark.slow
def test_every_command_and_edit_of_the_page_works(copy):
    output = ""
    for kind, text in blocks():
        if kind == "sh":
            for command in text.splitlines():
                output += copies.run(copy, "sh", "-e", "-c", command)
        elif kind == "diff":
            apply(text, copy)
    for name in ("dawn", "dawn_net", "retouch"):
        assert f"{name} keeps the contract" in output
    assert re.search(r"dawn_net +first +present", output)
    assert re.search(r"^retouch +enhancer +classical", output, re.MULTILINE)


def test_the_page_has_commands_and_edits():
    kinds = [block.kind for block in blocks()]
    assert kinds.count("sh") >= 5
    assert kinds.count("diff") == 2


def test_the_page_shows_the_entry_point_of_the_example():
    (shown,) = [block.text for block in blocks() if block.kind == "toml"]
    example = ROOT / "docs" / "examples" / "mlsm-bench-retouch" / "pyproject.toml"
    assert shown in example.read_text()
