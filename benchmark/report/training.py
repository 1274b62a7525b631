"""How the training of every part of a profile's methods went, one line for each part."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from benchmark.methods.records import ChainRecord


class Trained(NamedTuple):
    """How the training of one part went.

    Attributes:
        part: Name of the part.
        steps: Optimiser steps.
        share: Share of the published steps, or "" where a part has no published number of its own.
        facts: Images, time and flatness of the method's last part, "" for the others.
        losses: The last losses.
        psnr: PSNR on validation crops.
        shortfall: How far the method's rows are from the paper's, or why that is unknown.
    """

    part: str
    steps: int
    share: str
    facts: str
    losses: str
    psnr: str
    shortfall: str


def trained(
    logs: Mapping[str, pd.DataFrame],
    records: Mapping[str, ChainRecord] | None = None,
    cells: pd.DataFrame | None = None,
) -> list[Trained]:
    """Summarise training logs: steps, last losses, validation PSNR from first to best and last.

    Args:
        logs: Trained part -> log.
        records: Chain -> what it is made of.
        cells: Cells of Tables III and IV, for how far a method is from its printed rows.
    """
    parts = []
    for part, log in logs.items():
        last = log.iloc[-1]
        terms = [column for column in log.columns if "/" in column]
        losses = ", ".join(f"{term} {last[term]:.3g}" for term in terms)
        psnr = "not validated"
        if "validation_psnr" in log.columns:
            psnrs = log["validation_psnr"].dropna()
            psnr = f"{psnrs.iloc[0]:.2f} → {psnrs.iloc[-1]:.2f} (best {psnrs.max():.2f})"
        record = (records or {}).get(part)
        budget = record.budgets.get(part) if record else None
        share = f"{budget.done / budget.published:.2%} of {budget.published:,}" if budget else ""
        shortfall = _shortfall(part, cells) if record is not None and cells is not None else ""
        facts = budget.facts() if budget else ""
        parts.append(Trained(part, int(last["step"]), share, facts, losses, psnr, shortfall))
    return parts


def _shortfall(chain: str, cells: pd.DataFrame) -> str:
    """Return the differences of a chain's retrained PSNR from the paper's, set by set."""
    rows = cells[
        (cells["chain"] == chain)
        & (cells["metric"] == "PSNR")
        & (cells["protocol"] == "paper")
        & (cells["track"] == "retrained")
    ]
    if rows["reported"].isna().all():
        return "not in the paper"
    beside = rows.dropna(subset=["difference"])
    if beside.empty:
        return "other data than the paper's"
    differences = [
        f"{dataset} " + ", ".join(f"{d:+.2f} (QF {q})" for q, d in zip(*pair, strict=True))
        for dataset, group in beside.groupby("dataset", sort=False)
        for pair in [(group["qf"], group["difference"])]
    ]
    return "; ".join(differences).replace("-", "−") + " dB"
