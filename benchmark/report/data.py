"""What the report's tables and charts are drawn from, as plain values for JSON."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd

from benchmark.data.manifest import natural_key
from benchmark.tables import cells, grid
from benchmark.tables.grid import Scope

FAMILIES: Mapping[str, str] = {
    "enhance": "enhancers",
    "deblock+enhance": "deblocked, then enhanced",
    "enhance+deblock": "enhanced, then deblocked",
    "joint": "both at once",
    "deblock": "deblockers alone",
}
"""Order of a chain -> what its family is called."""
CONTROLS = "controls"
"""Family of the chains that only show where the scale begins and ends."""
MOST_VALUES = 400_000
"""Numbers of single images that a page holds: about 3 MB."""


def results(frame: pd.DataFrame, scope: Scope) -> dict[str, Any]:
    """Return the cells of tables with everything that a reader can choose them by.

    Args:
        frame: As `benchmark.tables.cells` makes them, of any tables.
        scope: What they should hold.

    Returns:
        `datasets`, `qfs` (text, "none" for uncompressed inputs), `protocols`, `metrics` (name,
        unit, decimals, rises), `lines` (see `_lines`), and `cells`: lists of the places in these
        (set, qf, protocol, metric, line), then value, low, high, n, reported and difference.
        Infinite values are the text "inf", missing ones null.
    """
    lines = _lines(scope)
    at = {(line["chain"], line["track"]): i for i, line in enumerate(lines)}
    axes: dict[str, list[Any]] = {
        "datasets": list(dict.fromkeys([*scope.datasets, *frame["dataset"]])),
        "qfs": list(dict.fromkeys(map(_qf, frame["qf"]))),
        "protocols": list(dict.fromkeys(frame["protocol"])),
        "metrics": list(dict.fromkeys(frame["metric"])),
    }
    places = {key: {value: i for i, value in enumerate(values)} for key, values in axes.items()}
    listed = [
        [
            places["datasets"][row["dataset"]],
            places["qfs"][_qf(row["qf"])],
            places["protocols"][row["protocol"]],
            places["metrics"][row["metric"]],
            at[row["chain"], row["track"]],
            *(_number(row[key]) for key in ("value", "ci_low", "ci_high")),
            int(row["n"]),
            *(_number(row[key]) for key in ("reported", "difference")),
        ]
        for row in frame.to_dict("records")
        if (row["chain"], row["track"]) in at
    ]
    return axes | {"metrics": metrics(axes["metrics"]), "lines": lines, "cells": listed}


def metrics(names: Sequence[str]) -> list[dict[str, Any]]:
    """Return how each metric is printed: name, unit, decimals, and whether more is better."""
    descriptions = []
    for name in names:
        column = grid.Column("", name)
        descriptions.append(
            {
                "name": name,
                "unit": column.unit.strip(),
                "decimals": column.decimals,
                "rises": column.rises,
            }
        )
    return descriptions


def _lines(scope: Scope) -> list[dict[str, Any]]:
    """Return a line for each chain and track, with notes, and the reason if it has no numbers."""
    lines = []
    for chain, record in scope.records.items():
        family = CONTROLS if record.is_control else FAMILIES.get(record.order, record.order)
        common: dict[str, Any] = {"chain": chain, "title": record.title, "order": record.order}
        common |= {"family": family, "control": record.uses_reference}
        for track in record.tracks:
            notes = record.unlike_published(track)
            lines.append(common | {"track": track, "notes": notes, "absent": ""})
        for track, reason in record.absent.items():
            lines.append(common | {"track": track, "notes": [], "absent": reason})
    return lines


def images(
    rows: pd.DataFrame, lines: Sequence[Mapping[str, Any]], qfs: Sequence[int | None]
) -> dict[str, Any]:
    """Return every image's numbers under protocol `sound`, for the comparison image by image.

    Args:
        rows: See `benchmark.scoring.results`.
        lines: The `lines` of `results`.
        qfs: Quality factors in the order in which they are kept while there is room.

    Returns:
        `metrics` as in `results`, `names` (set -> images), `values` (set -> qf -> metric -> place
        of the line -> a value for each image) and `left_out` (quality factors without room).
    """
    sound = rows[rows["protocol"] == "sound"]
    at = {(line["chain"], line["track"]): i for i, line in enumerate(lines)}
    spelled = [cells.SPELLING[m] for m in cells.SPELLING if m in set(sound["metric"])]
    names = {
        str(dataset): sorted(group["image"].unique(), key=natural_key)
        for dataset, group in sound.groupby("dataset", sort=False)
    }
    content: dict[str, Any] = {"metrics": metrics(spelled), "names": names, "values": {}}
    left_out, room = [], MOST_VALUES
    for qf in qfs:
        chosen = sound[sound["qf"].isna() if qf is None else sound["qf"] == qf]
        if len(chosen) > room:
            left_out.append(_qf(qf))
            continue
        room -= len(chosen)
        for key, group in chosen.groupby(["dataset", "metric", "chain", "track"], sort=False):
            dataset, metric, chain, track = map(str, cast(tuple[Any, ...], key))
            if (chain, track) not in at or metric not in cells.SPELLING:
                continue
            column = grid.Column(dataset, cells.SPELLING[metric])
            values = group.set_index("image")["value"].reindex(names[dataset])
            by_metric = content["values"].setdefault(dataset, {}).setdefault(_qf(qf), {})
            by_metric.setdefault(column.metric, {})[str(at[chain, track])] = [
                _number(value, column.decimals + 1) for value in values
            ]
    return content | {"left_out": left_out}


def _qf(qf: Any) -> str:
    return "none" if qf is None or pd.isna(qf) else str(int(qf))


def _number(value: Any, decimals: int = cells.DECIMALS) -> float | str | None:
    if value is None or pd.isna(value):
        return None
    return "inf" if math.isinf(value) else round(float(value), decimals)


def script(content: object) -> str:
    """Return values as JSON that may stand inside a script element.

    No text in it can end the element or open a comment: `<`, `>` and `&` are escaped.
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text
