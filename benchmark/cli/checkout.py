"""Check that git and DVC can work in the repository's folder, before they fail."""

from pathlib import Path

from benchmark.core.console import shown
from benchmark.core.errors import InputError

LINKED = "../../dvc.yaml"
"""Target of the link that is the pipeline of a profile."""


def check(root: Path) -> None:
    """Refuse a folder whose links have become text files, or that is not a git working tree.

    Raises:
        InputError: It was cloned without symbolic links, as git does on Windows by default, or
            unpacked from an archive without git's own folder.
    """
    text = [path for path in sorted(root.glob("profiles/*/dvc.yaml")) if _is_target(path)]
    if text:
        names = ", ".join(path.relative_to(root).as_posix() for path in text)
        raise InputError(
            f"{names} in {shown(root)} hold the text {LINKED} where links to it are expected, "
            "because they were cloned without symbolic links: run `git config core.symlinks true` "
            "and "
            "`git checkout -- profiles` (on Windows in developer mode), or copy dvc.yaml over each."
        )
    if not (root / ".git").exists():
        raise InputError(
            f"{shown(root)} has no .git, expected a clone of the repository, because DVC and the "
            "check against committed results need git: clone it, or run `git init`, "
            "`git add --all` and `git commit -m start` there."
        )


def _is_target(path: Path) -> bool:
    """Return True if a pipeline is a text file with the target of a link."""
    return not path.is_symlink() and path.read_text(encoding="utf-8").strip() == LINKED
