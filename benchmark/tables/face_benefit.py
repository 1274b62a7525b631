"""Does enhancement help detection? Every chain against the raw dark image, in numbers and words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats

from benchmark.core import statistics
from benchmark.data.labels.boxes import Boxes
from benchmark.faces import ap_protocols, average_precision, paired_test
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
    found: Sequence[DetectionSet],
    records: Mapping[str, ChainRecord],
    controls: Sequence[str],
    iou: float,
    resampling: BootstrapSettings,
) -> pd.DataFrame:
    """Compare every chain with the raw dark image of the same set and quality factor.

    Args:
        truth: Raw set -> image -> labelled faces.
        found: What the detector found, the raw dark image included.
        records: Chain -> what it is made of.
        controls: Chains that are told of the answer: compared, but not counted as methods.
        iou: Least overlap of a hit.
        resampling: Of the images.

    Returns:
        Columns `COLUMNS`, a row an entry of `found`; the raw image has no difference. `p_holm` is
        Holm's, over all methods on one set and quality factor; controls are not in that family.
    """
    at = {(one.dataset, one.qf): one for one in found if one.chain == RAW}
    rows = []
    for one in found:
        raw, labels = at.get((one.dataset, one.qf)), truth[one.dataset]
        if raw is None:
            continue
        record = records[one.chain]
        row: dict[str, Any] = {"method": record.title, "order": record.order}
        row |= {"track": one.track, "dataset": FACE_SETS[one.dataset], "qf": one.qf, "iou": iou}
        row["control"] = one.chain in controls
        row["ap"] = average_precision.evaluate(labels, one.detections, iou).ap
        if one.chain != RAW:
            seen = paired_test.compare(labels, one.detections, raw.detections, iou, *resampling)
            row |= {"difference": seen.value, "ci_low": seen.low, "ci_high": seen.high}
            row["p"] = seen.p
        rows.append(row)
    made = pd.DataFrame(rows, columns=COLUMNS).astype({"qf": "Int64"})
    tested = made[made["p"].notna() & ~made["control"].astype(bool)]
    for _, family in tested.groupby(["dataset", "qf"], dropna=False):
        made.loc[family.index, "p_holm"] = statistics.holm(family["p"])
    return made.round(6)


def sentences(compared: pd.DataFrame) -> list[str]:
    """Return what the comparison says, a paragraph a set and quality factor."""
    said = []
    for (dataset, qf), rows in compared.groupby(["dataset", "qf"], sort=False):
        raw = rows[rows["difference"].isna()]
        methods = rows[rows["p_holm"].notna()]
        if len(raw) and len(methods):
            said.append(_sentence(f"{dataset}, QF {qf}", float(raw["ap"].iloc[0]), methods, rows))
    return said


def _sentence(place: str, raw: float, methods: pd.DataFrame, rows: pd.DataFrame) -> str:
    sure = methods[methods["p_holm"] < SURE]
    better, worse = (methods[sign * methods["difference"] > 0] for sign in (1, -1))
    helps, hurts = (sure[sign * sure["difference"] > 0] for sign in (1, -1))
    best = methods.sort_values("ap").iloc[-1]
    iou = rows["iou"].iloc[0]
    one_sided = "Yes" if len(helps) else "No" if len(hurts) else "Undecided"
    answer = "It depends on the method" if len(helps) and len(hurts) else one_sided
    said = (
        f"{place}: does enhancement help? {answer}. The raw dark JPEG has AP {raw:.4f} at IoU "
        f"{iou:g}; of {len(methods)} rows of methods {len(better)} are higher, {len(helps)} of "
        f"them surely ({_named(helps)}), and {len(worse)} are lower, {len(hurts)} of them surely "
        f"({_named(hurts)}). Highest: {_row(best)} with {best['ap']:.4f}."
    )
    controls = rows[rows["control"].astype(bool) & rows["difference"].notna()]
    beside = ", ".join(f"{row['method']} {row['ap']:.4f}" for row in controls.to_dict("records"))
    return f"{said} Controls: {beside}." if beside else said


def _named(rows: pd.DataFrame) -> str:
    listed = [_row(row) for row in rows.sort_values("difference").to_dict("records")]
    return "; ".join(listed) if listed else "none"


def _row(row: Mapping[Any, Any] | pd.Series) -> str:
    return f"{row['method']} ({row['track']})"


def by_protocol(
    truth: Mapping[str, Mapping[str, Boxes]],
    found: Sequence[DetectionSet],
    records: Mapping[str, ChainRecord],
    iou: float,
) -> pd.DataFrame:
    """Return each entry's AP under every protocol, and its precision at fixed recalls."""
    rows = []
    for one in found:
        labels, record = truth[one.dataset], records[one.chain]
        row: dict[str, Any] = {"method": record.title, "order": record.order}
        row |= {"track": one.track, "dataset": FACE_SETS[one.dataset], "qf": one.qf, "iou": iou}
        for name in ap_protocols.PROTOCOLS:
            row[f"ap_{name}"] = ap_protocols.score(name, labels, one.detections, iou)
        pooled = average_precision.pool(labels, one.detections, iou)
        precision = ap_protocols.precision_at(pooled, ap_protocols.RECALLS)
        at = zip(ap_protocols.RECALLS, precision, strict=True)
        rows.append(row | {f"precision_at_{recall:g}": float(p) for recall, p in at})
    return pd.DataFrame(rows).astype({"qf": "Int64"}).round(6)


def like_the_paper(cells: pd.DataFrame, printed: pd.DataFrame) -> list[str]:
    """Return how our order of chains agrees with the paper's Table VII, a sentence a set and track.

    Args:
        cells: Table VII, as `tables.faces` makes it.
        printed: The paper's (`paper.cells(("VII",))`).
    """
    said = []
    keys = ["method", "order", "metric"]
    joined = cells.drop(columns="reported").merge(printed[[*keys, "reported"]], on=keys)
    joined = joined[joined["metric"] == "mAP@0.5"].dropna(subset=["qf"])
    for track in ("retrained", "released"):
        chosen = joined[joined["track"].isin([track, "classical"])]
        for (dataset, qf), rows in chosen.groupby(["dataset", "qf"], sort=False):
            if (rows["track"] == track).sum() < 4:
                continue
            found = scipy.stats.spearmanr(rows["value"], rows["reported"])
            rho, p = (float(np.asarray(number)) for number in (found.statistic, found.pvalue))
            said.append(
                f"Order of {len(rows)} chains ({track} weights) on {dataset}, QF {qf}, against "
                f"the paper's Table VII on DARK FACE, mAP@0.5: Spearman's rho {rho:.2f} "
                f"(p {p:.2g})."
            )
    return said
