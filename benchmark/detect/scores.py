"""What a set of detections scores, in words and numbers for people who bring their own."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark import detection
from benchmark.detect import protocols
from benchmark.errors import InputError
from benchmark.faces import Faces


def summary(
    truth: Mapping[str, Faces],
    found: Mapping[str, Faces],
    ious: Sequence[float],
    names: Sequence[str],
    resampling: tuple[int, int],
) -> list[dict[str, Any]]:
    """Return a row an overlap and protocol: `ap`, its interval, and precision at fixed recalls.

    Args:
        truth: Image name to labelled faces.
        found: The same names to detections.
        ious: Least overlaps of a hit.
        names: Keys of `protocols.PROTOCOLS`; the interval is that of `all_point`.
        resampling: Seed and number of the bootstrap's draws; 0 draws give no interval.

    Raises:
        InputError: An overlap or protocol is out of range, or as `detection.pool`.
    """
    seed, draws = resampling
    if draws and draws < detection.MIN_DRAWS:
        raise InputError(
            f"Option --draws must be 0 or at least {detection.MIN_DRAWS}, but got {draws}."
        )
    rows = []
    for iou in ious:
        if not 0.0 < iou <= 1.0:
            raise InputError(f"Option --iou must be in (0, 1], but got {iou}.")
        pooled = detection.pool(truth, found, iou)
        precision = protocols.precision_at(pooled, protocols.RECALLS)
        for name in names:
            row: dict[str, Any] = {"iou": iou, "protocol": name}
            row["ap"] = round(protocols.score(name, truth, found, iou), 6)
            if draws and name == "all_point":
                low, high = detection.ap_interval(truth, found, iou, seed, draws)
                row |= {"ci_low": round(low, 6), "ci_high": round(high, 6)}
            else:
                row |= {"ci_low": None, "ci_high": None}
            at = zip(protocols.RECALLS, precision, strict=True)
            rows.append(row | {f"precision@{recall:g}": round(float(p), 6) for recall, p in at})
    return rows
