"""Claims and their verdicts as records and as a page: in the paper, and in a run."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.core import reported
from benchmark.paper.claims.judge import Verdict, judge
from benchmark.paper.claims.schema import Claim
from benchmark.paper.claims.sources import Printed, Source
from benchmark.tables import grid, render

PAPER = "paper"
"""Name of the paper's own tables in records, beside the tracks of a run."""
INTRODUCTION = (
    f"What the text of arXiv:{reported.ARXIV} claims, judged three times: by the numbers that its "
    "own tables print, by the means of this run, and by this run with its uncertainty. Claims, and "
    "how each is read, stand in `results/paper/claims.yaml`.",
    "`holds`: nothing that the claim says is violated. With intervals: every 95 % bootstrap "
    "interval of the paired differences is on its side. `does not hold`: something is violated; "
    "with intervals, a violation is significant (paired Wilcoxon test, or resampled curves for "
    "faces; Holm's correction over the claim's comparisons). `cannot be told`: neither, at this "
    "number of images. `not measured`: there is no number for it here.",
    "A run is not the authors' run: protocol `sound`, this profile's data and budgets. It says "
    "whether a claim carries over, and not what the authors saw.",
)


def records(claims: Sequence[Claim], run: Mapping[str, Source]) -> list[dict[str, Any]]:
    """Return every claim with its verdicts, as plain values.

    Args:
        claims: From `schema.read`.
        run: Track -> the run's numbers; none judges the paper alone.

    Returns:
        key, section, quote, reading, and `verdicts`: `PAPER` and every track -> `means`
        and `intervals`, each a verdict or None.
    """
    places: dict[str, Source] = {PAPER: Printed(), **run}
    claim_records = []
    for claim in claims:
        verdicts = {}
        for name, source in places.items():
            outcome = judge(claim, source)
            sure = outcome.sure._asdict() if outcome.sure else None
            verdicts[name] = {"means": outcome.means._asdict(), "intervals": sure}
        fields = claim.model_dump(include={"key", "section", "quote", "reading"})
        claim_records.append(
            {**fields, "reading": " ".join(claim.reading.split()), "verdicts": verdicts}
        )
    return claim_records


def summary(claim_records: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return a row for each claim: key, section, and a word for every verdict."""
    rows = []
    for record in claim_records:
        row = {"claim": record["key"], "section": record["section"]}
        for place, verdicts in record["verdicts"].items():
            if place == PAPER:
                row["in the paper"] = _word(verdicts["means"])
                continue
            row[f"here, {place}"] = _word(verdicts["means"])
            row[f"with intervals, {place}"] = _word(verdicts["intervals"])
        rows.append(row)
    return rows


def _word(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return grid.DASH
    part = f" ({verdict['against']} of {verdict['measured']})" if verdict["against"] else ""
    missing = verdict["comparisons"] - verdict["measured"]
    left = f", {missing} not measured" if missing and verdict["measured"] else ""
    return f"{verdict['word']}{part}{left}"


def markdown(
    title: str, claim_records: Sequence[Mapping[str, Any]], notes: Sequence[str] = ()
) -> str:
    """Return the page: a table of verdicts, then every claim with its reading and reasons.

    Args:
        title: Heading.
        claim_records: From `records`.
        notes: Paragraphs on this run.
    """
    rows = summary(claim_records)
    heads = list(rows[0])
    body = [[_linked(head, row[head]) for head in heads] for row in rows]
    parts = [f"# {title}", *INTRODUCTION, *notes, render.aligned(heads, body, [True] * len(heads))]
    for record in claim_records:
        parts += [
            f"## {record['key']}",
            f"{record['section']}: “{record['quote']}”",
            f"*Read as:* {record['reading']}",
            "\n".join(_reasons(record["verdicts"])),
        ]
    return "\n\n".join(parts) + "\n"


def _linked(head: str, cell: str) -> str:
    return f"[{cell}](#{cell})" if head == "claim" else cell


def _reasons(verdicts: Mapping[str, Any]) -> list[str]:
    lines = []
    for place, both in verdicts.items():
        where = "In the paper" if place == PAPER else f"Here, {grid.TRACKS[place]}"
        for kind, verdict in (("", both["means"]), (" with intervals", both["intervals"])):
            if verdict is not None:
                lines.append(f"- {where}{kind}: **{_word(verdict)}**. {verdict['why']}")
    return lines


def verdict(record: Mapping[str, Any], place: str = PAPER) -> Verdict:
    """Return a record's verdict by means."""
    return Verdict(**record["verdicts"][place]["means"])
