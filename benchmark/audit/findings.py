"""Findings of an audit of raw sets, one row per finding."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmark.audit import misalignment, mispairs
from benchmark.data import leakage, lists, near_duplicates
from benchmark.data.fingerprints import Fingerprint

COLUMNS = ["kind", "dataset", "split", "name", "other", "value", "detail"]
"""Columns of the findings. `kind` is one of `KINDS`; `other` is `set/split/name` of a second pair
that is concerned, or ""; `value` is a correlation or a distance in pixels, or empty; `detail` is a
phrase."""
KINDS: Mapping[str, str] = {
    "leak": "times that a training and a test image show the same",
    "same file": "files that come twice",
    "same view": "photographs of a view that was there before",
    "mispair": "pairs of two scenes",
    "sides": "dark images no darker than their normal-light image",
    "black": "pairs of two images that are all black",
    "misaligned": f"pairs shifted by over {misalignment.SHIFT_PX} px or displaced by over "
    f"{misalignment.DISPLACEMENT_PX} px somewhere",
    "name": "files whose name says another format",
    "size": "images of another size than most of their set",
}
"""Kind of finding -> description of what is counted."""
_SUFFIXES = {"JPEG": (".jpg", ".jpeg"), "PNG": (".png",), "BMP": (".bmp",), "WEBP": (".webp",)}


class Finding(NamedTuple):
    """A row of findings; see `COLUMNS`."""

    kind: str
    dataset: str
    split: str
    name: str
    other: str = ""
    value: float = np.nan
    detail: str = ""


def _key(row: Mapping[Any, Any]) -> tuple[str, str, str]:
    return row["dataset"], row["split"], row["name"]


def files(listed: pd.DataFrame, known: Mapping[str, Fingerprint]) -> pd.DataFrame:
    """Return one row per distinct file of a manifest.

    Returns:
        Columns dataset, split, name (of the first pair with the file), side (dark, normal), file,
        sha256, and width, height, format, quality, subsampling from the fingerprint.
    """
    sides = []
    for side in ("dark", "normal"):
        columns = {side: "file", f"{side}_sha256": "sha256"}
        part = listed.rename(columns=columns)[["dataset", "split", "name", *columns.values()]]
        sides.append(part[part["file"] != ""].assign(side=side))
    table = pd.concat(sides).drop_duplicates("file", ignore_index=True)
    fields = ["width", "height", "format", "quality", "subsampling"]
    values = [[getattr(known[digest], field) for field in fields] for digest in table["sha256"]]
    return table.join(pd.DataFrame(values, columns=fields, index=table.index))


def leaking(
    listed: pd.DataFrame, known: Mapping[str, Fingerprint], accepted: Collection[str]
) -> Iterator[Finding]:
    """Yield every training image that is also a test image, of any set; see `leakage`."""
    train, test = (listed[listed["split"] == split] for split in ("train", "test"))
    for leak in leakage.find_leaks(train, test, known):
        how = "the same file" if leak.kind == "exact" else "the same view"
        detail = f"{how}, accepted" if leakage.is_accepted(leak, accepted) else how
        other = f"{leak.test_dataset}/test/{leak.test_name}"
        value = round(leak.correlation, 4)
        yield Finding("leak", leak.train_dataset, "train", leak.train_name, other, value, detail)


def same_files(table: pd.DataFrame) -> Iterator[Finding]:
    """Yield files that repeat an earlier one, except references that a scene shares."""
    scene = lists.scenes(table)
    rows = table.assign(scene=scene)[table["sha256"].duplicated(keep=False)].to_dict("records")
    first_of: dict[str, dict[Any, Any]] = {}
    for row in rows:
        first = first_of.setdefault(row["sha256"], row)
        shared = row["scene"] == first["scene"] and row["side"] == first["side"] == "normal"
        is_leak = {row["split"], first["split"]} == {"train", "test"}
        if row is not first and not shared and not is_leak:
            detail = f"{row['side']} image is the {first['side']} image of the other"
            yield Finding("same file", *_key(row), "/".join(_key(first)), 1.0, detail)


def near_duplicate_images(
    listed: pd.DataFrame, known: Mapping[str, Fingerprint]
) -> Iterator[Finding]:
    """Yield normal-light images that repeat an earlier view, with test images separate."""
    rows = leakage.rows_of(listed, "normal_sha256")
    links = near_duplicates.find_near_duplicates({digest: known[digest] for digest in rows})
    scene, records = lists.scenes(listed).tolist(), listed.to_dict("records")
    for group in near_duplicates.groups(link[:2] for link in links):
        first = sorted(rows[digest][0] for digest in group)
        for tested in (False, True):
            side = [row for row in first if (records[row]["split"] == "test") == tested]
            for row in side[1:]:
                if scene[row] != scene[side[0]]:
                    other = "/".join(_key(records[side[0]]))
                    yield Finding("same view", *_key(records[row]), other)


def mispaired(listed: pd.DataFrame, wrong: Iterable[mispairs.Mispair]) -> Iterator[Finding]:
    """Yield pairs of different scenes, as `mispairs.find` returned them for a manifest."""
    records = listed.to_dict("records")
    for mispair in wrong:
        other, detail = "", "fits no other reference of the set either"
        if mispair.better is not None:
            other = "/".join(_key(records[mispair.better]))
            detail = f"fits the other's reference ({mispair.best:.2f})"
        yield Finding(
            "mispair", *_key(records[mispair.row]), other, round(mispair.correlation, 3), detail
        )


def swapped_sides(listed: pd.DataFrame, known: Mapping[str, Fingerprint]) -> Iterator[Finding]:
    """Yield pairs whose dark image is not darker, and pairs of two black images."""
    for row in listed.to_dict("records"):
        dark, normal = (known.get(row[f"{side}_sha256"]) for side in ("dark", "normal"))
        if dark and normal and dark.brightness == normal.brightness == 0.0:
            yield Finding("black", *_key(row), "", np.nan, "all black")
        elif dark and normal and dark.brightness >= normal.brightness:
            detail = f"mean luma {dark.brightness:.0f} against {normal.brightness:.0f}"
            yield Finding("sides", *_key(row), "", np.nan, detail)


def misaligned(measured: pd.DataFrame) -> Iterator[Finding]:
    """Yield misaligned pairs; column `misalignment` has their measurements."""
    for row in measured.to_dict("records"):
        measurement: misalignment.Misalignment = row["misalignment"]
        if measurement.misaligned:
            detail = f"px at most, shift {measurement.shift_px:.2f} px"
            yield Finding(
                "misaligned", *_key(row), "", round(measurement.displacement_px, 2), detail
            )


def misnamed(table: pd.DataFrame) -> Iterator[Finding]:
    """Yield files whose suffix does not match their format."""
    for row in table.to_dict("records"):
        suffix = Path(row["file"]).suffix.lower()
        if suffix not in _SUFFIXES.get(row["format"], (suffix,)):
            detail = f"the {row['side']} image is {row['format']}, its name ends in {suffix}"
            yield Finding("name", *_key(row), "", np.nan, detail)


def odd_sizes(table: pd.DataFrame) -> Iterator[Finding]:
    """Yield images whose size differs from that of most images of their set, if there is one."""
    for _, frame in table.groupby("dataset", sort=False):
        sizes = list(zip(frame["width"], frame["height"], strict=True))
        (width, height), count = Counter(sizes).most_common(1)[0]
        if 2 * count <= len(frame):
            continue
        odd = frame[(frame["width"] != width) | (frame["height"] != height)]
        for row in odd.to_dict("records"):
            detail = f"{row['side']} image is {row['width']}x{row['height']}"
            yield Finding("size", *_key(row), "", np.nan, f"{detail}, most are {width}x{height}")
