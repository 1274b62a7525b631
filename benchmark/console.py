"""What the commands of `mlsm-bench` share: options that recur, weights, how rows are printed."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.errors import InputError
from benchmark.terms import Track

if TYPE_CHECKING:
    from benchmark.methods import Chain

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
WeightsOption = Annotated[
    str, typer.Option(help="Whose retrained weights: the profile that trained them.")
]
TrackOption = Annotated[
    str, typer.Option(help="Weights: retrained, released, or auto (the first that is there).")
]
ProfileOption = Annotated[str, typer.Option(help="Profile: demo, lol or paper.")]


def print_rows(rows: Sequence[Mapping[str, str | int]], as_json: bool) -> None:
    """Print rows of equal keys, at least one, as a table or as JSON."""
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    widths = {key: max(len(key), *(len(str(row[key])) for row in rows)) for key in rows[0]}
    for row in [{key: key for key in widths}, *rows]:
        print("  ".join(str(row[key]).ljust(width) for key, width in widths.items()).rstrip())


def chosen_track(chain: "Chain", asked: str, trained: Path) -> Track:
    """Return the kind of weights to use: the one asked for, or the first at hand."""
    from benchmark import weights as store

    known = store.tracks(chain)
    if asked == "auto":
        there = [track for track in known if not store.absent(chain, track, trained)]
        if not there:
            raise InputError(
                f"Chain {chain} has no weights here: {store.absent(chain, known[0], trained)}; "
                "train them with dvc repro or see weights/README.md."
            )
        if chain.learned:
            print(f"using {there[0]} weights", file=sys.stderr)
        return there[0]
    if chain.learned and asked not in known:
        raise InputError(f"Option --track must be auto or one of {known}, but got {asked!r}.")
    return next((track for track in known if track == asked), known[0])
