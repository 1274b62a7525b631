"""Commands `mlsm-bench check` and `mlsm-bench plan`: did a number move, and what would run."""

import json
from pathlib import Path
from typing import Annotated

import typer

from benchmark import outputs
from benchmark.cli_options import JsonOption, ProfileOption
from benchmark.console import note, say, shown


def check(
    profile: ProfileOption = "demo",
    against: Annotated[
        str, typer.Option(help="A git revision, or a folder of results, to compare with.")
    ] = "HEAD",
    markdown: Annotated[
        Path | None, typer.Option(help="File for a summary that a pull request can show.")
    ] = None,
    cells: Annotated[
        Path | None, typer.Option(help="CSV file for every cell with its verdict.")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Accept the numbers: stage this profile's results.")
    ] = False,
) -> None:
    """Compare this profile's results with committed ones; exit 1 where a number moved.

    A row that is missing or new is a finding too. Findings are printed by method; --cells lists
    them all. Tolerances: results/tolerances.yaml.
    """
    from benchmark import check as checking
    from benchmark import movements, params, verdicts

    chosen = params.load(params.profile_path(profile))
    outputs.check(*(path for path in (markdown, cells) if path is not None))
    with checking.committed(chosen, against) as reference:
        found = checking.compare(chosen.results, reference, checking.tolerances())
        machines = movements.machines(chosen.results, reference, found)
    wrong = found[found["verdict"] != "ok"]
    if markdown is not None:
        _write(markdown, verdicts.markdown(found, profile, against, machines))
    if cells is not None:
        _write(cells, found.to_csv(index=False, lineterminator="\n"))
    for line in [*movements.lines(movements.groups(found)), *filter(None, [machines])]:
        say(line)
    say(f"{len(found) - len(wrong)} of {len(found)} cells agree with {against}")
    if update:
        staged = verdicts.accept(chosen)
        say(f"staged {len(staged)} files; commit them with before and after in CHANGELOG.md")
    elif len(wrong):
        raise typer.Exit(1)


def _write(path: Path, text: str) -> None:
    outputs.write_text(path, text)
    note(f"wrote {shown(path)}")


def plan(profile: ProfileOption = "paper", as_json: JsonOption = False) -> None:
    """Print what a profile would run, what it lacks, and how long it takes as far as measured."""
    from benchmark import params, planning

    made = planning.plan(params.load(params.profile_path(profile)))
    say(json.dumps(made, indent=2) if as_json else "\n".join(planning.lines(made)))
