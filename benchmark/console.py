"""What the commands of `mlsm-bench` share: options that recur, and how rows are printed."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
ProfileOption = Annotated[str, typer.Option(help="Profile: demo, lol or paper.")]


def print_rows(rows: Sequence[Mapping[str, str | int]], as_json: bool) -> None:
    """Print rows of equal keys, at least one, as a table or as JSON."""
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    widths = {key: max(len(key), *(len(str(row[key])) for row in rows)) for key in rows[0]}
    for row in [{key: key for key in widths}, *rows]:
        print("  ".join(str(row[key]).ljust(width) for key, width in widths.items()).rstrip())
