"""Tables for reading: Markdown, and LaTeX for papers (booktabs)."""

from collections.abc import Sequence

import pandas as pd

from benchmark.core.markdown import pipes
from benchmark.tables.grid import APART, DASH, Cell, Grid, Line

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "—": "---",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "∞": r"$\infty$",
    "−": "$-$",
    "×": r"$\times$",
    "⁹": r"\textsuperscript{9}",
}


def escape(text: str) -> str:
    """Return text as LaTeX prints it literally."""
    return "".join(_LATEX.get(letter, letter) for letter in text)


def markdown(title: str, grids: Sequence[Grid], notes: Sequence[str]) -> str:
    """Return a Markdown file: the grids one after the other.

    Args:
        title: Heading.
        grids: From top to bottom.
        notes: Paragraphs that stand above all grids.
    """
    parts = [f"# {title}", *notes]
    for grid in grids:
        heads = ["Method", "Order", "Weights"]
        heads += [f"{column.dataset} {column.head}" for column in grid.columns]
        rows = [
            [_marked(line.method, line.mark), line.order, line.track]
            + [_marked(_markdown_cell(cell), cell.mark) for cell in line.cells]
            for line in grid.lines
        ]
        parts += [_caption(grid), aligned(heads, rows, [i < 3 for i in range(len(heads))])]
        parts += [f"<sup>{note.mark}</sup> {note.text}." for note in grid.notes]
    return "\n\n".join(parts) + "\n"


def _caption(grid: Grid) -> str:
    cells = [cell for line in grid.lines for cell in line.cells]
    legend = " In parentheses: the paper's number." if any(c.reported for c in cells) else ""
    if any(c.difference for c in cells):
        limits = ", ".join(f"{metric} {limit:g}" for metric, limit in APART.items())
        legend = legend[:-1] + f", and how far ours is from it where that is more than {limits}."
    return grid.caption + legend


def _marked(text: str, mark: str) -> str:
    return f"{text}<sup>{mark}</sup>" if mark else text


def _markdown_cell(cell: Cell) -> str:
    ranked = {0: cell.text, 1: f"**{cell.text}**", 2: f"<u>{cell.text}</u>"}[cell.rank]
    return ranked + _beside(cell)


def _beside(cell: Cell) -> str:
    if not cell.reported:
        return ""
    return f" ({cell.reported}; {cell.difference})" if cell.difference else f" ({cell.reported})"


def aligned(heads: Sequence[str], rows: Sequence[Sequence[object]], text: Sequence[bool]) -> str:
    """Return a Markdown table with columns of text aligned left and those of numbers right."""
    return pipes(heads, rows, [":--" if left else "--:" for left in text])


def frame(cells: pd.DataFrame) -> str:
    """Return any data frame as a Markdown table."""
    text = [not pd.api.types.is_numeric_dtype(kind) for kind in cells.dtypes]
    heads = [str(column) for column in cells.columns]
    rows = [[_plain(value) for value in row] for row in cells.itertuples(index=False, name=None)]
    return aligned(heads, rows, text)


def _plain(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def latex(grids: Sequence[Grid]) -> str:
    """Return LaTeX floats, one for each grid; they need the package booktabs."""
    return "\n".join(_float(grid) for grid in grids)


def _float(grid: Grid) -> str:
    datasets = list(dict.fromkeys(column.dataset for column in grid.columns))
    metrics = len(grid.columns) // len(datasets)
    groups = [rf"\multicolumn{{{metrics}}}{{c}}{{{escape(dataset)}}}" for dataset in datasets]
    first = " & ".join(["", "", "", *groups])
    rules = " ".join(
        rf"\cmidrule(lr){{{4 + i * metrics}-{3 + (i + 1) * metrics}}}" for i in range(len(datasets))
    )
    heads = ["Method", "Order", "Weights", *(column.head for column in grid.columns)]
    second = " & ".join(escape(head) for head in heads)
    return latex_float(
        _caption(grid),
        "lll" + "r" * len(grid.columns),
        [rf"{first} \\", rules, rf"{second} \\"],
        [_latex_line(line) for line in grid.lines],
        [rf"\textsuperscript{{{note.mark}}} {escape(note.text)}." for note in grid.notes],
    )


def _latex_line(line: Line) -> str:
    name = escape(line.method) + _superscript(line.mark)
    cells = [_latex_cell(cell) + _superscript(cell.mark) for cell in line.cells]
    return " & ".join([name, escape(line.order), escape(line.track), *cells]) + r" \\"


def _superscript(mark: str) -> str:
    return rf"\textsuperscript{{{mark}}}" if mark else ""


def _latex_cell(cell: Cell) -> str:
    text = escape(cell.text)
    ranked = {0: text, 1: rf"\textbf{{{text}}}", 2: rf"\underline{{{text}}}"}[cell.rank]
    return ranked + escape(_beside(cell))


def latex_float(
    caption: str, spec: str, heads: Sequence[str], rows: Sequence[str], notes: Sequence[str]
) -> str:
    """Return a float as wide as the page: booktabs rules, and notes below.

    Args:
        caption: Plain text.
        spec: Columns as `tabular` takes them.
        heads: LaTeX lines of the head.
        rows: LaTeX lines.
        notes: LaTeX paragraphs.
    """
    lines = [r"\begin{table*}", r"\centering\footnotesize", rf"\caption{{{escape(caption)}}}"]
    lines += [rf"\begin{{tabular}}{{{spec}}}", r"\toprule", *heads, r"\midrule", *rows]
    lines += [r"\bottomrule", r"\end{tabular}"]
    lines += [rf"\par\smallskip {note}" for note in notes]
    return "\n".join([*lines, r"\end{table*}", ""])


def counts(title: str, table: pd.DataFrame, notes: Sequence[str]) -> tuple[str, str]:
    """Return Table I or II, as `benchmark.tables.cells.counts` makes it, in Markdown and LaTeX."""
    heads = ["Data set", "Images", "In the paper", "Difference"]
    shown = 4 if table["difference"].notna().any() else 3
    rows = [
        [str(row[0]), *(DASH if pd.isna(number) else str(number) for number in row[1:shown])]
        for row in table.itertuples(index=False, name=None)
    ]
    paragraphs = [*notes, "A dash: not in this profile, or not in the paper."]
    text = (
        "\n\n".join(
            [
                f"# {title}",
                *paragraphs,
                aligned(heads[:shown], rows, [i == 0 for i in range(shown)]),
            ]
        )
        + "\n"
    )
    lines = [" & ".join(map(escape, row)) + r" \\" for row in [heads[:shown], *rows]]
    spec = "l" + "r" * (shown - 1)
    return text, latex_float(f"{title}. {' '.join(paragraphs)}", spec, lines[:1], lines[1:], [])
