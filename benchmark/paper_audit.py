"""The audit of the paper's own tables as a page: every finding, its evidence, its consequence."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from benchmark import forensics, inconsistencies, methods, paper, rankings, typeset
from benchmark.inconsistencies import Finding

INTRODUCTION = (
    f"What does not fit inside the tables of arXiv:{paper.ARXIV}. Everything below is computed "
    "from `reported.csv` (the 864 printed numbers) and the counts of its Tables I and II; nothing "
    "was measured. Make it again with `mlsm-bench audit`; a test compares this page with the code."
)


def findings(numbers: pd.DataFrame) -> list[Finding]:
    """Return every finding, in the order of the report.

    Args:
        numbers: From `paper.reported`.
    """
    checks = (*inconsistencies.CHECKS, *rankings.CHECKS)
    return [found for check in checks for found in check(numbers)]


def markdown(found: Sequence[Finding], numbers: pd.DataFrame) -> str:
    """Return the page: a list of findings, each with its rows, then best and second recomputed."""
    parts = ["# Audit of the paper's tables", INTRODUCTION]
    parts.append("\n".join(f"{i}. [{f.title}](#{f.key})" for i, f in enumerate(found, 1)))
    for number, finding in enumerate(found, 1):
        parts += [
            f'<a id="{finding.key}"></a>\n\n## {number}. {finding.title}',
            f"*Where:* {finding.where}.",
            f"*Evidence:* {finding.evidence}",
            f"*Consequence:* {finding.consequence}",
        ]
        parts += [typeset.frame(finding.rows)] if len(finding.rows) else []
    parts += [
        "## Best and second of every column",
        "The paper marks them by colour, which its text form has lost.",
        typeset.frame(rankings.marks(numbers)),
    ]
    return "\n\n".join(parts) + "\n"


def rows_page(measured: pd.DataFrame) -> str:
    """Return the page of candidates for the paper's printed rows (`forensics.measure`)."""
    parts = [
        "# Which settings give the paper's printed rows",
        "LOL eval15, protocol `paper`, the authors' released weights. Made by "
        "`mlsm-bench forensics`. A candidate is a set of weights or settings and a way of storing "
        "the output; `equal` counts its numbers that agree with the printed ones to the last "
        "digit. It serves to find out what was run, and chose no default of this suite.",
        "\n".join(f"- {verdict}" for verdict in forensics.verdicts(measured)),
    ]
    for method, rows in measured.groupby("method", sort=False):
        title = methods.find(str(method)).title
        paper_rows = [
            {"tried": "printed by the paper", "writes": "", "qf": qf}
            | forensics.printed(str(method), qf)
            | {"equal": ""}
            for qf in forensics.QFS
        ]
        shown = pd.concat([pd.DataFrame(paper_rows), rows.drop(columns="method")])
        parts += [f"## {title}", typeset.frame(shown.astype(str))]
    parts += [
        "Rows of the paper that are not here need weights that are not at hand (KinD's "
        "restoration, EnlightenGAN, LLFlow), or draw random numbers for every image (RetinexDIP)."
    ]
    return "\n\n".join(parts) + "\n"


def as_json(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return the findings as plain values."""
    return [
        {
            "key": finding.key,
            "title": finding.title,
            "where": finding.where,
            "evidence": finding.evidence,
            "consequence": finding.consequence,
            "rows": finding.rows.to_dict("records"),
        }
        for finding in found
    ]
