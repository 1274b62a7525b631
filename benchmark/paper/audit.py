"""The audit of the paper's own tables as a page: every finding, its evidence, its consequence."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from benchmark import methods
from benchmark.core import reported
from benchmark.core.errors import InputError
from benchmark.paper import consistency, printed_rows, psnr_b, rankings
from benchmark.paper.claims import page, schema
from benchmark.paper.claims.judge import FAILS
from benchmark.paper.consistency import Finding
from benchmark.tables import render

INTRODUCTION = (
    f"What does not fit inside the tables of arXiv:{reported.ARXIV}. Everything below is computed "
    "from `reported.csv` (the 864 printed numbers) and the counts of its Tables I and II; nothing "
    "was measured but two pictures that show what the printed PSNR-B sees. Make it again with "
    "`mlsm-bench audit`; a test compares this page with the code."
)


def findings(numbers: pd.DataFrame) -> list[Finding]:
    """Return every finding, in the order of the report.

    Args:
        numbers: Numbers of the paper's tables (`benchmark.core.reported`).
    """
    checks = (*consistency.CHECKS, psnr_b.findings, *rankings.CHECKS, claims_of_text)
    return [finding for check in checks for finding in check(numbers)]


def claims_of_text(numbers: pd.DataFrame) -> list[Finding]:
    """List the claims of the text that the paper's own tables contradict."""
    judged = page.records(schema.read(), {})
    rows = []
    for record in judged:
        verdict = page.verdict(record)
        if verdict.word == FAILS:
            rows.append(
                {
                    "claim": record["key"],
                    "section": record["section"],
                    "comparisons": verdict.measured,
                    "against": verdict.against,
                    "first of them": verdict.why,
                }
            )
    if not rows:
        return []
    tested = sum(bool(page.verdict(record).measured) for record in judged)
    return [
        Finding(
            "claims",
            "Sentences of the text that its own tables contradict",
            "Abstract, Sec. I, IV and V against Tables I to VII",
            f"{len(rows)} of {tested} claims that tables can decide do not hold in them; "
            f"{len(judged) - tested} more need numbers that the paper does not print.",
            "Quote the numbers and not the sentences. Whether a claim carries over to another run "
            "is a question of its own: `mlsm-bench claims --profile lol`.",
            pd.DataFrame(rows),
        )
    ]


def markdown(findings: Sequence[Finding], numbers: pd.DataFrame) -> str:
    """Return the page: a list of findings, each with its rows, then best and second recomputed."""
    parts = ["# Audit of the paper's tables", INTRODUCTION]
    parts.append("\n".join(f"{i}. [{f.title}](#{f.key})" for i, f in enumerate(findings, 1)))
    for number, finding in enumerate(findings, 1):
        parts += [f'<a id="{finding.key}"></a>\n\n## {number}. {finding.title}', section(finding)]
    parts += [
        "## Best and second of every column",
        "The paper marks them by colour, which its text form has lost.",
        render.frame(rankings.marks(numbers)),
    ]
    return "\n\n".join(parts) + "\n"


def section(finding: Finding) -> str:
    """Return a finding without its heading: where, evidence, consequence, its command, rows."""
    parts = [
        f"*Where:* {finding.where}.",
        f"*Evidence:* {finding.evidence}",
        f"*Consequence:* {finding.consequence}",
        f"*See for yourself:* `mlsm-bench audit --only {finding.key}`",
    ]
    if finding.picture:
        parts.append(f"![{finding.title}]({finding.picture})")
    return "\n\n".join([*parts, *([render.frame(finding.rows)] if len(finding.rows) else [])])


def finding(findings: Sequence[Finding], key: str) -> Finding:
    """Return a finding by its key.

    Raises:
        InputError: There is no finding of this key.
    """
    for candidate in findings:
        if candidate.key == key:
            return candidate
    raise InputError(f"There is no finding {key!r}: they are {', '.join(f.key for f in findings)}.")


def rows_page(measured: pd.DataFrame) -> str:
    """Return the page of candidates for the paper's printed rows (`printed_rows.measure`)."""
    parts = [
        "# Which settings give the paper's printed rows",
        "LOL eval15, protocol `paper`, the authors' released weights. Made by "
        "`mlsm-bench forensics`. A candidate is a set of weights or settings and a way of storing "
        "the output; `equal` counts its numbers that agree with the printed ones to the last "
        "digit. It serves to find out what was run, and chose no default of this suite.",
        "\n".join(f"- {verdict}" for verdict in printed_rows.verdicts(measured)),
    ]
    for method, rows in measured.groupby("method", sort=False):
        title = methods.find(str(method)).title
        paper_rows = [
            {"tried": "printed by the paper", "writes": "", "qf": qf}
            | printed_rows.printed(str(method), qf)
            | {"equal": ""}
            for qf in printed_rows.QFS
        ]
        shown = pd.concat([pd.DataFrame(paper_rows), rows.drop(columns="method")])
        parts += [f"## {title}", render.frame(shown.astype(str))]
    parts += [
        "Rows of the paper that are not here need weights that are not at hand (KinD's "
        "restoration, EnlightenGAN, LLFlow), or draw random numbers for every image (RetinexDIP)."
    ]
    return "\n\n".join(parts) + "\n"


def as_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return the findings as plain values."""
    return [
        {
            "key": finding.key,
            "title": finding.title,
            "where": finding.where,
            "evidence": finding.evidence,
            "consequence": finding.consequence,
            "rows": finding.rows.to_dict("records"),
            "picture": finding.picture,
        }
        for finding in findings
    ]
