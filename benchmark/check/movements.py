"""What a check found, in groups that can be read: a line a method, and what the machines differ in.

A new method brings a row to every table, and an edit of a metric moves every cell there is. Such
findings are told by method: how many cells, and the one that moved furthest.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from benchmark.core import jsonfile

MOST_LINES = 25
"""Of one verdict; where more methods moved, their number says what the rest of the lines would."""
VERDICTS = ("missing", "moved", "new")
_PROVENANCE = "provenance.json"


class Group(NamedTuple):
    """The cells of one method with one verdict.

    Attributes:
        verdict: missing, moved or new.
        method: As tables spell it, or the name of a training log; where a table has no methods,
            the table's.
        track: Which weights, "" where there are none.
        cells: Those of that verdict.
        total: All cells of the method on that track.
        tables: Where they stand.
        worst: The cell that moved furthest beyond its tolerance, as a row of
            `benchmark.check.compare.compare`; the first of those that did not move.
    """

    verdict: str
    method: str
    track: str
    cells: int
    total: int
    tables: tuple[str, ...]
    worst: "pd.Series[Any]"


def groups(found: pd.DataFrame) -> list[Group]:
    """Return findings by verdict, method and track: missing ones, then moved ones, then new ones.

    Those that moved furthest beyond their tolerance come first.

    Args:
        found: From `benchmark.check.compare.compare`.
    """
    over = (found["difference"].abs() / found["tolerance"]).fillna(0.0)
    named = found.assign(
        who=found["method"].where(found["method"] != "", found["table"]), over=over
    )
    made = []
    for (who, track), every in named.groupby(["who", "track"], sort=False):
        for verdict, own in every[every["verdict"] != "ok"].groupby("verdict"):
            where = tuple(dict.fromkeys(own["table"]))
            counts, worst = (len(own), len(every)), own.iloc[int(own["over"].to_numpy().argmax())]
            made.append(Group(str(verdict), str(who), str(track), *counts, where, worst))
    return sorted(made, key=lambda group: (VERDICTS.index(group.verdict), -group.worst["over"]))


def lines(found: Sequence[Group]) -> list[str]:
    """Return a line a group for a terminal, at most `MOST_LINES` a verdict."""
    made = []
    for verdict in VERDICTS:
        own = [group for group in found if group.verdict == verdict]
        made += [f"{verdict:<8} {_words(group)}" for group in own[:MOST_LINES]]
        rest = own[MOST_LINES:]
        if rest:
            count = sum(group.cells for group in rest)
            made.append(f"{verdict:<8} {len(rest)} more methods: {count} cells")
    return made


def _words(group: Group) -> str:
    who = f"{group.method} ({group.track})" if group.track else group.method
    if group.verdict != "moved":
        return f"{who}: {group.cells} cells in {', '.join(group.tables)}"
    return f"{who}: {group.cells} of {group.total} cells, most {moved(group.worst)}"


def moved(cell: "pd.Series[Any]") -> str:
    """Return a cell that moved in words: metric, numbers, place."""
    place = [str(cell["table"]), *(str(cell[key]) for key in ("order", "dataset") if cell[key])]
    place += [f"QF {cell['qf']}"] if cell["qf"] else []
    place += [str(cell["protocol"])] if cell["protocol"] else []
    return (
        f"{cell['metric']} {cell['ours']:.6g} for {cell['committed']:.6g} "
        f"({cell['difference']:+.3g}, tolerance {cell['tolerance']:.3g}) in {', '.join(place)}"
    )


def machines(ours: Path, reference: Path, found: pd.DataFrame) -> str:
    """Return what two folders of results were made on, where that differs, and what moved.

    Args:
        ours: A folder of results.
        reference: Another.
        found: Their comparison, from `benchmark.check.compare.compare`.

    Returns:
        A sentence; "" where machine and libraries are the same, or a folder does not say.
    """
    paths = [folder / _PROVENANCE for folder in (reference, ours)]
    if not all(path.is_file() for path in paths):
        return ""
    there, here = (_machine(jsonfile.read(path)) for path in paths)
    apart = [name for name in there.keys() | here.keys() if there.get(name) != here.get(name)]
    if not apart:
        return ""
    names = [name for name in (*there, *here) if name in apart]
    told = [_side(side, list(dict.fromkeys(names))) for side in (there, here)]
    return f"Committed numbers are from {told[0]}; these are from {told[1]}: {_largest(found)}."


def _machine(record: Any) -> dict[str, str]:
    """Return what of a machine may move a number, by name."""
    names = ("cpu", "vectors", "system", "python")
    made = {name: str(record[name]) for name in names if name in record}
    made |= {str(name): str(version) for name, version in record.get("libraries", {}).items()}
    if "library" in record.get("jpeg", {}):
        made["JPEG"] = str(record["jpeg"]["library"])
    return made


def _side(machine: dict[str, str], names: Sequence[str]) -> str:
    plain = ("cpu", "vectors", "system", "JPEG")
    told = [machine.get(name, f"no {name}") for name in names if name in plain]
    told += [f"{name} {machine.get(name, 'absent')}" for name in names if name not in plain]
    return ", ".join(told)


def _largest(found: pd.DataFrame) -> str:
    """Return how many cells moved beyond what is tolerated, and the largest move of PSNR in dB."""
    far = found[found["verdict"] == "moved"]
    if far.empty:
        return "no cell moved further than is tolerated"
    psnr = far[far["metric"] == "PSNR"]["difference"].abs()
    words = f"{len(far)} of {len(found)} cells moved further than is tolerated"
    return words if psnr.empty else f"{words}, PSNR by up to {psnr.max():.2g} dB"
