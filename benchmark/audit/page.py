"""Render the audit of raw sets as a Markdown page."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from benchmark.audit import mispairs
from benchmark.audit.findings import KINDS
from benchmark.audit.misalignment import DISPLACEMENT_PX, SHIFT_PX
from benchmark.audit.run import Audit
from benchmark.core.markdown import pipes
from benchmark.data import near_duplicates, registry

_SIDES = ("dark", "normal")
_MANY = 30  # lines of a list at most; data_audit.csv has all
_METHOD = (
    "## How it was found\n\n"
    "Every file is decoded whole. *A view again*: normal-light images, equalised, whose 256-bit "
    f"perceptual hashes differ in {near_duplicates.HASH_BITS} bits at most and whose thumbnails "
    f"correlate by {near_duplicates.CORRELATION} at least; crops and mirrored copies are not "
    "found. *Two scenes*: the ranks of the two thumbnails correlate, by their gradients, by less "
    "than "
    f"{mispairs.FITS}, or another reference of the set fits better by {mispairs.MARGIN}. "
    "*Alignment*: pairs known to be aligned measure shifts of up to 0.13 px and displacements of "
    "up to 0.31 px. *JPEG quality*: of the IJG tables that equal the file's. Traces of JPEG in "
    "files of another format are not looked for: from quality 90 on they cannot be told from "
    "texture reliably."
)


def page(
    title: str,
    audit: Audit,
    accepted: Mapping[str, str],
    registered: Mapping[str, pd.DataFrame],
    held: Mapping[str, tuple[int, int]],
) -> str:
    """Return the audit in Markdown.

    Args:
        title: Title of the page, after "Data audit: ".
        audit: The audit.
        accepted: Accepted leak -> reason.
        registered: Set -> manifest of its training pairs after registration; empty before that.
        held: Set -> number of images held back for validation, and how many of them show a view
            that training images show too; empty before the split.
    """
    parts = [
        f"# Data audit: {title}",
        *_overview(audit),
        *_problems(audit),
        *_leaks(audit, accepted),
        *_repeats(audit),
        *_validation(held),
        *_listed(audit, "mispair", "Correlation"),
        *_alignment(audit),
        *_registration(registered),
        *_files(audit),
        *_listed(audit, "size", ""),
        *_listed(audit, "sides", ""),
        *_listed(audit, "black", ""),
        *_listed(audit, "name", ""),
        _METHOD,
    ]
    return "\n\n".join(parts) + "\n"


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table of the first rows, and how many there are more."""
    text = pipes(heads, rows[:_MANY], ["---"] * len(heads))
    left = len(rows) - _MANY
    return text + (f"\n\n... and {left} more, in data_audit.csv." if left > 0 else "")


def _of(audit: Audit, kind: str) -> list[dict[Any, Any]]:
    return audit.findings[audit.findings["kind"] == kind].to_dict("records")


def _short(row: Mapping[Any, Any]) -> str:
    return f"{row['dataset']}/{row['name']}"


def _joined(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _overview(audit: Audit) -> list[str]:
    if audit.pairs.empty:
        return ["None of the raw sets is on this machine: see data/README.md."]
    sets = list(audit.pairs["dataset"].unique())
    counts = audit.pairs.set_index(["dataset", "split"])["pairs"].to_dict()
    kinds = audit.findings.groupby(["dataset", "kind"]).size().to_dict()
    jpeg = audit.formats[audit.formats["format"] == "JPEG"]
    lossy = jpeg.groupby("dataset")["files"].sum().to_dict()
    rows: list[list[object]] = []
    for split in registry.SPLITS:
        published = [registry.SETS[name].expected.get(split) for name in sets]
        if any(published):
            here = [counts.get((name, split), 0) for name in sets]
            shares = [f"{n} of {of}" if of else "-" for n, of in zip(here, published, strict=True)]
            rows.append([f"{split} pairs here, of those published", *shares])
    for kind, what in KINDS.items():
        rows.append([what, *(kinds.get((name, kind), 0) for name in sets)])
    rows.append(["JPEG files at source", *(lossy.get(name, 0) for name in sets)])
    return [_table(["", *sets], rows)]


def _problems(audit: Audit) -> list[str]:
    if not audit.problems:
        return []
    summary = f"{len(audit.problems)} problems; what they are about is left out of all else."
    return [
        "## Files that cannot be used",
        summary,
        "\n".join(f"- {problem}" for problem in audit.problems),
    ]


def _leaks(audit: Audit, accepted: Mapping[str, str]) -> list[str]:
    leaks = _of(audit, "leak")
    if not leaks:
        return []
    tested: dict[str, list[dict[Any, Any]]] = {}
    for leak in leaks:
        tested.setdefault(leak["other"].replace("/test/", "/"), []).append(leak)
    rows = [
        [
            test_image,
            _joined(_short(leak) for leak in group),
            _joined(leak["detail"] for leak in group),
            f"{min(leak['value'] for leak in group):.4f}",
        ]
        for test_image, group in tested.items()
    ]
    refused = len(audit.refused())
    verdict = f"{refused} of these {len(leaks)} leaks are not accepted: they stop the pipeline."
    if not refused:
        verdict = (
            "Accepted: " + "; ".join(f"{name} ({why})" for name, why in accepted.items()) + "."
        )
    training = len({_short(leak) for leak in leaks})
    summary = f"{len(tested)} test images are found again in {training} training images. {verdict}"
    table = _table(["Test image", "Training images", "How", "Least correlation"], rows)
    return ["## Training images that are test images", summary, table]


def _repeats(audit: Audit) -> list[str]:
    """Describe repeated files and views on the same side of the split."""
    parts = []
    for kind, heading in (
        ("same file", "Files of one content (N: normal-light image, D: dark image)"),
        ("same view", "Normal-light images of one view, test images apart"),
    ):
        again: dict[str, list[str]] = {}
        for row in _of(audit, kind):
            marks = [word[0].upper() for word in row["detail"].split() if word in _SIDES]
            again.setdefault(row["other"], [" ".join([_name(row["other"]), *marks[1:]])])
            again[row["other"]].append(" ".join([row["name"], *marks[:1]]))
        groups: dict[str, list[str]] = {}
        for first, names in again.items():
            groups.setdefault(" ".join(first.split("/", 2)[:2]), []).append(" = ".join(names))
        lines = [f"- {side}: {_some(equal)}" for side, equal in groups.items()]
        if lines:
            parts += [f"## {KINDS[kind].capitalize()}", f"{heading}:\n\n" + "\n".join(lines)]
    return parts


def _name(key: str) -> str:
    return key.split("/", 2)[2]


def _some(texts: Sequence[str]) -> str:
    left = len(texts) - _MANY
    return ", ".join(texts[:_MANY]) + (f" and {left} more" if left > 0 else "") + "."


def _validation(held: Mapping[str, tuple[int, int]]) -> list[str]:
    sentences = [
        f"Of the {count} images of {name} held back for validation, {shared} show a view that "
        "training images show too."
        for name, (count, shared) in held.items()
        if shared
    ]
    remedy = "`merge.group_views` in params.yaml keeps the images of one view on one side."
    return ["## Validation", " ".join([*sentences, remedy])] if sentences else []


def _listed(audit: Audit, kind: str, value: str) -> list[str]:
    rows = [
        [
            f"{row['dataset']} {row['split']} {row['name']}",
            *([f"{row['value']:.2f}"] if value else []),
            " ".join(filter(None, [row["detail"], row["other"] and f"({row['other']})"])),
        ]
        for row in _of(audit, kind)
    ]
    heads = ["Pair", *([value] if value else []), "What"]
    return [f"## {KINDS[kind].capitalize()}", _table(heads, rows)] if rows else []


def _alignment(audit: Audit) -> list[str]:
    if audit.alignment.empty:
        return []
    rows = audit.alignment.round({"max_px": 2}).to_numpy().tolist()
    heads = ["Set", "Pairs measured", "Unclear", f"Shifted > {SHIFT_PX} px"]
    heads += [f"Displaced > {DISPLACEMENT_PX} px", "> 1 px", "Most (px)"]
    worst = sorted(_of(audit, "misaligned"), key=lambda row: -row["value"])[:5]
    examples = "; ".join(f"{_short(row)} {row['value']:.2f} {row['detail']}" for row in worst)
    return [
        "## Alignment of dark and normal-light images",
        "Shifted: the whole image, at best. Displaced: some corner, by the best shift, rotation "
        "and scale. The table below tells what was registered; other sets are used as they are.",
        _table(heads, rows) + (f"\n\nMost misaligned: {examples}." if worst else ""),
    ]


def _registration(registered: Mapping[str, pd.DataFrame]) -> list[str]:
    rows: list[list[object]] = []
    for name, listed in registered.items():
        if listed.empty:
            continue
        refused = listed[listed["status"] == "rejected"]
        warped = int((listed["dark"].str.startswith("work/") & (listed["status"] == "ok")).sum())
        reasons = Counter(str(reason).partition(":")[0] for reason in refused["reason"])
        why = ", ".join(f"{reason} ({count})" for reason, count in reasons.most_common())
        needed = "yes" if registry.SETS[name].needs_registration else "no"
        left = len(listed) - warped - len(refused)
        rows.append([name, needed, len(listed), left, warped, len(refused), why or "-"])
    heads = ["Set", "Registered", "Training pairs", "As they were", "Warped", "Refused", "Why"]
    return ["## Registration", _table(heads, rows)] if rows else []


def _files(audit: Audit) -> list[str]:
    if audit.formats.empty:
        return []
    rows = []
    for row in audit.formats.to_dict("records"):
        quality = row["quality"]
        quality_text = f"{quality}" if quality > 0 else f"about {-quality}, not IJG's tables"
        lossy = [quality_text, row["subsampling"]] if quality else ["-", "-"]
        rows.append([row["dataset"], row["side"], row["format"], *lossy, row["files"]])
    sizes = []
    for name, group in audit.sizes.groupby("dataset", sort=False):
        largest = [f"{w}x{h} ({n})" for w, h, n in group[["width", "height", "files"]].to_numpy()]
        more = f" and {len(largest) - 3} more sizes" if len(largest) > 3 else ""
        odd = group[(group["width"] % 8 > 0) | (group["height"] % 8 > 0)]["files"].sum()
        whole = f"; {odd} files are no whole number of 8x8 blocks" if odd else ""
        sizes.append(f"{name}: {', '.join(largest[:3])}{more}{whole}.")
    return [
        "## Formats and sizes",
        _table(["Set", "Side", "Format", "JPEG quality", "Chroma", "Files"], rows),
        "Sizes in pixels (files). " + " ".join(sizes),
    ]
