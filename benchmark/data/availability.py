"""Availability of the raw sets on this machine, one line per set."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.core.errors import InputError
from benchmark.data import registry
from benchmark.data.folders import LayoutError
from benchmark.data.registry import SPLITS, RawSet

_HEADS = (
    "set",
    "state",
    "pairs: found/published",
    "images",
    "tables",
    "licence",
    "where, or from where",
)


def status(
    roots: Sequence[Path], names: Sequence[str] = tuple(registry.SETS)
) -> list[dict[str, Any]]:
    """Report for every raw set what is there and what is missing, without opening an image.

    Args:
        roots: Folders that contain raw sets; see `registry.raw_roots`.
        names: Names of the raw sets.

    Returns:
        One record per set: set, protocol, found (its folder or ""), state (`complete`, `in part`,
        `absent`, or `problems`), pairs (split -> `found` and `published` numbers), images (the same
        numbers for distinct image files), problems, hint (for an absent set: a folder that looks
        like it and what to rename, or ""), licence, how_to_get, and needed_for (tables of
        arXiv:2403.07622).
    """
    return [_status(registry.SETS[name], roots) for name in names]


def _status(raw: RawSet, roots: Sequence[Path]) -> dict[str, Any]:
    folder, problems = None, []
    try:
        folder = registry.find(raw.name, roots)
        pairs = [] if folder is None else raw.read(folder)
    except LayoutError as error:
        pairs, problems = error.pairs, list(error.problems)
    except InputError as error:
        pairs, problems = [], [str(error)]
    counts = {
        split: {"found": sum(pair.split == split for pair in pairs), "published": published}
        for split, published in ((split, raw.expected.get(split)) for split in SPLITS)
        if published is not None
    }
    complete = all(count["found"] == count["published"] for count in counts.values())
    state = "complete" if complete else "in part" if folder else "absent"
    files = {path for pair in pairs for path in (pair.dark, pair.normal) if path is not None}
    return {
        "set": raw.name,
        "protocol": raw.protocol,
        "found": "" if folder is None else str(folder),
        "state": "problems" if problems else state,
        "pairs": counts,
        "images": {"found": len(files), "published": raw.images},
        "problems": problems,
        "hint": "" if folder or problems else registry.hint(raw.name, roots),
        "licence": raw.licence,
        "how_to_get": raw.source,
        "needed_for": list(raw.tables),
    }


def lines(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Format records of `status` as a table with one line per set, followed by the problems."""
    cells = [list(_HEADS), *([*_cells(record)] for record in records)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEADS) - 1)]
    table = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in cells
    ]
    wrong = [f"{record['set']}: {problem}" for record in records for problem in record["problems"]]
    hints = [f"{record['set']}: {record['hint']}" for record in records if record["hint"]]
    return [*table, *wrong, *hints]


def _cells(record: Mapping[str, Any]) -> list[str]:
    counts = record["pairs"].items()
    pairs = ", ".join(f"{split} {n['found']}/{n['published']}" for split, n in counts)
    images = record["images"]
    where, source = record["found"], record["how_to_get"].partition(", ")[0]
    if not where:
        where = f"from {source}"
    elif record["state"] != "complete":
        where = f"{where}, the rest from {source}"
    return [
        *(record["set"], record["state"], pairs, f"{images['found']}/{images['published']}"),
        *(" ".join(record["needed_for"]), record["licence"], where),
    ]
