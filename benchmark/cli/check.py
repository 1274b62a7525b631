"""Commands `check`, `repeat` and `plan`: compare results, repeat them, show what would run."""

import json
from pathlib import Path
from typing import Annotated

import typer

from benchmark import ROOT
from benchmark.cli.options import AgainstOption, CellsOption, JsonOption, ProfileOption
from benchmark.core import files
from benchmark.core.console import note, say, shown


def check(
    profile: ProfileOption = "demo",
    against: AgainstOption = "HEAD",
    markdown: Annotated[
        Path | None, typer.Option(help="File for a summary that a pull request can show.")
    ] = None,
    cells: CellsOption = None,
    update: Annotated[
        bool, typer.Option("--update", help="Accept the numbers: stage this profile's results.")
    ] = False,
) -> None:
    """Compare this profile's results with committed ones; exit 1 where a number moved.

    A row that is missing or new is a finding too. Findings are printed by method; --cells lists
    them all. Tolerances: results/tolerances.yaml.
    """
    from benchmark.check import compare, movements, verdicts
    from benchmark.cli import checkout
    from benchmark.core import params

    if not Path(against).is_dir():
        checkout.check(ROOT)
    chosen = params.load(params.profile_path(profile))
    files.check(*(path for path in (markdown, cells) if path is not None))
    with compare.committed(chosen, against) as reference:
        compared = compare.compare(chosen.results, reference, compare.tolerances())
        machines = movements.machines(chosen.results, reference, compared)
    wrong = compared[compared["verdict"] != "ok"]
    if markdown is not None:
        _write(markdown, verdicts.markdown(compared, profile, against, machines))
    if cells is not None:
        _write(cells, compared.to_csv(index=False, lineterminator="\n"))
    for line in [*movements.lines(movements.groups(compared)), *filter(None, [machines])]:
        say(line)
    say(f"{len(compared) - len(wrong)} of {len(compared)} cells agree with {against}")
    if update:
        staged = verdicts.accept(chosen)
        say(f"staged {len(staged)} files; commit them with before and after in CHANGELOG.md")
    elif len(wrong):
        raise typer.Exit(1)


def repeat_demo(
    profile: ProfileOption = "demo",
    condition: Annotated[
        str, typer.Option(help="native, sse4, avx2, avx512 or threads: what to compute with.")
    ] = "sse4",
    chain: Annotated[
        list[str] | None, typer.Option(help="A chain to repeat, such as edsr+zero_dce; all without")
    ] = None,
    against: AgainstOption = "HEAD",
    cells: CellsOption = None,
) -> None:
    """Train and score chains again as another CPU would; exit 1 where a number moved.

    Works in a copy and leaves results as they are; needs the profile's test images (dvc repro).
    """
    import tempfile

    from benchmark.check import movements, repeat
    from benchmark.cli import checkout
    from benchmark.core import params

    if not Path(against).is_dir():
        checkout.check(ROOT)
    chosen = params.load(params.profile_path(profile))
    files.check(*([cells] if cells else []))
    with tempfile.TemporaryDirectory() as folder:
        compared = repeat.repeat(chosen, condition, Path(folder), chain or (), against)
    wrong = compared[compared["verdict"] != "ok"]
    if cells is not None:
        _write(cells, compared.to_csv(index=False, lineterminator="\n"))
    for line in movements.lines(movements.groups(compared)):
        say(line)
    about = repeat.CONDITIONS[condition].about
    say(f"{len(compared) - len(wrong)} of {len(compared)} cells under {about} agree with {against}")
    if len(wrong):
        raise typer.Exit(1)


def _write(path: Path, text: str) -> None:
    files.write_text(path, text)
    note(f"wrote {shown(path)}")


def show_plan(profile: ProfileOption = "paper", as_json: JsonOption = False) -> None:
    """Print what a profile would run, what it lacks, and how long it takes as far as measured."""
    from benchmark.check import plan
    from benchmark.cli import checkout
    from benchmark.core import params

    checkout.check(ROOT)
    planned = plan.plan(params.load(params.profile_path(profile)))
    say(json.dumps(planned, indent=2) if as_json else "\n".join(plan.lines(planned)))
