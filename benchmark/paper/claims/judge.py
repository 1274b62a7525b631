"""Whether a claim holds: in printed numbers, in measured means, and with their uncertainty."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmark.core import reported, statistics
from benchmark.paper.claims import sources
from benchmark.paper.claims.schema import Ahead, Claim, Columns, Count, Larger, Loses, Recall, Seen
from benchmark.paper.claims.sources import Difference, Place, Source

HOLDS, FAILS, OPEN = "holds", "does not hold", "cannot be told"
UNMEASURED, BY_EYE = "not measured", "judged by eye"
SHOWN = 5
"""Violations that are spelt out; the others are counted."""
SIGNIFICANT = 0.05


class Comparison(NamedTuple):
    """One thing that a claim says, in words, and the difference of its numbers, None if unknown."""

    text: str
    difference: Difference | None


class Verdict(NamedTuple):
    """What numbers say of a claim.

    Attributes:
        word: One of the words above.
        comparisons: How many things the claim says.
        measured: How many of them have numbers.
        against: How many go against it.
        why: Reasons, in sentences.
    """

    word: str
    comparisons: int
    measured: int
    against: int
    why: str


class Outcome(NamedTuple):
    """A claim in one source.

    Attributes:
        means: Verdict by the numbers as they are.
        sure: Verdict with intervals and tests; None in the paper, which has neither.
    """

    means: Verdict
    sure: Verdict | None


def judge(claim: Claim, source: Source) -> Outcome:
    """Judge a claim by a source of numbers.

    By the numbers as they are, a claim holds if nothing that it says is violated. With intervals it
    holds if every 95 % interval lies on its side, does not hold if a violation is significant
    (paired Wilcoxon test, or resampled curves of faces; Holm over the claim's comparisons), and
    cannot be told otherwise, nor with fewer than `statistics.LEAST_PAIRS` images.
    """
    predicate = claim.predicate
    if isinstance(predicate, Seen):
        return Outcome(Verdict(BY_EYE, 0, 0, 0, "No number of the paper or of a run tells."), None)
    if isinstance(predicate, Count | Larger):
        stated = _stated(predicate) if isinstance(source, sources.Printed) else None
        verdict = stated or Verdict(UNMEASURED, 1, 0, 0, "It speaks of the paper's own numbers.")
        return Outcome(verdict, None)
    listed = list(comparisons(predicate, source))
    means = _by_means(listed)
    with_images = [c for c in listed if c.difference and c.difference.images]
    return Outcome(means, _surely(listed) if with_images else None)


def comparisons(predicate: Ahead | Loses | Recall, source: Source) -> Iterator[Comparison]:
    """Yield everything that a predicate says, with the source's numbers."""
    if isinstance(predicate, Recall):
        faces = Columns(tables=["VII"], metrics=["mAP@0.5"])
        for ours in sources.keys(predicate.subject, faces):
            for theirs in sources.keys(predicate.rivals, faces):
                difference = source.recall(ours, theirs, predicate)
                yield Comparison(f"{ours.method} against {theirs.method}", difference)
        return
    subject = sources.keys(predicate.subject, predicate.columns)
    rivals = (
        [] if isinstance(predicate, Loses) else sources.keys(predicate.rivals, predicate.columns)
    )
    for at in sources.places(predicate.columns):
        for ours in subject:
            if isinstance(predicate, Loses):
                yield Comparison(f"{ours.method}, {_where(at)}", source.loss(ours, at))
                continue
            by = {str(metric): value for metric, value in predicate.by.items()}.get(at.metric, 0.0)
            for theirs in rivals:
                text = f"{ours.method} against {theirs.method}, {_where(at)}"
                yield Comparison(text, source.ahead(ours, theirs, at, by))


def _where(at: Place) -> str:
    return f"{at.metric} on {at.dataset} at QF {at.qf}"


def _stated(predicate: Count | Larger) -> Verdict:
    if isinstance(predicate, Count):
        total = sum(reported.TRAINING_SETS[predicate.listed].values())
        wrong = total != predicate.stated
        why = f"The rows add up to {total}, the sentence says {predicate.stated}."
        return Verdict(FAILS if wrong else HOLDS, 1, 1, int(wrong), why)
    wrong = predicate.large <= predicate.small
    why = f"{predicate.large:g} and {predicate.small:g} are printed. {predicate.caveat}"
    return Verdict(FAILS if wrong else HOLDS, 1, 1, int(wrong), " ".join(why.split()))


def _by_means(listed: list[Comparison]) -> Verdict:
    known = [(c.text, c.difference) for c in listed if c.difference is not None]
    if not known:
        return Verdict(UNMEASURED, len(listed), 0, 0, "There is no number for any of it.")
    wrong = sorted(
        ((text, difference) for text, difference in known if difference.value <= 0),
        key=lambda pair: pair[1].value,
    )
    violations = [(text, f"short by {-difference.value:.4g}") for text, difference in wrong]
    why = _listed(violations) or "Nothing that was measured goes against it."
    return Verdict(FAILS if wrong else HOLDS, len(listed), len(known), len(wrong), why)


def _surely(listed: list[Comparison]) -> Verdict:
    known = [(c.text, c.difference) for c in listed if c.difference is not None]
    corrected = statistics.holm([difference.p for _, difference in known])
    sure = [
        (text, f"short by {-d.value:.4g} ({-d.high:.4g} to {-d.low:.4g})")
        for (text, d), p in zip(known, corrected, strict=True)
        if d.value < 0 and p < SIGNIFICANT
    ]
    few = min(d.images for _, d in known) < statistics.LEAST_PAIRS
    open_ones = sum(d.low <= 0 for _, d in known)
    counts = (len(listed), len(known), len(sure))
    images = int(np.min([d.images for _, d in known]))
    if few:
        return Verdict(OPEN, *counts[:2], 0, f"{images} images are too few for any test.")
    if sure:
        return Verdict(FAILS, *counts, _listed(sure))
    if open_ones:
        why = f"{open_ones} of {len(known)} intervals reach the other side, on {images} images."
        return Verdict(OPEN, *counts, why)
    return Verdict(HOLDS, *counts, f"All {len(known)} intervals are on its side.")


def _listed(wrong: list[tuple[str, str]]) -> str:
    """Return the first violations in words."""
    violations = "; ".join(f"{text}: {how}" for text, how in wrong[:SHOWN])
    more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    return f"{violations}{more}." if violations else ""
