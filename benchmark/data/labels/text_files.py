"""Read text files of other tools: find them in a folder, decode them, parse lines of numbers.

Every text file of labels or detections is opened here, so that all formats report the same problems
in the same words: bytes that are not text, lines that are not boxes.
"""

import codecs
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from benchmark.core.console import shown
from benchmark.core.errors import InputError

LIMIT = 1e9
"""Largest absolute value of a plausible coordinate or score; areas of such boxes are finite."""
Number = Annotated[float, Field(allow_inf_nan=False, ge=-LIMIT, le=LIMIT)]
Row4: TypeAlias = tuple[Number, Number, Number, Number]
Row5: TypeAlias = tuple[Number, Number, Number, Number, Number]
_ROWS: dict[int, TypeAdapter[list[Row4]] | TypeAdapter[list[Row5]]] = {
    4: TypeAdapter(list[Row4]),
    5: TypeAdapter(list[Row5]),
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SHOWN = 80

Line: TypeAlias = tuple[int, str]
"""Number of a line, counted from 1, and its text."""


def read(path: Path, what: str) -> str:
    """Read a text file in UTF-8, or in the encoding of its byte order mark.

    Args:
        path: The file.
        what: Description of the expected content, for error messages.

    Raises:
        InputError: The file cannot be read, or is not text in that encoding.
    """
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{shown(path)} cannot be read ({reason}), expected {what}: check the path."
        ) from error
    marks = ((mark, name) for mark, name in _MARKS if content.startswith(mark))
    mark, encoding = next(marks, (b"", "utf-8"))
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise _no_text(path, f"byte {error.start + len(mark)} is no {encoding}", what) from error
    if "\0" in text:
        raise _no_text(path, f"character {text.index(chr(0))} is zero", what)
    return text


def _no_text(path: Path, where: str, what: str) -> InputError:
    return InputError(
        f"{shown(path)} is not text ({where}), expected {what} in UTF-8, or in UTF-16 that begins "
        "with a byte order mark: convert it, such as with `iconv -f LATIN1 -t UTF-8`."
    )


def lines(path: Path, what: str) -> list[Line]:
    """Read the lines of a text file, without empty lines at its end; see `read`."""
    text = read(path, what).replace("\r\n", "\n").replace("\r", "\n").rstrip()
    return list(enumerate(text.split("\n"), start=1)) if text else []


def files(folder: Path) -> dict[str, Path]:
    """Find the `.txt` files (ignoring case) of a folder tree, without hidden files.

    Links are followed.

    Returns:
        Path relative to the folder without suffix, such as `0--Parade/1` -> file, sorted.

    Raises:
        InputError: A folder cannot be opened or links back to one that contains it, or two files
            differ only in their suffix.
    """
    paths: dict[str, Path] = {}
    try:
        for path in _walk(folder, ()):
            name = path.relative_to(folder).with_suffix("").as_posix()
            if name in paths:
                raise InputError(
                    f"{shown(paths[name])} and {shown(path.name)} differ in suffix alone, expected "
                    "one file an image: remove one."
                )
            paths[name] = path
    except OSError as error:
        where = shown(error.filename or folder)
        raise InputError(
            f"{where} cannot be opened ({error.strerror}), expected a folder of .txt files: check "
            "its permissions."
        ) from error
    return paths


def _walk(folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    real = folder.resolve()
    if real in above:
        raise InputError(f"{shown(folder)} is a link back to a folder that holds it: remove it.")
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _walk(path, (*above, real))
        elif path.suffix.lower() == ".txt":
            yield path


def rows(
    path: Path, listed: Sequence[Line], count: Literal[4, 5], expected: str, separators: str = ""
) -> NDArray[np.float64]:
    """Parse lines of numbers into an array.

    Args:
        path: The file, for error messages.
        listed: The lines.
        count: Number of values per line.
        expected: Description of a line, for error messages.
        separators: Characters that separate numbers besides blanks.

    Returns:
        (lines, count), finite.

    Raises:
        InputError: A line cannot be parsed; the message contains it.
    """
    table = str.maketrans(separators, " " * len(separators))
    fields = [line.translate(table).split() for _, line in listed]
    try:
        numbers = _ROWS[count].validate_python(fields)
    except ValidationError as error:
        number, line = listed[int(error.errors(include_url=False)[0]["loc"][0])]
        raise InputError(
            f"{shown(path)} line {number} is {excerpt(line)}, expected {expected}: correct it."
        ) from error
    return np.array(numbers, dtype=np.float64).reshape(-1, count)


def excerpt(value: object) -> str:
    """Return the beginning of a value in Python notation, on one line."""
    text = shown(repr(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
