import errno
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmark.core import files
from benchmark.core.errors import InputError


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_in_missing_folders_can_be_written_and_nothing_is_made_by_asking(
    tmp_path: Path,
) -> None:
    files.check(tmp_path / "a" / "b" / "c.csv", tmp_path / "a" / "d.csv")
    assert left(tmp_path) == []


def test_an_output_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is a folder, expected the name of a file to write"):
        files.check(tmp_path)


def test_an_output_below_a_file_is_refused_by_the_name_of_that_file(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"z\.csv lies below .*x\.png, which is a file"):
        files.check(tmp_path / "x.png" / "y" / "z.csv")


def test_a_name_that_is_too_long_is_refused_and_one_of_255_bytes_is_written(tmp_path: Path) -> None:
    long = tmp_path / ("é" * 124 + "abc.csv")
    files.check(long)
    files.write_text(long, "x")
    assert left(tmp_path) == [long.name]
    assert len(os.fsencode(long.name)) == 255
    with pytest.raises(InputError, match=r"cannot be written \(File name too long\): choose a sho"):
        files.check(tmp_path / ("a" * 252 + ".csv"))


def test_two_results_in_one_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x\.csv would be written twice"):
        files.check(tmp_path / "x.csv", tmp_path / "a" / ".." / "x.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_protected_folder_or_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"")
    (tmp_path / "x.csv").chmod(stat.S_IRUSR)
    with pytest.raises(InputError, match="is protected from writing"):
        files.check(tmp_path / "x.csv")
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(InputError, match=r"cannot be written \(Permission denied\)"):
        files.check(tmp_path / "y.csv")
    tmp_path.chmod(stat.S_IRWXU)


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_told_before_the_work_and_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.csv").write_text("before")
    monkeypatch.setattr(Path, "write_bytes", full_disk)
    message = r"x\.csv cannot be written \(No space left on device\): free some space"
    with pytest.raises(InputError, match=message):
        files.check(tmp_path / "x.csv")
    with pytest.raises(InputError, match=message):
        files.write_bytes(tmp_path / "x.csv", b"after")
    assert left(tmp_path) == ["x.csv"]
    assert (tmp_path / "x.csv").read_text() == "before"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 128 KiB."""
    words = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(tmp_path)]
    if shutil.which("mount") is None or subprocess.run(words, capture_output=True).returncode:
        pytest.skip("a disk of its own needs root")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_real_disk_that_is_full_keeps_what_was_there_and_nothing_half(tiny_disk: Path) -> None:
    path = tiny_disk / "x.csv"
    files.write_bytes(path, b"before")
    with pytest.raises(InputError, match=r"x\.csv cannot be written \(No space left on device\)"):
        files.write_bytes(path, bytes(1 << 18))
    assert left(tiny_disk) == ["x.csv"]
    assert path.read_bytes() == b"before"
    files.check(path)
    (tiny_disk / "fill").write_bytes(bytes(90 << 10))
    with pytest.raises(InputError, match=r"it needs 65,536 bytes, its disk has [\d,]+ left"):
        files.check(path)


def write_half(path: Path) -> None:
    with files.beside(path) as place:
        place.write_text("half")
        assert place.name == path.name
        raise KeyboardInterrupt


def test_what_was_there_stays_until_the_whole_file_is_written(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt):
        write_half(path)
    assert left(tmp_path) == ["x.csv"]
    assert path.read_text() == "before"
    with files.beside(path) as place:
        place.write_text("after")
        assert path.read_text() == "before"
    assert left(tmp_path) == ["x.csv"]
    assert path.read_text() == "after"


def test_a_new_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")
    files.write_text(tmp_path / "a" / "x", "ü\n")
    assert (tmp_path / "a" / "x").stat().st_mode == (tmp_path / "other").stat().st_mode
    assert (tmp_path / "a" / "x").read_bytes() == "ü\n".encode()


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    files.check(tmp_path / "link")
    files.write_text(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "file").read_text() == "x"


@pytest.mark.skipif(sys.platform == "win32", reason="no /dev there")
def test_a_device_is_written_to_and_stays_a_device() -> None:
    files.check(Path("/dev/null"))
    files.write_text(Path("/dev/null"), "x")
    assert Path("/dev/null").is_char_device()


def test_a_folder_of_results_may_be_missing_and_no_file(tmp_path: Path) -> None:
    files.check_folder(tmp_path)
    files.check_folder(tmp_path / "new" / "one")
    (tmp_path / "x").write_text("")
    with pytest.raises(InputError, match="is a file, expected a folder"):
        files.check_folder(tmp_path / "x")
    with pytest.raises(InputError, match=r"lies below .*x, which is a file"):
        files.check_folder(tmp_path / "x" / "y")
    assert left(tmp_path) == ["x"]


def test_equal_tensors_give_equal_files_whatever_they_are_called(tmp_path: Path) -> None:
    for name in ("a.pt", "b.pt"):
        files.write_tensors(tmp_path / name, {"x": torch.arange(3), "n": 1})
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()
    read = torch.load(tmp_path / "a.pt", weights_only=True)
    assert read["x"].tolist() == [0, 1, 2]


def test_a_file_grows_and_a_full_disk_leaves_what_was_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a" / "journal"
    for line in (b"one ", b"two"):
        files.append(path, line)
    monkeypatch.setattr(Path, "open", full_disk)
    with pytest.raises(InputError, match=r"journal cannot be written \(No space left on device\)"):
        files.append(path, b"three")
    monkeypatch.undo()
    assert path.read_bytes() == b"one two"
