"""Derive tolerances from how far each method's numbers moved between conditions.

`perf/repeatability.py` repeats a profile under every condition of `benchmark.check.repeat` and
passes the cells to this module, which measures how far they moved and derives the tolerances for
`check`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

import pandas as pd
import yaml

from benchmark.check.cells import TRAINING
from benchmark.check.compare import Tolerance

SAFETY = 3.0
"""Ratio of a tolerance to the largest measured move, because CPUs that were not available may round
differently."""
GROUPS: Mapping[str, tuple[str, ...]] = {
    "PSNR": ("PSNR", "PSNR-GT-mean"),
    "PSNR-B": ("PSNR-B",),
    "SSIM": ("SSIM", "SSIM-RGB"),
    "BEF": ("BEF",),
    "LPIPS": ("ST-LPIPS", "LPIPS"),
    "mAP": ("mAP@*",),
    "loss": ("first *", "last *"),
}
"""Group -> metrics, as named in tables, that share a tolerance."""
AIMS: Mapping[str, Mapping[str, float]] = {
    "classical": {
        "PSNR": 0.002,
        "PSNR-B": 0.002,
        "SSIM": 2e-5,
        "BEF": 0.01,
        "LPIPS": 1e-4,
        "mAP": 0.005,
    },
    "retrained": {
        "PSNR": 0.02,
        "PSNR-B": 0.02,
        "SSIM": 5e-4,
        "BEF": 0.05,
        "LPIPS": 5e-4,
        "mAP": 0.005,
        "loss": 1e-4,
    },
}
"""Track -> group -> tolerance if no number moved further. It is in the metric's unit, or a share of
the committed number for loss terms, which differ by orders of magnitude."""
SMALLEST_LOSS = 1e-6
"""Additional tolerance of loss terms, because logs have six digits."""
UNITS = {
    "PSNR": "dB",
    "PSNR-B": "dB",
    "SSIM": "",
    "BEF": "squared levels",
    "LPIPS": "",
    "mAP": "of AP",
    "loss": "of itself",
}


class Move(NamedTuple):
    """The largest move of a method's cells in one group, and its condition."""

    method: str
    track: str
    group: str
    most: float
    condition: str
    cells: int


def group_of(metric: str) -> str:
    """Return the group of a metric, or "" for counts and derived numbers.

    Example:
        >>> group_of("SSIM-RGB"), group_of("mAP@0.5"), group_of("images of PSNR")
        ('SSIM', 'mAP', '')
    """
    for group, metrics in GROUPS.items():
        if any(fnmatchcase(metric, pattern) for pattern in metrics):
            return group
    return ""


def moves(repeated: Mapping[str, pd.DataFrame]) -> list[Move]:
    """Return the largest move of every method, track and group over all conditions.

    Args:
        repeated: Condition -> compared cells from `benchmark.check.repeat.repeat`.
    """
    frames = [frame.assign(condition=name) for name, frame in repeated.items()]
    cells = pd.concat(frames, ignore_index=True).dropna(subset=["difference"])
    cells = cells.assign(group=cells["metric"].map(group_of), moved=cells["difference"].abs())
    cells = cells[(cells["group"] != "") & (cells["track"] != "")]
    losses = cells["table"] == TRAINING
    beyond = (cells["moved"] - SMALLEST_LOSS).clip(lower=0.0) / cells["committed"].abs()
    cells["moved"] = cells["moved"].mask(losses, beyond.fillna(0.0))
    result = []
    for (method, track, group), own in cells.groupby(["method", "track", "group"], sort=False):
        worst = own.sort_values("moved", ascending=False, kind="stable").iloc[0]
        count = own.groupby("condition").size().max()
        largest = (float(worst["moved"]), str(worst["condition"]), int(count))
        result.append(Move(str(method), str(track), str(group), *largest))
    return result


def allowed(measured: Sequence[Move]) -> list[Tolerance]:
    """Return tolerances of the methods that may move further than the aims, then the aims.

    A method's tolerance is `SAFETY` times its largest move, rounded up to one digit.
    """
    entries = []
    for move in measured:
        limit = rounded_up(SAFETY * move.most)
        if limit > AIMS.get(move.track, {}).get(move.group, math.inf):
            unit = f" {UNITS[move.group]}" if UNITS[move.group] else ""
            reason = (
                f"Moved by {move.most:.2g}{unit} under condition {move.condition}"
                f"{_REASONS.get(move.group, '')}; {SAFETY:.0f} times that."
            )
            entries.append(_entry(move.track, move.group, limit, reason, [move.method]))
    for track, groups in AIMS.items():
        for group, aim in groups.items():
            own = (m.most for m in measured if (m.track, m.group) == (track, group))
            most = max(own, default=0.0)
            reason = f"The aim of this track; the largest move of any method was {most:.2g}."
            entries.append(_entry(track, group, aim, reason, ["*"]))
    return entries


def _entry(track: str, group: str, limit: float, reason: str, methods: list[str]) -> Tolerance:
    share = group == "loss"
    return Tolerance(
        track=track,
        metrics=[*GROUPS[group]],
        methods=methods,
        tolerance=SMALLEST_LOSS if share else limit,
        relative=limit if share else 0.0,
        reason=reason,
    )


_REASONS = {"mAP": " (a box crossed the detector's threshold)"}


def rounded_up(value: float) -> float:
    """Return a number rounded up to one significant digit.

    Example:
        >>> rounded_up(0.0123), rounded_up(0.0), rounded_up(0.9)
        (0.02, 0.0, 0.9)
    """
    if value <= 0.0:
        return 0.0
    unit = 10.0 ** math.floor(math.log10(value) + 1e-12)
    return float(f"{math.ceil(value / unit - 1e-9) * unit:.0e}")


def table(measured: Iterable[Move], titles: Mapping[str, str] = {}) -> str:
    """Format moves as a Markdown table, one row per method and track, one column per group."""
    by_method: dict[tuple[str, str], dict[str, Move]] = {}
    for move in measured:
        by_method.setdefault((move.method, move.track), {})[move.group] = move
    lines = [
        "| method | track | " + " | ".join(GROUPS) + " | most under |",
        "| -- " * (3 + len(GROUPS)) + "|",
    ]
    for (method, track), of_method in by_method.items():
        cells = [f"{of_method[group].most:.2g}" if group in of_method else "–" for group in GROUPS]
        psnr = of_method.get("PSNR")
        under = titles.get(psnr.condition, psnr.condition) if psnr and psnr.most else "–"
        lines.append(f"| {method} | {track} | " + " | ".join(cells) + f" | {under} |")
    return "\n".join(lines)


def as_yaml(entries: Iterable[Tolerance]) -> str:
    """Format tolerances for results/tolerances.yaml, with fields in the order of the model."""
    listed = [entry.model_dump(exclude_defaults=True) for entry in entries]
    text: str = yaml.safe_dump(listed, sort_keys=False, width=110, default_flow_style=False)
    return text
