"""Does enhancement help detection? Every chain against the raw dark image, in numbers and words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats

from benchmark.core import statistics
from benchmark.data.labels.boxes import Boxes
from benchmark.faces import ap_protocols, average_precision, paired_test, recall
from benchmark.methods.records import ChainRecord
from benchmark.tables.cells import FACE_SETS, BootstrapSettings, DetectionSet

RAW = "identity"
"""The chain that leaves the dark image as it is."""
SURE = 0.05
"""Corrected p-value below which a difference counts."""
COLUMNS = ["method", "order", "track", "dataset", "qf", "iou", "control"]
COLUMNS += ["ap", "difference", "ci_low", "ci_high", "p", "p_holm"]


def against_raw(
    truth: Mapping[str, Mapping[str, Boxes]],
    detection_sets: Sequence[DetectionSet],
    records: Mapping[str, ChainRecord],
    controls: Sequence[str],
    iou: float,
    resampling: BootstrapSettings,
) -> pd.DataFrame:
    """Compare every chain with the raw dark image of the same set and quality factor.

    Args:
        truth: Raw set -> image -> labelled faces.
        detection_sets: What the detector found, the raw dark image included.
        records: Chain -> what it is made of.
        controls: Chains that use the reference image: compared, but not counted as methods.
        iou: Least overlap of a hit.
        resampling: Of the images.

    Returns:
        Columns `COLUMNS`, a row for each entry of `detection_sets`; the raw image has no
        difference. `p_holm` is corrected after Holm over all methods on one set and quality
        factor; controls are not in that family.
    """
    at = {(entry.dataset, entry.qf): entry for entry in detection_sets if entry.chain == RAW}
    rows = []
    for entry in detection_sets:
        raw, labels = at.get((entry.dataset, entry.qf)), truth[entry.dataset]
        if raw is None:
            continue
        row = _keys(entry, records) | {"iou": iou}
        row["control"] = entry.chain in controls
        row["ap"] = average_precision.evaluate(labels, entry.detections, iou).ap
        if entry.chain != RAW:
            difference = paired_test.compare(
                labels, entry.detections, raw.detections, iou, *resampling
            )
            row |= {
                "difference": difference.value,
                "ci_low": difference.low,
                "ci_high": difference.high,
            }
            row["p"] = difference.p
        rows.append(row)
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"qf": "Int64"})
    tested = table[table["p"].notna() & ~table["control"].astype(bool)]
    for _, family in tested.groupby(["dataset", "qf"], dropna=False):
        table.loc[family.index, "p_holm"] = statistics.holm(family["p"])
    return table.round(6)


def _keys(entry: DetectionSet, records: Mapping[str, ChainRecord]) -> dict[str, Any]:
    """Return the columns that say which row of a table an entry is."""
    record = records[entry.chain]
    keys = {"method": record.title, "order": record.order, "track": entry.track}
    return keys | {"dataset": FACE_SETS[entry.dataset], "qf": entry.qf}


def sentences(compared: pd.DataFrame) -> list[str]:
    """Return the results of the comparison, one paragraph for each set and quality factor."""
    paragraphs = []
    for (dataset, qf), rows in compared.groupby(["dataset", "qf"], sort=False):
        raw = rows[rows["difference"].isna()]
        methods = rows[rows["p_holm"].notna()]
        if len(raw) and len(methods):
            paragraphs.append(
                _sentence(f"{dataset}, QF {qf}", float(raw["ap"].iloc[0]), methods, rows)
            )
    return paragraphs


def _sentence(place: str, raw: float, methods: pd.DataFrame, rows: pd.DataFrame) -> str:
    sure = methods[methods["p_holm"] < SURE]
    better, worse = (methods[sign * methods["difference"] > 0] for sign in (1, -1))
    helps, hurts = (sure[sign * sure["difference"] > 0] for sign in (1, -1))
    best = methods.sort_values("ap").iloc[-1]
    iou = rows["iou"].iloc[0]
    one_sided = "Yes" if len(helps) else "No" if len(hurts) else "Undecided"
    answer = "It depends on the method" if len(helps) and len(hurts) else one_sided
    text = (
        f"{place}: does enhancement help? {answer}. The raw dark JPEG has AP {raw:.4f} at IoU "
        f"{iou:g}; of {len(methods)} rows of methods {len(better)} are higher, {len(helps)} of "
        f"them surely ({_named(helps)}), and {len(worse)} are lower, {len(hurts)} of them surely "
        f"({_named(hurts)}). Highest: {_row(best)} with {best['ap']:.4f}."
    )
    controls = rows[rows["control"].astype(bool) & rows["difference"].notna()]
    beside = ", ".join(f"{row['method']} {row['ap']:.4f}" for row in controls.to_dict("records"))
    return f"{text} Controls: {beside}." if beside else text


def _named(rows: pd.DataFrame) -> str:
    listed = [_row(row) for row in rows.sort_values("difference").to_dict("records")]
    return "; ".join(listed) if listed else "none"


def _row(row: Mapping[Any, Any] | pd.Series) -> str:
    return f"{row['method']} ({row['track']})"


def by_height(
    truth: Mapping[str, Mapping[str, Boxes]],
    detection_sets: Sequence[DetectionSet],
    records: Mapping[str, ChainRecord],
    iou: float,
) -> pd.DataFrame:
    """Return the recall of every chain by height of face: a row for each class of heights.

    Args:
        truth: Raw set -> image -> labelled faces.
        detection_sets: What the detector found.
        records: Chain -> what it is made of.
        iou: Least overlap of a hit.
    """
    rows = [
        _keys(entry, records)
        | {"height": found.name, "faces": found.faces, "found": found.found}
        | {"recall": found.recall}
        for entry in detection_sets
        for found in recall.by_height(truth[entry.dataset], entry.detections, iou)
    ]
    return pd.DataFrame(rows).astype({"qf": "Int64"}).round(6)


def by_protocol(
    truth: Mapping[str, Mapping[str, Boxes]],
    detection_sets: Sequence[DetectionSet],
    records: Mapping[str, ChainRecord],
    iou: float,
) -> pd.DataFrame:
    """Return each entry's AP under every protocol, and its precision at fixed recalls."""
    rows = []
    for entry in detection_sets:
        labels, row = truth[entry.dataset], _keys(entry, records) | {"iou": iou}
        for name in ap_protocols.PROTOCOLS:
            row[f"ap_{name}"] = ap_protocols.score(name, labels, entry.detections, iou)
        pooled = average_precision.pool(labels, entry.detections, iou)
        precision = ap_protocols.precision_at(pooled, ap_protocols.RECALLS)
        at = zip(ap_protocols.RECALLS, precision, strict=True)
        rows.append(row | {f"precision_at_{recall:g}": float(p) for recall, p in at})
    return pd.DataFrame(rows).astype({"qf": "Int64"}).round(6)


def like_the_paper(cells: pd.DataFrame, printed: pd.DataFrame) -> list[str]:
    """Return how our order of chains agrees with Table VII, a sentence for each set and track.

    Args:
        cells: Table VII, as `cells.faces` makes it.
        printed: The paper's (`reported.cells(("VII",))`).
    """
    texts = []
    keys = ["method", "order", "metric"]
    joined = cells.drop(columns="reported").merge(printed[[*keys, "reported"]], on=keys)
    joined = joined[joined["metric"] == "mAP@0.5"].dropna(subset=["qf"])
    for track in ("retrained", "released"):
        chosen = joined[joined["track"].isin([track, "classical"])]
        for (dataset, qf), rows in chosen.groupby(["dataset", "qf"], sort=False):
            if (rows["track"] == track).sum() < 4:
                continue
            correlation = scipy.stats.spearmanr(rows["value"], rows["reported"])
            rho, p = (
                float(np.asarray(number)) for number in (correlation.statistic, correlation.pvalue)
            )
            texts.append(
                f"Order of {len(rows)} chains ({track} weights) on {dataset}, QF {qf}, against "
                f"the paper's Table VII on DARK FACE, mAP@0.5: Spearman's rho {rho:.2f} "
                f"(p {p:.2g})."
            )
    return texts
