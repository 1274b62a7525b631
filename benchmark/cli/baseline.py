"""Commands `mlsm-bench baseline`: start and check a new method."""

from typing import Annotated

import typer

from benchmark.cli.options import ProfileOption
from benchmark.core.console import say
from benchmark.core.types import Role

app = typer.Typer(no_args_is_help=True)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the method: my_method.")],
    role: Annotated[Role, typer.Option(help="What it is for.")],
    learned: Annotated[bool, typer.Option(help="Whether it has weights to train.")] = False,
    profile: ProfileOption = "demo",
) -> None:
    """Write a working baselines/NAME.py, and its lines in a profile's params.yaml."""
    from benchmark import ROOT
    from benchmark.authoring import scaffold
    from benchmark.core import params

    path = params.profile_path(profile)
    written = scaffold.new(scaffold.Draft(name, role, learned), path)
    definition = path.with_name("dvc.yaml").relative_to(ROOT).as_posix()
    target = "tables" if profile == "demo" else f"{definition}:tables"
    say(f"wrote {written.relative_to(ROOT)}, and its lines in {path.relative_to(ROOT)}")
    say("next:")
    say(f"  mlsm-bench baseline test {name}  # after every edit: does it keep the contract?")
    say(f"  dvc repro {target}  # {'trains and scores' if learned else 'scores'} it")
    say(f"  results/{profile}/tables  # has its rows then")


@app.command("test")
def check(
    name: Annotated[str, typer.Argument(help="Name of the method.")],
    thorough: Annotated[
        bool, typer.Option(help="Try a learned method on a large image as well.")
    ] = False,
) -> None:
    """Check a method against the contract; exit 1 and say what it breaks."""
    from benchmark.authoring import scaffold

    violations = scaffold.violations(name, thorough)
    for violation in violations:
        say(f"{name} {violation}")
    if violations:
        raise typer.Exit(1)
    say(f"{name} keeps the contract")
