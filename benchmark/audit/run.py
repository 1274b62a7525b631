"""Audit raw sets for duplicates, leaks, mispairs, shifts, JPEG at source and odd sizes."""

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
    """The result of an audit.

    Attributes:
        pairs: Number of pairs by dataset and split: columns dataset, split, pairs.
        findings: One row per finding; see `findings.COLUMNS`.
        formats: Number of files by dataset, side (dark, normal), format, quality (of a JPEG file;
            negative if its tables are not IJG's, 0 for other formats) and subsampling.
        sizes: Number of files by dataset, width, height.
        alignment: By dataset, the number of pairs that were measured, unclear, shifted, displaced,
            and displaced by over 1 px (far), and the largest displacement in pixels.
        problems: Problems with files that cannot be used, one phrase each; these files and their
            pairs are left out of everything else.
    """

    pairs: pd.DataFrame
    findings: pd.DataFrame
    formats: pd.DataFrame
    sizes: pd.DataFrame
    alignment: pd.DataFrame
    problems: tuple[str, ...] = ()

    def records(self) -> dict[str, Any]:
        """Return the audit as plain values."""
        tables = {name: getattr(self, name) for name in ("pairs", "findings", *_TABLES)}
        records = {name: json.loads(t.to_json(orient="records")) for name, t in tables.items()}
        return records | {"problems": list(self.problems)}

    def refused(self) -> pd.DataFrame:
        """Return the leaks that are not accepted, which stop the pipeline."""
        leaks = self.findings[self.findings["kind"] == "leak"]
        return leaks[~leaks["detail"].str.endswith("accepted")]


def audit_disk(
    names: Sequence[str],
    roots: Sequence[Path],
    accepted: Collection[str],
    cache: Path | None,
    jobs: int,
) -> Audit:
    """Take the inventory of raw sets and audit them; absent sets are ignored.

    Files that cannot be used are reported without stopping the audit.

    Args:
        names: Names of the raw sets.
        roots: Folders that contain them; see `registry.raw_roots`.
        accepted: Accepted leaks; see `leakage.check_leaks`.
        cache: Cache folder; None caches nothing.
        jobs: Number of processes.
    """
    raw = inventory.collect(names, roots, cache, jobs)
    manifests = {
        name: lists.prefixed(listed, f"raw/{name}/") for name, listed in raw.manifests.items()
    }
    places = lists.PathResolver(tuple(roots), Path())  # nothing that the pipeline made is looked at
    result = audit(manifests, places, accepted, cache, jobs)
    return dataclasses.replace(result, problems=raw.problems)


def audit(
    manifests: Mapping[str, pd.DataFrame],
    places: lists.PathResolver,
    accepted: Collection[str] = (),
    cache: Path | None = None,
    jobs: int = 1,
) -> Audit:
    """Audit the raw sets in manifests.

    Args:
        manifests: Set -> manifest of the raw set from the inventory, with merged paths.
        places: Resolver of the images' paths.
        accepted: Accepted leaks; see `leakage.check_leaks`.
        cache: Cache folder; None caches nothing.
        jobs: Number of processes.

    Raises:
        ProblemsError: Files cannot be used, or have changed since they were listed.
    """
    frames = {name: frame for name, frame in manifests.items() if len(frame)}
    listed = pd.concat(frames.values(), ignore_index=True) if frames else lists.empty()
    known = fingerprints.of_manifest(listed, ["dark", "normal"], places.locate, cache, jobs)
    wrong = {name: mispairs.find(frame, known) for name, frame in frames.items()}
    files = findings.files(listed, known)
    right = [
        frame.drop(index=frame.index[[mispair.row for mispair in wrong[name]]])
        for name, frame in frames.items()
    ]
    measured = _measured(pd.concat(right) if right else listed, known, places, cache, jobs)
    rows = [
        *findings.leaking(listed, known, accepted),
        *findings.same_files(files),
        *findings.near_duplicate_images(listed, known),
        *(row for name in frames for row in findings.mispaired(frames[name], wrong[name])),
        *findings.swapped_sides(listed, known),
        *findings.misaligned(measured),
        *findings.misnamed(files),
        *findings.odd_sizes(files),
    ]
    counted = listed.groupby(["dataset", "split"], sort=False).size()
    return Audit(
        pairs=counted.rename("pairs").reset_index(),
        findings=pd.DataFrame(rows, columns=findings.COLUMNS),
        formats=_tally(files, ["dataset", "side", "format", "quality", "subsampling"]),
        sizes=_tally(files, ["dataset", "width", "height"]),
        alignment=_summary(measured),
    )


def _tally(files: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    counted = files.groupby(columns, sort=False).size().rename("files").reset_index()
    return counted.sort_values(["dataset", "files"], ascending=[True, False], ignore_index=True)


def _measured(
    listed: pd.DataFrame,
    known: Mapping[str, Fingerprint],
    places: lists.PathResolver,
    cache: Path | None,
    jobs: int,
) -> pd.DataFrame:
    """Return the pairs whose two images have the same size, and column `misalignment`."""
    whole = listed[(listed["dark"] != "") & (listed["normal"] != "")]
    if whole.empty:
        return whole.assign(misalignment=[])
    sizes = [
        [(measured.width, measured.height) for measured in (known[dark], known[normal])]
        for dark, normal in whole[["dark_sha256", "normal_sha256"]].to_numpy()
    ]
    even = whole[np.array([dark == normal for dark, normal in sizes])]
    measured = misalignment.measure_all(even, places, cache, jobs)
    return even.assign(misalignment=pd.Series(measured, index=even.index, dtype=object))


def _summary(measured: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for name, frame in measured.groupby("dataset", sort=False):
        sure = [measurement for measurement in frame["misalignment"] if measurement.measurable]
        moved = np.array([measurement.displacement_px for measurement in sure])
        rows.append(
            {
                "dataset": name,
                "measured": len(sure),
                "unclear": len(frame) - len(sure),
                "shifted": sum(
                    measurement.shift_px > misalignment.SHIFT_PX for measurement in sure
                ),
                "displaced": int((moved > misalignment.DISPLACEMENT_PX).sum()),
                "far": int((moved > 1.0).sum()),
                "max_px": float(moved.max(initial=0.0)),
            }
        )
    return pd.DataFrame(rows, columns=ALIGNMENT)
