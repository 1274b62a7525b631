"""Options that several commands of `mlsm-bench` share, and the choice of weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from benchmark.core.console import note
from benchmark.core.errors import InputError
from benchmark.core.types import Track

if TYPE_CHECKING:
    from benchmark.methods import Chain

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
WeightsOption = Annotated[
    str, typer.Option(help="Whose retrained weights: the profile that trained them.")
]
TrackOption = Annotated[
    str, typer.Option(help="Weights: retrained, released, or auto (the first that is there).")
]
AgainstOption = Annotated[
    str, typer.Option(help="A git revision, or a folder of results, to compare with.")
]
CellsOption = Annotated[Path | None, typer.Option(help="CSV file for every cell with its verdict.")]
ProfileOption = Annotated[str, typer.Option(help="Profile: demo, lol, faces or paper.")]


Value = TypeVar("Value")


def distinct(option: str, values: Sequence[Value]) -> list[Value]:
    """Return the values of a repeatable option if each is given only once.

    Raises:
        InputError: A value is given twice.
    """
    twice = [value for place, value in enumerate(values) if value in values[:place]]
    if twice:
        raise InputError(
            f"Option {option} names {twice[0]} more than once, expected each value once: leave the "
            "others out."
        )
    return list(values)


def chosen_track(chain: "Chain", option: str, trained: Path) -> Track:
    """Return the track to use: the requested one, or the first with available weights."""
    from benchmark.methods import assemble

    known = assemble.tracks(chain)
    for step in chain.plugins if option == "auto" else ():
        if wrong := assemble.broken(step):
            note(f"warning: {wrong}; released weights of {step.name} are left out.")
    if option == "auto":
        available = [track for track in known if not assemble.absent(chain, track, trained)]
        if not available:
            raise InputError(
                f"Chain {chain} has no weights here: {assemble.absent(chain, known[0], trained)}; "
                "train them with dvc repro or see weights/README.md."
            )
        if chain.learned:
            note(f"using {available[0]} weights")
        return available[0]
    if chain.learned and option not in known:
        raise InputError(f"Option --track must be auto or one of {known}, but got {option!r}.")
    return next((track for track in known if track == option), known[0])
