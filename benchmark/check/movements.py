"""Group the findings of a check by method, and describe how the machines differ.

A new method adds a row to every table, and an edit of a metric moves every cell. Such findings are
summarised by method: the number of cells, and the cell that moved furthest.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from benchmark.core import jsonfile

MOST_LINES = 25
"""Largest number of lines per verdict; further methods are only counted."""
VERDICTS = ("missing", "moved", "new")
_PROVENANCE = "provenance.json"


class Group(NamedTuple):
    """The cells of one method with one verdict.

    Attributes:
        verdict: missing, moved or new.
        method: Method as in the tables, the name of a training log, or the name of a table without
            methods.
        track: Track of the weights; "" if there is none.
        cells: Number of cells with that verdict.
        total: Number of all cells of the method on that track.
        tables: Names of the tables that contain these cells.
        worst: The cell that moved furthest relative to its tolerance, as a row of
            `benchmark.check.compare.compare`; the first cell if none moved.
    """

    verdict: str
    method: str
    track: str
    cells: int
    total: int
    tables: tuple[str, ...]
    worst: "pd.Series[Any]"


def groups(compared: pd.DataFrame) -> list[Group]:
    """Group findings by verdict, method and track: missing first, then moved, then new ones.

    Within a verdict, groups that moved furthest relative to their tolerance come first.

    Args:
        compared: Result of `benchmark.check.compare.compare`.
    """
    over = (compared["difference"].abs() / compared["tolerance"]).fillna(0.0)
    named = compared.assign(
        who=compared["method"].where(compared["method"] != "", compared["table"]), over=over
    )
    result = []
    for (who, track), every in named.groupby(["who", "track"], sort=False):
        for verdict, own in every[every["verdict"] != "ok"].groupby("verdict"):
            where = tuple(dict.fromkeys(own["table"]))
            counts, worst = (len(own), len(every)), own.iloc[int(own["over"].to_numpy().argmax())]
            result.append(Group(str(verdict), str(who), str(track), *counts, where, worst))
    return sorted(result, key=lambda group: (VERDICTS.index(group.verdict), -group.worst["over"]))


def lines(groups: Sequence[Group]) -> list[str]:
    """Return one line per group for a terminal, at most `MOST_LINES` per verdict."""
    text = []
    for verdict in VERDICTS:
        own = [group for group in groups if group.verdict == verdict]
        text += [f"{verdict:<8} {_words(group)}" for group in own[:MOST_LINES]]
        rest = own[MOST_LINES:]
        if rest:
            count = sum(group.cells for group in rest)
            text.append(f"{verdict:<8} {len(rest)} more methods: {count} cells")
    return text


def _words(group: Group) -> str:
    who = f"{group.method} ({group.track})" if group.track else group.method
    if group.verdict != "moved":
        return f"{who}: {group.cells} cells in {', '.join(group.tables)}"
    return f"{who}: {group.cells} of {group.total} cells, most {moved(group.worst)}"


def moved(cell: "pd.Series[Any]") -> str:
    """Describe a cell that moved: metric, numbers, place."""
    place = [str(cell["table"]), *(str(cell[key]) for key in ("order", "dataset") if cell[key])]
    place += [f"QF {cell['qf']}"] if cell["qf"] else []
    place += [str(cell["protocol"])] if cell["protocol"] else []
    return (
        f"{cell['metric']} {cell['ours']:.6g} for {cell['committed']:.6g} "
        f"({cell['difference']:+.3g}, tolerance {cell['tolerance']:.3g}) in {', '.join(place)}"
    )


def machines(ours: Path, reference: Path, compared: pd.DataFrame) -> str:
    """Describe how the machines of two folders of results differ, and what moved.

    Args:
        ours: A folder of results.
        reference: The folder it is compared with.
        compared: Their comparison from `benchmark.check.compare.compare`.

    Returns:
        A sentence; "" if machine and libraries are the same, or are not recorded.
    """
    paths = [folder / _PROVENANCE for folder in (reference, ours)]
    if not all(path.is_file() for path in paths):
        return ""
    theirs, mine = (_machine(jsonfile.read(path)) for path in paths)
    apart = [name for name in theirs.keys() | mine.keys() if theirs.get(name) != mine.get(name)]
    if not apart:
        return ""
    names = [name for name in (*theirs, *mine) if name in apart]
    sides = [_side(side, list(dict.fromkeys(names))) for side in (theirs, mine)]
    return (
        f"Committed numbers are from {sides[0]}; these are from {sides[1]}: {_largest(compared)}."
    )


def _machine(record: Any) -> dict[str, str]:
    """Return the properties of a machine that may change a number, by name."""
    names = ("cpu", "vectors", "system", "python")
    facts = {name: str(record[name]) for name in names if name in record}
    facts |= {str(name): str(version) for name, version in record.get("libraries", {}).items()}
    if "library" in record.get("jpeg", {}):
        facts["JPEG"] = str(record["jpeg"]["library"])
    return facts


def _side(machine: dict[str, str], names: Sequence[str]) -> str:
    plain = ("cpu", "vectors", "system", "JPEG")
    facts = [machine.get(name, f"no {name}") for name in names if name in plain]
    facts += [f"{name} {machine.get(name, 'absent')}" for name in names if name not in plain]
    return ", ".join(facts)


def _largest(compared: pd.DataFrame) -> str:
    """Return the number of cells that moved too far, and the largest move of PSNR in dB."""
    far = compared[compared["verdict"] == "moved"]
    if far.empty:
        return "no cell moved further than is tolerated"
    psnr = far[far["metric"] == "PSNR"]["difference"].abs()
    words = f"{len(far)} of {len(compared)} cells moved further than is tolerated"
    return words if psnr.empty else f"{words}, PSNR by up to {psnr.max():.2g} dB"
