"""What is wrong with raw sets: duplicates, leaks, mispairs, shifts, JPEG at source, odd sizes."""

import dataclasses
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.audit import findings, misalignment, mispairs
from benchmark.data import fingerprints, inventory, lists
from benchmark.data.fingerprints import Fingerprint

_TABLES = ("formats", "sizes", "alignment")
ALIGNMENT = ["dataset", "measured", "unclear", "shifted", "displaced", "far", "max_px"]


@dataclass(frozen=True)
class Audit:
    """What was found.

    Attributes:
        pairs: Number of pairs by dataset and split: columns dataset, split, pairs.
        findings: A row a finding; see `findings.COLUMNS`.
        formats: Number of files by dataset, side (dark, normal), format, quality (of a JPEG file;
            negative where its tables are not IJG's, 0 of another format) and subsampling.
        sizes: Number of files by dataset, width, height.
        alignment: By dataset the pairs measured and those that say nothing (unclear), how many are
            shifted, displaced and displaced by over 1 px (far), and the largest displacement.
        problems: What is wrong with files that cannot be used, a phrase each; they and their pairs
            are left out of everything else.
    """

    pairs: pd.DataFrame
    findings: pd.DataFrame
    formats: pd.DataFrame
    sizes: pd.DataFrame
    alignment: pd.DataFrame
    problems: tuple[str, ...] = ()

    def records(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        tables = {name: getattr(self, name) for name in ("pairs", "findings", *_TABLES)}
        made = {name: json.loads(t.to_json(orient="records")) for name, t in tables.items()}
        return made | {"problems": list(self.problems)}

    def refused(self) -> pd.DataFrame:
        """Return the leaks that nobody accepted: they stop the pipeline."""
        leaks = self.findings[self.findings["kind"] == "leak"]
        return leaks[~leaks["detail"].str.endswith("accepted")]


def audit_disk(
    names: Sequence[str],
    roots: Sequence[Path],
    accepted: Collection[str],
    cache: Path | None,
    jobs: int,
) -> Audit:
    """Take the inventory of raw sets and audit them; absent ones are passed over.

    Files that cannot be used are told and end nothing.

    Args:
        names: Raw sets.
        roots: Folders that hold them; see `datasets.raw_roots`.
        accepted: Leaks that may stay.
        cache: Folder where it is remembered what was found; None remembers nothing.
        jobs: Processes.
    """
    found = inventory.look(names, roots, cache, jobs)
    manifests = {
        name: lists.prefixed(listed, f"raw/{name}/") for name, listed in found.manifests.items()
    }
    places = lists.PathResolver(tuple(roots), Path())  # nothing that the pipeline made is looked at
    made = audit(manifests, places, accepted, cache, jobs)
    return dataclasses.replace(made, problems=found.problems)


def audit(
    manifests: Mapping[str, pd.DataFrame],
    places: lists.PathResolver,
    accepted: Collection[str] = (),
    cache: Path | None = None,
    jobs: int = 1,
) -> Audit:
    """Look for everything that is wrong with raw sets.

    Args:
        manifests: Set -> merged manifest of the raw set, as the inventory lists it.
        places: Where the images lie.
        accepted: Leaks that may stay; see `leaks.check_leaks`.
        cache: Folder where it is remembered what was measured; None remembers nothing.
        jobs: Processes.

    Raises:
        ProblemsError: Files cannot be used, or have changed since they were listed.
    """
    frames = {name: frame for name, frame in manifests.items() if len(frame)}
    listed = pd.concat(frames.values(), ignore_index=True) if frames else lists.empty()
    known = fingerprints.of_manifest(listed, ["dark", "normal"], places.locate, cache, jobs)
    wrong = {name: mispairs.find(frame, known) for name, frame in frames.items()}
    found = findings.files(listed, known)
    right = [
        frame.drop(index=frame.index[[one.row for one in wrong[name]]])
        for name, frame in frames.items()
    ]
    measured = _measured(pd.concat(right) if right else listed, known, places, cache, jobs)
    rows = [
        *findings.leaking(listed, known, accepted),
        *findings.same_files(found),
        *findings.same_views(listed, known),
        *(row for name in frames for row in findings.mispaired(frames[name], wrong[name])),
        *findings.swapped_sides(listed, known),
        *findings.misaligned(measured),
        *findings.misnamed(found),
        *findings.odd_sizes(found),
    ]
    counted = listed.groupby(["dataset", "split"], sort=False).size()
    return Audit(
        pairs=counted.rename("pairs").reset_index(),
        findings=pd.DataFrame(rows, columns=findings.COLUMNS),
        formats=_tally(found, ["dataset", "side", "format", "quality", "subsampling"]),
        sizes=_tally(found, ["dataset", "width", "height"]),
        alignment=_summary(measured),
    )


def _tally(found: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    counted = found.groupby(columns, sort=False).size().rename("files").reset_index()
    return counted.sort_values(["dataset", "files"], ascending=[True, False], ignore_index=True)


def _measured(
    listed: pd.DataFrame,
    known: Mapping[str, Fingerprint],
    places: lists.PathResolver,
    cache: Path | None,
    jobs: int,
) -> pd.DataFrame:
    """Return the pairs whose two images have one size, and column `apart`."""
    whole = listed[(listed["dark"] != "") & (listed["normal"] != "")]
    if whole.empty:
        return whole.assign(apart=[])
    sizes = [
        [(found.width, found.height) for found in (known[dark], known[normal])]
        for dark, normal in whole[["dark_sha256", "normal_sha256"]].to_numpy()
    ]
    even = whole[np.array([dark == normal for dark, normal in sizes])]
    found = misalignment.measure_all(even, places, cache, jobs)
    return even.assign(apart=pd.Series(found, index=even.index, dtype=object))


def _summary(measured: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for name, frame in measured.groupby("dataset", sort=False):
        sure = [apart for apart in frame["apart"] if apart.measurable]
        moved = np.array([apart.displacement_px for apart in sure])
        rows.append(
            {
                "dataset": name,
                "measured": len(sure),
                "unclear": len(frame) - len(sure),
                "shifted": sum(apart.shift_px > misalignment.SHIFT_PX for apart in sure),
                "displaced": int((moved > misalignment.DISPLACEMENT_PX).sum()),
                "far": int((moved > 1.0).sum()),
                "max_px": float(moved.max(initial=0.0)),
            }
        )
    return pd.DataFrame(rows, columns=ALIGNMENT)
