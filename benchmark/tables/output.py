"""Plain tables for reading, in Markdown and LaTeX, and the files a table is written as.

A sheet holds text alone; tables whose cells have ranks, notes and reported numbers are
`benchmark.tables.grid`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmark.core import files
from benchmark.tables import cells, render


class Sheet(NamedTuple):
    """A table of text.

    Attributes:
        caption: One paragraph: what was measured, on how many images, under which protocol.
        heads: Heads of the columns.
        rows: Texts of the cells, as many in each row as heads.
        words: How many columns from the left hold words; the others stand right.
        notes: Paragraphs below.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1
    notes: Sequence[str] = ()


class Page(NamedTuple):
    """One table in its three forms.

    Attributes:
        name: Name of its files, without the ending.
        numbers: What the csv file holds.
        markdown: What the md file holds.
        latex: What the tex file holds.
    """

    name: str
    numbers: pd.DataFrame
    markdown: str
    latex: str


def page(
    name: str, title: str, numbers: pd.DataFrame, sheets: Sequence[Sheet], notes: Sequence[str] = ()
) -> Page:
    """Return a page of sheets.

    Args:
        name: Name of its files.
        title: Heading of the Markdown file.
        numbers: The same cells, machine-readable.
        sheets: From top to bottom.
        notes: Paragraphs above all of them.
    """
    return Page(name, numbers, markdown(title, sheets, notes), latex(sheets))


def markdown(title: str, sheets: Sequence[Sheet], notes: Sequence[str] = ()) -> str:
    """Return a Markdown file."""
    parts = [f"# {title}", *notes]
    for sheet in sheets:
        left = [i < sheet.words for i in range(len(sheet.heads))]
        parts += [
            sheet.caption,
            render.aligned(sheet.heads, [_starred(r) for r in sheet.rows], left),
        ]
        parts += list(sheet.notes)
    return "\n\n".join(parts) + "\n"


def _starred(row: Sequence[str]) -> list[str]:
    """Return cells whose stars and bars Markdown prints as they are."""
    return [cell.replace("*", r"\*").replace("|", r"\|") for cell in row]


def latex(sheets: Sequence[Sheet]) -> str:
    """Return LaTeX floats, one for each sheet; they need the package booktabs."""
    return "\n".join(
        render.latex_float(
            sheet.caption,
            "l" * sheet.words + "r" * (len(sheet.heads) - sheet.words),
            [_line(sheet.heads)],
            [_line(row) for row in sheet.rows],
            [render.escape(note) for note in sheet.notes],
        )
        for sheet in sheets
    )


def _line(row: Sequence[str]) -> str:
    return " & ".join(map(render.escape, row)) + r" \\"


def write(folder: Path, page: Page) -> None:
    """Write a page's three files."""
    forms = (("csv", cells.csv_text(page.numbers)), ("md", page.markdown), ("tex", page.latex))
    for ending, content in forms:
        files.write_text(folder / f"{page.name}.{ending}", content)
