"""docs/add-a-baseline.md does what it says: its commands run, its edits apply, in a copy."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from benchmark import ROOT
from benchmark.digests import sha256

PAGE = ROOT / "docs" / "add-a-baseline.md"
TINY = {
    "sets": ["LOL"],
    "qfs": [80],
    "train_qfs": [80],
    "uncompressed": False,
    "training": {},
    "mlsm": {
        "settings": {"width": 4},
        **{
            part: {"steps": 1, "batch": 1, "crop": 64}
            for part in ("vae_dark", "vae_normal", "model")
        },
    },
    "chains": ["identity"],
    "bootstrap": 20,
    "jobs": 1,
}
"""The demo profile made so small that the page runs in a minute ..."""
TINY_PARTS = {
    "merge": {
        "vae_dark": ["LOL"],
        "vae_normal": ["LOL"],
        "mapping_pairs": ["LOL"],
        "test": ["LOL"],
        "resize_test": {},
        "validation": 0.1,
    },
    "detection": {"chains": []},
}
"""... and the entries of sections whose other settings stay."""


class Block(NamedTuple):
    kind: str
    text: str


def blocks():
    found = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [Block(*block) for block in found]


@pytest.fixture
def copy(tmp_path):
    """The repository's files under version control, in a repository of their own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    folder = tmp_path / "copy"
    for name in listed.split("\0"):
        source = ROOT / name
        if name and source.exists() and not name.startswith("results/lol/figures"):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    content = yaml.safe_load((folder / "params.yaml").read_text()) | TINY
    for section, entries in TINY_PARTS.items():
        content[section] |= entries
    (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


def environment(folder: Path):
    """What the page's reader has: this interpreter's programs first, the copy's packages first."""
    installed = folder.with_name("installed")
    return {key: value for key, value in os.environ.items() if key != "MLSM_BENCH_DATA"} | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(folder), str(installed)]),
        "PIP_TARGET": str(installed),
        "PIP_NO_INDEX": "1",
        "DVC_NO_ANALYTICS": "1",
    }


def sh(command: str, folder: Path) -> str:
    done = subprocess.run(
        ["sh", "-e", "-c", command],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"$ {command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


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
                output += sh(command, copy)
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
