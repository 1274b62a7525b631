"""The page that says what a profile found out about faces in the dark."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmark.core import files
from benchmark.data.labels.boxes import Boxes
from benchmark.faces import ap_protocols, average_precision
from benchmark.methods.records import ChainRecord
from benchmark.tables import face_benefit, grid, render
from benchmark.tables.cells import FACE_SETS, BootstrapSettings, DetectionSet

IOU = 0.5
"""Least overlap of a hit in the page's tests and precisions."""

Truth = Mapping[str, Mapping[str, Boxes]]


class Measured(NamedTuple):
    """Numbers of the page: see `face_benefit.against_raw`, `.by_protocol` and `.by_height`."""

    compared: pd.DataFrame
    protocols: pd.DataFrame
    heights: pd.DataFrame


def measure(
    truth: Truth,
    detection_sets: Sequence[DetectionSet],
    records: Mapping[str, ChainRecord],
    resampling: BootstrapSettings,
) -> Measured:
    """Compare every chain with the raw dark image, and score it under every protocol."""
    controls = [chain for chain, record in records.items() if record.uses_reference]
    return Measured(
        face_benefit.against_raw(truth, detection_sets, records, controls, IOU, resampling),
        face_benefit.by_protocol(truth, detection_sets, records, IOU),
        face_benefit.by_height(truth, detection_sets, records, IOU),
    )


def ceilings(
    truth: Truth,
    others: Mapping[str, tuple[Mapping[str, str], Sequence[DetectionSet]]],
    records: Mapping[str, ChainRecord],
    ious: Sequence[float],
) -> pd.DataFrame:
    """Return the AP of further detectors, which separates a detector's limits from the images'.

    Args:
        truth: Raw set -> image -> labelled faces.
        others: Detector -> what it is, and what it found.
        records: Chain -> what it is made of.
        ious: Least overlaps of a hit.
    """
    rows = []
    for what, detection_sets in others.values():
        for entry in detection_sets:
            row = {"detector": what["title"], "weights": what["weights"][:12]}
            row |= {"input": records[entry.chain].title, "dataset": FACE_SETS[entry.dataset]}
            aps = {
                f"mAP@{iou:g}": round(
                    average_precision.evaluate(truth[entry.dataset], entry.detections, iou).ap, 4
                )
                for iou in ious
            }
            rows.append(row | {"qf": str(entry.qf)} | aps)
    return pd.DataFrame(rows)


def write_all(
    folder: Path,
    title: str,
    about: str,
    measured: Measured,
    others: pd.DataFrame,
    printed: pd.DataFrame,
) -> None:
    """Write the page and the numbers behind it.

    Args:
        folder: Where to write.
        title: Title of the profile.
        about: How the faces were found, in sentences.
        measured: From `measure`.
        others: From `ceilings`.
        printed: The paper's Table VII.
    """
    for name, frame in (
        ("against_raw", measured.compared),
        ("protocols", measured.protocols),
        ("recall_by_height", measured.heights),
    ):
        text = frame.to_csv(index=False, lineterminator="\n")
        files.write_text(folder / f"{name}.csv", text)
    paragraphs = [
        about,
        *face_benefit.sentences(measured.compared),
        *face_benefit.like_the_paper(_headline(measured.protocols), printed),
        "The unit of tests and intervals is the image. Differences: AP less that of the raw dark "
        "JPEG, 95 % bootstrap interval with the same draws for both; p: randomisation test, the "
        "two exchanged image by image; Holm's correction over the rows of methods of a set and "
        "quality factor. Controls are told of the normal-light image and stand outside it.",
    ]
    tables = {
        "Against the raw dark image": _compared(measured.compared),
        f"Recall by height of face, all detections, IoU {IOU:g}": _heights(measured.heights),
        "Other detectors": others,
        f"Other definitions of average precision, and precision at fixed recall, IoU {IOU:g}": (
            _protocols(measured.protocols)
        ),
    }
    write(folder / "page.md", title, paragraphs, {k: v for k, v in tables.items() if len(v)})


def _compared(rows: pd.DataFrame) -> pd.DataFrame:
    texts = [
        {
            "method": row["method"] + (grid.UNCOMPRESSED if pd.isna(row["qf"]) else ""),
            "order": row["order"],
            "weights": row["track"],
            "data set": row["dataset"],
            "QF": grid.DASH if pd.isna(row["qf"]) else str(row["qf"]),
            "AP": f"{row['ap']:.4f}",
            "difference": _signed(row["difference"]),
            "interval": _interval(row["ci_low"], row["ci_high"]),
            "p": _number(row["p"], 4),
            "p (Holm)": _number(row["p_holm"], 4),
        }
        for row in rows.to_dict("records")
    ]
    return pd.DataFrame(texts)


def _headline(protocols: pd.DataFrame) -> pd.DataFrame:
    """Return the headline AP of every chain in the columns of Table VII."""
    value = protocols[f"ap_{next(iter(ap_protocols.PROTOCOLS))}"]
    return protocols.assign(metric=f"mAP@{IOU:g}", value=value, reported=float("nan"))


def _heights(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each method and a column for each class, with the number of its faces."""
    texts: dict[tuple[str, ...], dict[str, str]] = {}
    for found in rows.to_dict("records"):
        qf = grid.DASH if pd.isna(found["qf"]) else str(found["qf"])
        names = [str(found[name]) for name in ("method", "order", "track", "dataset")]
        row = texts.setdefault((*names, qf), {})
        empty = not found["faces"]
        text = grid.DASH if empty else f"{found['recall']:.3f} of {found['faces']}"
        row[str(found["height"])] = text
    heads = ("method", "order", "weights", "data set", "QF")
    return pd.DataFrame([dict(zip(heads, key, strict=True)) | row for key, row in texts.items()])


def _signed(value: float) -> str:
    return grid.DASH if pd.isna(value) else f"{value:+.4f}".replace("-", "−")


def _number(value: float, decimals: int) -> str:
    return grid.DASH if pd.isna(value) else f"{value:.{decimals}f}"


def _interval(low: float, high: float) -> str:
    return grid.DASH if pd.isna(low) else f"{_signed(low)} to {_signed(high)}"


def _protocols(rows: pd.DataFrame) -> pd.DataFrame:
    numbers = [f"ap_{name}" for name in ap_protocols.PROTOCOLS]
    numbers += [f"precision_at_{recall:g}" for recall in ap_protocols.RECALLS]
    shown = rows[["method", "order", "track", "dataset", "qf", *numbers]].copy()
    shown["qf"] = [grid.DASH if pd.isna(qf) else str(qf) for qf in rows["qf"]]
    for column in numbers:
        shown[column] = [f"{value:.4f}" for value in rows[column]]
    return shown.rename(columns={"track": "weights", "dataset": "data set", "qf": "QF"})


def write(
    path: Path, title: str, paragraphs: Sequence[str], tables: Mapping[str, pd.DataFrame]
) -> None:
    """Write a page: a title, paragraphs, then tables under their headings."""
    parts = [f"# Faces in the dark: {title}", *paragraphs]
    for heading, frame in tables.items():
        parts += [f"## {heading}", render.frame(frame)]
    files.write_text(path, "\n\n".join(parts) + "\n")
