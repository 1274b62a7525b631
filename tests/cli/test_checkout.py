"""Clones without links and unpacked archives are told in one sentence before DVC fails."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from benchmark import ROOT
from benchmark.cli import checkout
from benchmark.core.errors import InputError
from tests.helpers.commands import call, fails


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What `make` needs of a clone."""
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles", symlinks=True)
    shutil.copytree(
        ROOT / "benchmark", tmp_path / "benchmark", ignore=lambda *_: ["__pycache__", "stages"]
    )
    for name in ("dvc.yaml", "params.yaml", "Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".git").mkdir()
    return tmp_path


def without_links(clone: Path) -> Path:
    for name in ("lol", "paper"):
        path = clone / "profiles" / name / "dvc.yaml"
        path.unlink()
        path.write_text(checkout.LINKED)
    return clone


def test_this_clone_and_one_without_own_faults_are_fine(clone: Path) -> None:
    checkout.check(ROOT)
    checkout.check(clone)


def test_links_that_became_text_are_named_with_the_remedy(clone: Path) -> None:
    message = (
        r"profiles/lol/dvc\.yaml, profiles/paper/dvc\.yaml in .* hold the text \.\./\.\./dvc\.yaml "
        r"where links to it are expected, .*: run `git config core\.symlinks true`"
    )
    with pytest.raises(InputError, match=message):
        checkout.check(without_links(clone))
    for name in ("lol", "paper"):  # the other remedy
        shutil.copy(clone / "dvc.yaml", clone / "profiles" / name / "dvc.yaml")
    checkout.check(clone)


def test_an_archive_without_git_is_told_what_to_run(clone: Path) -> None:
    (clone / ".git").rmdir()
    with pytest.raises(InputError, match=r"has no \.git, .*: clone it, or run `git init`"):
        checkout.check(clone)


@pytest.mark.parametrize("target", ["repro", "lol", "paper"])
@pytest.mark.parametrize("fault", ["links", "git"])
def test_make_says_one_sentence_before_dvc_begins(clone: Path, target: str, fault: str) -> None:
    if fault == "links":
        without_links(clone)
    else:
        (clone / ".git").rmdir()
    ready = clone / ".venv" / "bin"
    ready.mkdir(parents=True)
    (ready / "python").symlink_to(sys.executable)
    (ready / "dvc").write_text("#!/bin/sh\necho DVC\n")
    (ready / "dvc").chmod(0o755)
    (ready.parent / ".ready").touch()
    done = subprocess.run(
        ["make", target],
        cwd=clone,
        env=os.environ | {"PYTHONPATH": f"{clone}{os.pathsep}{sysconfig.get_path('purelib')}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    told = done.stderr.splitlines()
    assert told[0].startswith("error: profiles/lol" if fault == "links" else f"error: {clone} has")
    assert "Traceback" not in done.stderr
    assert "DVC" not in done.stdout.splitlines()


@pytest.mark.parametrize("command", ["check", "plan"])
def test_commands_that_need_a_clone_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    original = checkout.check
    monkeypatch.setattr(checkout, "check", lambda root: original(tmp_path))
    fails(call(command), "has no .git")
