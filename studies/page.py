"""Tables of a study as one page, and as one csv file."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd


class Table(NamedTuple):
    """What one experiment found.

    Attributes:
        title: Doubt and subject, such as `E18: normalisation`.
        text: What was done and how to read it.
        columns: Their heads.
        rows: Cells as they are shown.
    """

    title: str
    text: str
    columns: list[str]
    rows: list[list[str]]


def page(profile: str, found: Sequence[Table]) -> tuple[str, pd.DataFrame]:
    """Return the page in Markdown, and every cell in long form: table, row, column, value."""
    parts = [
        "# What the paper leaves in doubt, measured",
        "",
        f"Profile: {profile}. Validation images alone; made by `python -m studies.understanding`.",
    ]
    cells = []
    for table in found:
        parts += ["", f"## {table.title}", "", table.text, ""]
        parts += [_line(table.columns), _line(["---"] * len(table.columns))]
        parts += [_line(row) for row in table.rows]
        name = table.title.partition(":")[0]
        for number, row in enumerate(table.rows):
            cells += [
                (name, table.title, number, column, value)
                for column, value in zip(table.columns, row, strict=True)
            ]
    columns = ["doubt", "table", "row", "column", "value"]
    return "\n".join(parts) + "\n", pd.DataFrame(cells, columns=columns)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
