"""Tables of a study as one page, and as one csv file."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from benchmark.core import files
from benchmark.core.markdown import pipes
from benchmark.core.params import Params


class Table(NamedTuple):
    """The result of one experiment.

    Attributes:
        title: Doubt and subject, such as `E18: normalisation`.
        text: What was done and how to read it.
        columns: Heads of the columns.
        rows: Texts of the cells.
    """

    title: str
    text: str
    columns: list[str]
    rows: list[list[str]]


def write(name: str, title: str, params: Params, tables: Sequence[Table]) -> None:
    """Write a study's page and its numbers beside the profile's tables.

    Args:
        name: Name of its module and of both files.
        title: Title of the page.
        params: The profile.
        tables: Tables of the study.
    """
    source = (
        f"Profile: {params.title}. Validation images alone; made by `python -m studies.{name}`."
    )
    text, numbers = page(title, source, tables)
    files.write_text(params.results / f"{name}.md", text)
    rows = numbers.to_csv(index=False, lineterminator="\n")
    files.write_text(params.results / f"{name}.csv", rows)


def page(title: str, source: str, tables: Sequence[Table]) -> tuple[str, pd.DataFrame]:
    """Return the page in Markdown, and every cell in long form: table, row, column, value."""
    parts = [f"# {title}", "", source]
    cells = []
    for table in tables:
        parts += ["", f"## {table.title}", "", table.text, ""]
        parts.append(pipes(table.columns, table.rows, ["---"] * len(table.columns)))
        name = table.title.partition(":")[0]
        for number, row in enumerate(table.rows):
            cells += [
                (name, table.title, number, column, value)
                for column, value in zip(table.columns, row, strict=True)
            ]
    columns = ["doubt", "table", "row", "column", "value"]
    return "\n".join(parts) + "\n", pd.DataFrame(cells, columns=columns)
