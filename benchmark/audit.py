"""What is wrong with raw sets: duplicates, leaks, mispairs, shifts, JPEG at source, odd sizes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmark import alignment, findings, merge, mispairs, prints
from benchmark.prints import Print


@dataclass(frozen=True)
class Audit:
    """What was found.

    Attributes:
        pairs: Number of pairs by dataset and split: columns dataset, split, pairs.
        findings: A row a finding; see `findings.COLUMNS`.
        formats: Number of files by dataset, side (dark, normal), format, quality (of a JPEG file;
            negative where its tables are not IJG's, 0 of another format) and subsampling.
        sizes: Number of files by dataset, width, height.
        shifts: By dataset the pairs whose shift was measured, those where it is unclear, and the
            median_px and max_px of the measured ones.
    """

    pairs: pd.DataFrame
    findings: pd.DataFrame
    formats: pd.DataFrame
    sizes: pd.DataFrame
    shifts: pd.DataFrame

    def refused(self) -> pd.DataFrame:
        """Return the leaks that nobody accepted: they stop the pipeline."""
        leaks = self.findings[self.findings["kind"] == "leak"]
        return leaks[~leaks["detail"].str.endswith("accepted")]


def audit(
    manifests: Mapping[str, pd.DataFrame],
    places: merge.Places,
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
    listed = pd.concat(frames.values(), ignore_index=True) if frames else merge.empty()
    known = prints.of_manifest(listed, ["dark", "normal"], places.locate, cache, jobs)
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
        *findings.shifted(measured),
        *findings.misnamed(found),
        *findings.odd_sizes(found),
    ]
    counted = listed.groupby(["dataset", "split"], sort=False).size()
    return Audit(
        pairs=counted.rename("pairs").reset_index(),
        findings=pd.DataFrame(rows, columns=findings.COLUMNS),
        formats=_tally(found, ["dataset", "side", "format", "quality", "subsampling"]),
        sizes=_tally(found, ["dataset", "width", "height"]),
        shifts=_summary(measured),
    )


def _tally(found: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    counted = found.groupby(columns, sort=False).size().rename("files").reset_index()
    return counted.sort_values(["dataset", "files"], ascending=[True, False], ignore_index=True)


def _measured(
    listed: pd.DataFrame,
    known: Mapping[str, Print],
    places: merge.Places,
    cache: Path | None,
    jobs: int,
) -> pd.DataFrame:
    """Return the pairs whose two images have one size, with columns px and correlation."""
    whole = listed[(listed["dark"] != "") & (listed["normal"] != "")]
    sizes = [
        [(found.width, found.height) for found in (known[dark], known[normal])]
        for dark, normal in whole[["dark_sha256", "normal_sha256"]].to_numpy()
    ]
    even = whole[[dark == normal for dark, normal in sizes]]
    found = alignment.shifts(even, places, cache, jobs)
    return even.assign(
        px=[shift.length_px for shift in found], correlation=[shift.correlation for shift in found]
    )


def _summary(measured: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for name, frame in measured.groupby("dataset", sort=False):
        sure = frame[frame["correlation"] >= alignment.MEASURABLE]["px"]
        rows.append((name, len(sure), len(frame) - len(sure), sure.median(), sure.max()))
    return pd.DataFrame(rows, columns=["dataset", "measured", "unclear", "median_px", "max_px"])
