import io
import os
import sys
from pathlib import Path

import pytest

from benchmark.core import console
from benchmark.core.errors import InputError


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"night.png", "night.png"),
        ("夜 é.png".encode(), "夜 é.png"),
        (b"caf\xe9.png", r"caf\xe9.png"),
        (b"two\nlines\t.png", r"two\nlines\t.png"),
        (b"\x1b[31mred\x07.png", r"\x1b[31mred\x07.png"),
        ("\u202egnp.png".encode(), r"\u202egnp.png"),
        ("a\u2028b\u200cc".encode(), "a\\u2028b\u200cc"),
    ],
)
def test_a_file_name_of_any_bytes_is_shown_as_one_line_of_text(name: bytes, text: str) -> None:
    shown = console.shown(Path(os.fsdecode(name)))
    assert shown == text
    assert shown.encode("utf-8").decode("utf-8") == text


def test_what_a_terminal_lacks_is_escaped_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding, printed in (
        ("ascii", b"\\u591c \\xe9 \\xff\n"),
        ("cp1252", b"\\u591c \xe9 \\xff\n"),
        ("utf-8", "夜 é \\xff\n".encode()),
    ):
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding, newline="\n") for _ in range(2))
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        console.say("夜 é \udcff")
        console.note("夜 é \udcff")
        for stream in (out, err):
            stream.flush()
            assert stream.buffer.getvalue() == printed  # type: ignore[attr-defined]


def test_an_error_can_be_printed_and_written_whatever_the_file_in_it_is_called() -> None:
    error = InputError(f"{Path(os.fsdecode(b'a/b' + bytes([233])))} is not a file: check the path.")
    assert str(error) == r"a/b\xe9 is not a file: check the path."


def test_rows_line_up_with_names_that_cannot_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_rows([{"name": "a\udce9", "n": 1}, {"name": "abc", "n": 22}], False)
    assert capsys.readouterr().out == "name  n\na\\xe9    1\nabc   22\n"
