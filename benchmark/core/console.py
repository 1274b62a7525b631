"""The one way to the terminal: text that every terminal can show, whatever a file is called.

Results go to stdout (`say`), progress and warnings to stderr (`note`). A file name is any bytes:
`shown` makes text of it that can be printed, encoded and told from its surroundings.
"""

import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TextIO

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that are not shown: control and format characters, surrogates, line ends."""
_JOINERS = "\u200c\u200d"
"""Format characters that names in Persian and emoji are written with."""


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
    """Return text of any number of lines as a stream can print it.

    Args:
        text: What to print.
        stream: Where; what its encoding lacks is escaped. None asks for UTF-8.
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
    """Print rows of equal keys, at least one, as a table or as JSON."""
    if as_json:
        say(json.dumps(rows, indent=2))
        return
    widths = {key: max(len(key), *(len(str(row[key])) for row in rows)) for key in rows[0]}
    for row in [{key: key for key in widths}, *rows]:
        say("  ".join(str(row[key]).ljust(width) for key, width in widths.items()).rstrip())
