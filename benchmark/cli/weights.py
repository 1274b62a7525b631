"""Commands `mlsm-bench weights`: weight files that methods' authors released."""

import json
from typing import Annotated

import typer

from benchmark.cli.options import JsonOption
from benchmark.core.console import print_rows, say

app = typer.Typer(no_args_is_help=True)

NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Methods; all without one.")
]


@app.command("list")
def list_files(names: NamesArgument = None, as_json: JsonOption = False) -> None:
    """List every released file: is it here, how large, from where."""
    from benchmark.methods import released

    rows: list[dict[str, str | int]] = [
        {
            "method": listed.plugin.name,
            "variant": listed.released.name,
            "state": listed.state,
            "bytes": listed.file.size,
            "file": listed.file.file,
            "folder": str(listed.folder or ""),
            "source": listed.file.source,
            "partial": listed.released.partial,
        }
        for listed in released.files(names or ())
    ]
    print_rows(rows, as_json)


@app.command()
def verify(names: NamesArgument = None, as_json: JsonOption = False) -> None:
    """Check the SHA-256 of released files and load them; exit 1 where one is broken.

    A file that is absent is a failure only if its method is named.
    """
    from benchmark.methods import released

    verdicts = released.verify(names or ())
    if as_json:
        say(json.dumps([verdict._asdict() for verdict in verdicts], indent=2))
    else:
        for verdict in verdicts:
            say(f"{verdict.state:8} {verdict.method} {verdict.variant}: {verdict.words}")
    wrong = {"broken", "absent"} if names else {"broken"}
    if any(verdict.state in wrong for verdict in verdicts):
        raise typer.Exit(1)


@app.command()
def fetch(names: NamesArgument = None, as_json: JsonOption = False) -> None:
    """Get released files into weights/released/, or say how; exit 1 while one is missing.

    Files keep their authors' licences: see weights/released/README.md.
    """
    from benchmark.methods import released

    results = released.fetch(names or ())
    if as_json:
        say(json.dumps([result._asdict() for result in results], indent=2))
    else:
        for result in results:
            say(f"{result.file}: {result.words}")
    if not all(result.here for result in results):
        raise typer.Exit(1)
