"""Printing to the terminal, with file names made safe to show.

Results go to stdout (`say`), progress and warnings to stderr (`note`). A file name may consist of
any bytes; `shown` turns it into text that every terminal can print and encode, on one line.
"""

import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TextIO

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that are escaped: control and format characters, surrogates, line ends."""
_JOINERS = "\u200c\u200d"
"""Format characters that are kept, because Persian names and emoji need them."""


def shown(path: PurePath | str) -> str:
    r"""Return a path or file name as text that can be printed and encoded, on one line.

    Bytes that are not UTF-8, control characters and line ends are escaped as Python would; all
    other characters stay as they are.

    Example:
        >>> shown(PurePath("night\udce9\n.png"))
        'night\\xe9\\n.png'
    """
    return "".join(map(_escaped, str(path)))


def printable(text: str, stream: TextIO | None = None) -> str:
    """Return text with the characters escaped that a stream cannot print; line ends stay.

    Args:
        text: What to print.
        stream: Where it will be printed; characters that its encoding lacks are escaped. None
            stands for UTF-8.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    safe = "".join(char if char in "\n\t" else _escaped(char) for char in text)
    return safe.encode(encoding, "backslashreplace").decode(encoding)


def _escaped(char: str) -> str:
    code = ord(char)
    if char in _JOINERS or unicodedata.category(char) not in _HIDDEN:
        return char
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, see PEP 383
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def say(text: str) -> None:
    """Print a result to stdout."""
    print(printable(text, sys.stdout))


def note(text: str) -> None:
    """Print progress or a warning to stderr."""
    print(printable(text, sys.stderr), file=sys.stderr)


def print_rows(rows: Sequence[Mapping[str, str | int]], as_json: bool) -> None:
    """Print rows that have the same keys (at least one row) as a table or as JSON."""
    if as_json:
        say(json.dumps(rows, indent=2))
        return
    widths = {key: max(len(key), *(len(str(row[key])) for row in rows)) for key in rows[0]}
    for row in [{key: key for key in widths}, *rows]:
        say("  ".join(str(row[key]).ljust(width) for key, width in widths.items()).rstrip())
