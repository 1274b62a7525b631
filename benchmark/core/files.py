"""Writing files: checked before the work, and written whole or not at all.

Every file that a command or a stage leaves behind is opened here. `check` reports before hours of
work that a result could not be stored. `beside` writes a file next to its final place and moves it
there when it is finished, so that an existing file stays until then and no reader sees half a file.
"""

import contextlib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.core.console import shown
from benchmark.core.errors import InputError

PREFIX = ".partial-"
"""Prefix of the folders that hold unfinished files; a killed process may leave one behind."""
PROBE_BYTES = 1 << 16
"""Bytes that are written to test whether a disk has room."""
_REMEDIES = {
    errno.ENOSPC: "free some space, or choose another disk",
    errno.EDQUOT: "free some space, or choose another disk",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EACCES: "choose another folder, or change its permissions",
    errno.EPERM: "choose another folder, or change its permissions",
    errno.EROFS: "choose another folder",
}


def check(*paths: Path, size: int = PROBE_BYTES) -> None:
    """Refuse files that could not be written at the end of the work, without leaving a trace.

    Args:
        paths: The files to be written; their folders may be missing.
        size: Number of bytes that their disk must have room for.

    Raises:
        InputError: A path is a folder, lies below a file, is protected, is too long or is given
            twice, or its disk is full.
    """
    known: dict[str, Path] = {}
    probed: set[Path] = set()
    for path in paths:
        target = _target(path)
        if str(target) in known:
            raise InputError(
                f"{shown(path)} would be written twice, expected a file of its own for each "
                "result: choose another name."
            )
        known[str(target)] = path
        if _is_device(target):
            continue
        if os.path.lexists(target):
            _check_existing(path, target)
        _check_place(path, target, probed, size)


def check_folder(folder: Path) -> None:
    """Refuse a folder of results in which no file could be written.

    Raises:
        InputError: The path is a file, lies below one or is protected, or its disk is full.
    """
    if _mode(folder) and not stat.S_ISDIR(_mode(folder)):
        raise InputError(f"{shown(folder)} is a file, expected a folder: choose another name.")
    _check_place(folder, _target(folder) / "file", set(), PROBE_BYTES)


def _check_place(path: Path, target: Path, probed: set[Path], size: int) -> None:
    """Refuse `path` if no file can be created at `target`; folders in `probed` have room."""
    above = next(place for place in target.parents if os.path.lexists(place))
    if not above.is_dir():
        raise InputError(
            f"{shown(path)} lies below {shown(above)}, which is a file, not a folder: choose "
            "another place."
        )
    try:
        free = shutil.disk_usage(above).free
        if free < size:
            reason = f"it needs {size:,} bytes, its disk has {free:,} left"
            raise OSError(errno.ENOSPC, reason)
        _probe(above, target.relative_to(above), 0 if above in probed else PROBE_BYTES)
    except OSError as error:
        raise _refusal(path, error) from error
    probed.add(above)


def _check_existing(path: Path, target: Path) -> None:
    if target.is_dir():
        raise InputError(
            f"{shown(path)} is a folder, expected the name of a file to write: name one in it."
        )
    if not os.access(target, os.W_OK):
        raise InputError(
            f"{shown(path)} is protected from writing: choose another name, or change its "
            "permissions."
        )


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write a file at, and move the file to `path` at the end.

    The temporary path has the file's own name in a hidden folder beside `path`. If the block fails,
    the temporary file is removed and `path` stays as it was. Missing folders above `path` are
    created. Links are followed; a device such as /dev/stdout is written to directly.

    Example:
        >>> folder = Path(tempfile.mkdtemp())
        >>> with beside(folder / "results" / "numbers.txt") as place:
        ...     _ = place.write_text("1 2 3")
        >>> (folder / "results" / "numbers.txt").read_text()
        '1 2 3'

    Raises:
        InputError: The file cannot be written: the disk is full, the folder protected, ...
    """
    target = _target(path)
    if _is_device(target):
        yield target
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=target.parent))
        try:
            place = folder / target.name
            yield place
            place.replace(target)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise _refusal(path, error) from error


def append(path: Path, content: bytes) -> None:
    """Append to a file that is usable at any length, such as a journal; create it if it is missing.

    Raises:
        InputError: The file cannot be written; its earlier content stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as stream:
            stream.write(content)
    except OSError as error:
        raise _refusal(path, error) from error


def write_text(path: Path, text: str) -> None:
    r"""Write a text file, UTF-8 with `\n` at line ends, whole or not at all.

    Characters that UTF-8 cannot encode (bytes of a file name in another encoding) are escaped.

    Raises:
        InputError: The file cannot be written.
    """
    with beside(path) as place:
        place.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Write a file, whole or not at all.

    Raises:
        InputError: It cannot be written.
    """
    with beside(path) as place:
        place.write_bytes(content)


def write_tensors(path: Path, content: Any) -> None:
    """Write tensors and plain values as `torch.save` does, whole or not at all.

    The content is serialised in memory first: torch's own writer hides the reason of a full disk,
    and stores the file's name in the file, although equal weights should give equal files.

    Raises:
        InputError: The file cannot be written.
    """
    import io

    import torch

    stream = io.BytesIO()
    torch.save(content, stream)
    write_bytes(path, stream.getbuffer())


def _target(path: Path) -> Path:
    """Return the real path of a file, with links followed."""
    return Path(os.path.realpath(path))


def _mode(path: Path) -> int:
    """Return the mode bits of a path, or 0 if it does not exist or cannot be reached."""
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _is_device(target: Path) -> bool:
    """Return True if a path is a terminal, pipe or similar, beside which no file can be written."""
    mode = _mode(target)
    return mode != 0 and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _probe(above: Path, below: Path, size: int) -> None:
    """Write a file of this name and size in bytes below an existing folder, and remove it again."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=above))
    try:
        (folder / below).parent.mkdir(parents=True, exist_ok=True)
        (folder / below).write_bytes(bytes(size))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _refusal(path: Path, error: OSError) -> InputError:
    reason = error.strerror or str(error) or type(error).__name__
    remedy = _REMEDIES.get(error.errno or 0, "choose another place")
    return InputError(f"{shown(path)} cannot be written ({reason}): {remedy}.")
