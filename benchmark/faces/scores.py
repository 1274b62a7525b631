"""Scores of a user's own detections under several AP protocols."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.core.errors import InputError
from benchmark.data.labels.boxes import Boxes
from benchmark.faces import ap_protocols, average_precision


@dataclass(frozen=True)
class Asked:
    """Settings of the computation.

    Attributes:
        ious: Smallest intersections over union of a hit.
        names: Keys of `ap_protocols.PROTOCOLS`; the interval is that of `all_point`.
        seed: Seed of the bootstrap.
        draws: Number of bootstrap draws; 0 gives no interval.

    Raises:
        InputError: A value is out of range or given twice.
    """

    ious: tuple[float, ...]
    names: tuple[str, ...]
    seed: int
    draws: int

    def __post_init__(self) -> None:
        for option, values in (("--iou", self.ious), ("--protocol", self.names)):
            if len(set(values)) < len(values):
                raise InputError(f"Option {option} must have each value once, but got {values}.")
        for iou in self.ious:
            if not 0.0 < iou <= 1.0:
                raise InputError(f"Option --iou must be in (0, 1], but got {iou}.")
        for name in self.names:
            ap_protocols.named(name)
        if self.draws and self.draws < average_precision.MIN_DRAWS:
            raise InputError(
                f"Option --draws must be 0 or at least {average_precision.MIN_DRAWS}, "
                f"but got {self.draws}."
            )
        if self.seed < 0:
            raise InputError(f"Option --seed must not be negative, but got {self.seed}.")


def summary(
    truth: Mapping[str, Boxes], detections: Mapping[str, Boxes], settings: Asked
) -> list[dict[str, Any]]:
    """Return one row per IoU and protocol: `ap`, its interval, and precision at fixed recalls.

    Args:
        truth: Image name -> labelled faces.
        detections: The same image names -> detections.
        settings: Settings of the computation.

    Raises:
        InputError: As in `average_precision.pool`.
    """
    rows = []
    for iou in settings.ious:
        pooled = average_precision.pool(truth, detections, iou)
        precision = ap_protocols.precision_at(pooled, ap_protocols.RECALLS)
        for name in settings.names:
            row: dict[str, Any] = {"iou": iou, "protocol": name}
            row["ap"] = round(ap_protocols.score(name, truth, detections, iou), 6)
            if settings.draws and name == "all_point":
                low, high = average_precision.ap_interval(
                    truth, detections, iou, settings.seed, settings.draws
                )
                row |= {"ci_low": round(low, 6), "ci_high": round(high, 6)}
            else:
                row |= {"ci_low": None, "ci_high": None}
            at = zip(ap_protocols.RECALLS, precision, strict=True)
            rows.append(row | {f"precision@{recall:g}": round(float(p), 6) for recall, p in at})
    return rows
