"""Pages that other commands wrote (Markdown, CSV) as HTML that fits into the report."""

import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import markdown_it
import pandas as pd
from markdown_it.token import Token
from markupsafe import Markup

from benchmark.tables.grid import DASH

_ANCHOR = re.compile(r'<a id="[^"]*"></a>\s*')


class Document(NamedTuple):
    """A page inside the report.

    Attributes:
        title: Its heading.
        file: Its path relative to the report; "" where nothing wrote it.
        body: Its HTML, or a sentence on why it is not there.
    """

    title: str
    file: str
    body: Markup


def read(title: str, path: Path, command: str, base: Path) -> Document:
    """Return a Markdown or CSV file as a document, or a sentence that it was not made.

    Args:
        title: Its heading.
        path: The file.
        command: What makes it.
        base: Folder of the report.
    """
    if not path.is_file():
        why = f"Not made in this profile: <code>{html.escape(command)}</code> makes it."
        return Document(title, "", Markup(f"<p>{why}</p>"))
    text = path.read_text(encoding="utf-8")
    body = markdown(text, title) if path.suffix == ".md" else table(pd.read_csv(path), title)
    inside = path.is_relative_to(base)
    file = path.relative_to(base).as_posix() if inside else f"../{path.parent.name}/{path.name}"
    return Document(title, file, body)


def markdown(text: str, title: str) -> Markup:
    """Return Markdown as HTML: its first heading dropped, the others from level 4 on.

    Raw HTML in it shows as text, and so do links to places inside the page, which have no target
    here. Tables scroll by keyboard, and their heads say what they head.

    Args:
        text: Markdown with tables as GitHub reads them.
        title: What a screen reader calls its tables.
    """
    parser = markdown_it.MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(_ANCHOR.sub("", text))
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        tokens = tokens[3:]
    named = 0
    for token in _all(tokens):
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        elif token.type == "table_open":
            named += 1
        elif token.type in ("th_open", "td_open"):
            _align(token)
    rendered = parser.renderer.render(tokens, parser.options, {})
    rendered = re.sub(r'<a href="(?!https?://)[^"]*">(.*?)</a>', r"\1", rendered)
    for number in range(1, named + 1):
        label = html.escape(f"{title}, table {number}")
        opening = f'<div class="scroll" role="region" tabindex="0" aria-label="{label}"><table >'
        rendered = rendered.replace("<table>", opening, 1)
    return Markup(rendered.replace("<table >", "<table>").replace("</table>", "</table></div>"))


def _all(tokens: Sequence[Token]) -> list[Token]:
    return [inner for token in tokens for inner in (token, *(token.children or []))]


def _align(token: Token) -> None:
    """Set the alignment by a class, because the page's policy refuses inline styles."""
    if "right" in str(token.attrs.pop("style", "")):
        token.attrs["class"] = "number"
    if token.type == "th_open":
        token.attrs["scope"] = "col"


def table(frame: pd.DataFrame, title: str) -> Markup:
    """Return a data frame as a table with numbers aligned right and dashes in empty cells."""
    numeric = [pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]
    classes = [' class="number"' if number else "" for number in numeric]
    heads = "".join(
        f'<th scope="col"{kind}>{html.escape(str(name))}</th>'
        for name, kind in zip(frame.columns, classes, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{kind}>{_text(value)}</td>" for value, kind in zip(row, classes, strict=True)
        )
        + "</tr>"
        for row in frame.itertuples(index=False, name=None)
    )
    label = html.escape(title)
    return Markup(
        f'<div class="scroll" role="region" tabindex="0" aria-label="{label}"><table><thead><tr>'
        f"{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _text(value: object) -> str:
    if value is None or value != value:  # NaN is not itself
        return DASH
    return html.escape(f"{value:.6g}" if isinstance(value, float) else str(value))
