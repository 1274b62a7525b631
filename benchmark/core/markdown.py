"""Tables in Markdown."""

from collections.abc import Sequence


def pipes(
    heads: Sequence[str], rows: Sequence[Sequence[object]], rule: Sequence[str] | None = None
) -> str:
    """Return a Markdown table, a line per row.

    Args:
        heads: Titles of the columns.
        rows: Cells, as many in each row as there are heads.
        rule: What stands below each head, such as `:--` for a column of text and `--:` for one of
            numbers; None leaves the alignment to the reader.

    Example:
        >>> print(pipes(["method", "dB"], [["LIME", 16.9]], [":--", "--:"]))
        | method | dB |
        | :-- | --: |
        | LIME | 16.9 |
    """
    lines = [heads, rule or ["--"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
