"""How large the compressed test images are: bits per pixel of each set and quality factor."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from benchmark.core import images
from benchmark.data.evaluation import EvaluationInput
from benchmark.tables import cells
from benchmark.tables.output import Page, Sheet, page

METRIC = "bits per pixel"
COLUMNS = [*cells.KEYS, "n", "value", "least", "most"]


def measure(cases: Sequence[EvaluationInput]) -> pd.DataFrame:
    """Return columns `COLUMNS`: mean, least and most over the `n` JPEG files of a set and QF.

    Args:
        cases: Test inputs; uncompressed ones are left out.
    """
    files = pd.DataFrame(
        [
            {"dataset": case.dataset, "qf": case.qf, "bits": _bits(case)}
            for case in cases
            if case.qf is not None
        ],
        columns=["dataset", "qf", "bits"],
    )
    rows: list[dict[str, Any]] = [
        {
            "dataset": dataset,
            "qf": int(str(qf)),
            "n": len(bits),
            "value": bits.mean(),
            "least": bits.min(),
            "most": bits.max(),
        }
        for (dataset, qf), bits in files.groupby(["dataset", "qf"], sort=False)["bits"]
    ]
    same = {"method": "", "order": "", "metric": METRIC, "protocol": "", "track": ""}
    return pd.DataFrame([same | row for row in rows], columns=COLUMNS).round(cells.DECIMALS)


def _bits(case: EvaluationInput) -> float:
    with images.opened(case.input) as picture:
        pixels = picture.width * picture.height
    return case.input.stat().st_size * 8 / pixels


def pages(sizes: pd.DataFrame, encoder: str) -> list[Page]:
    """Return the table `bits_per_pixel`; none where nothing is compressed.

    Args:
        sizes: From `measure`.
        encoder: Name of the encoder, for the caption.
    """
    if sizes.empty:
        return []
    qfs = list(dict.fromkeys(sizes["qf"]))
    rows = []
    for dataset, group in sizes.groupby("dataset", sort=False):
        by_qf = {row["qf"]: row for row in group.to_dict("records")}
        texts = [
            f"{r['value']:.3f} ({r['least']:.3f} to {r['most']:.3f})" if r else "—"
            for r in map(by_qf.get, qfs)
        ]
        rows.append([str(dataset), str(group["n"].max()), *texts])
    caption = (
        "Bits per pixel of the compressed dark test images: mean, and least to most, by quality "
        f"factor. Encoder: {encoder}. An uncompressed image has 24."
    )
    sheet = Sheet(caption, ["Data set", "Images", *(f"QF {qf}" for qf in qfs)], rows)
    return [page("bits_per_pixel", "Bits per pixel", sizes, [sheet])]
