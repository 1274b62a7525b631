"""Register the misaligned training pairs of a set and list the results in tables.

Finished pairs survive a kill: their images and results are cached under a name that identifies
everything they depend on, and are linked from there into the output of the stage.
"""

import dataclasses
import math
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from benchmark.core import code_digest, files, images
from benchmark.core.cache import ResultCache, cached_map
from benchmark.core.errors import InputError
from benchmark.core.hashing import digest_values, sha256
from benchmark.registration import register
from benchmark.registration.criteria import RegistrationSettings

if TYPE_CHECKING:
    from benchmark.data.lists import PathResolver

FACTS = (
    "dataset",
    "name",
    "model",
    "matches",
    "inliers",
    "inlier_ratio",
    "rmse_px",
    "overlap",
    "max_displacement_px",
    "accepted",
    "reason",
    "left",
    "top",
)
"""Columns of the table of registration results, which has one row per pair."""
_SIDES = ("dark", "normal")


class Outcome(NamedTuple):
    """The result of registering a set.

    Attributes:
        manifest: The pairs in their order: warped pairs with new files, sizes and digests; pairs
            that were already aligned unchanged; refused pairs with status `rejected` and the
            reason.
        facts: One row per pair with `FACTS`, in the same order.
    """

    manifest: pd.DataFrame
    facts: pd.DataFrame


class _Job(NamedTuple):
    dark: Path
    normal: Path
    digests: tuple[str, str]  # SHA-256 of both, as listed
    folder: Path  # where the registered images go
    settings: RegistrationSettings
    seed: int


def register_pairs(
    listed: pd.DataFrame,
    places: "PathResolver",
    folder: Path,
    prefix: str,
    seed: int,
    jobs: int,
    cache: Path,
    settings: RegistrationSettings | None = None,
) -> Outcome:
    """Register every pair of a manifest; a killed run is resumed by the next call.

    Args:
        listed: A merged manifest of pairs of one set.
        places: Resolver of its paths.
        folder: Folder of the warped and cropped images, `dark/<name>.png` and
            `normal/<name>.png`.
        prefix: Path of that folder in the manifest, such as `work/pairs/LSRW/`.
        seed: Seed of RANSAC, the same for every pair, so that a pair's result depends on no other.
        jobs: Number of processes.
        cache: Cache folder of finished pairs, preferably on the file system of `folder`.
        settings: Thresholds of estimation and acceptance.

    Raises:
        InputError: An image cannot be read, or has changed since it was listed.
    """
    chosen = settings or RegistrationSettings()
    finished = cache / _key(chosen, seed)
    work = [
        _Job(
            places.locate(row["dark"]),
            places.locate(row["normal"]),
            (row["dark_sha256"], row["normal_sha256"]),
            finished / digest_values([row["dark_sha256"], row["normal_sha256"]])[:32],
            chosen,
            seed,
        )
        for row in listed.to_dict("records")
    ]
    journal = ResultCache(finished / "pairs.jsonl")
    keys = [job.folder.name for job in work]
    for key in set(keys) & journal.done.keys():
        if not _whole(finished / key, journal.done[key]["written"]):
            del journal.done[key]
    entries = cached_map(work, keys, _register, journal, jobs, f"registering {folder.name}")
    rows = list(zip(listed.to_dict("records"), work, entries, strict=True))
    return Outcome(
        pd.DataFrame(
            [_placed(row, job.folder, entry, folder, prefix) for row, job, entry in rows],
            columns=list(listed.columns),
        ),
        pd.DataFrame([row | entry["facts"] for row, _, entry in rows], columns=list(FACTS)),
    )


def references(listed: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    """Return what protocol `sound` compares test pairs with that were registered.

    Args:
        listed: The manifest before registration.
        outcome: Its registration.

    Returns:
        One row per pair: `registered`, the manifest's path of the warped and cropped normal-light
        image or "" where the pair stays as it is; and `FACTS`, with the corner of the crop.
    """
    after = outcome.manifest["normal"]
    moved = after.where(after != listed["normal"].to_numpy(), "")
    return outcome.facts.assign(registered=moved.to_numpy())


def _key(settings: RegistrationSettings, seed: int) -> str:
    """Return a digest of everything that a registered pair depends on except its images."""
    return digest_values([dataclasses.asdict(settings), seed, code_digest.of(__name__)])[:32]


def _whole(folder: Path, written: dict[str, Any]) -> bool:
    """Return True if the cached images of a finished pair are unchanged."""
    return all(
        (folder / f"{side}.png").is_file() and sha256(folder / f"{side}.png") == digest
        for side, digest in written.get("sha256", {}).items()
    )


def _register(job: _Job) -> dict[str, Any]:
    """Register a pair; return its `facts`, and sizes and digests of the images `written`."""
    for path, digest in zip((job.dark, job.normal), job.digests, strict=True):
        if (actual := sha256(path)) != digest:
            raise InputError(
                f"{path} has SHA-256 {actual[:12]}, but the inventory lists {digest[:12]}: it "
                "changed since; run the inventory again."
            )
    dark, normal = images.read(job.dark), images.read(job.normal)
    result = register.register(dark, normal, job.settings, job.seed)
    names = ("model", "matches", "inliers", "inlier_ratio", "rmse_px", "overlap")
    facts = {
        name: getattr(result, name)
        for name in (*names, "max_displacement_px", "accepted", "reason")
    }
    facts |= {"left": 0, "top": 0}
    if not result.accepted:
        return {"facts": facts, "written": {}}
    registered = register.apply(dark, normal, result)
    facts |= {"left": registered.left, "top": registered.top}
    if registered.dark is dark and registered.normal is normal:
        return {"facts": facts, "written": {}}
    for side, image in zip(_SIDES, registered[:2], strict=True):
        images.write(job.folder / f"{side}.png", image)
    height, width = registered.dark.shape[:2]
    digests = {side: sha256(job.folder / f"{side}.png") for side in _SIDES}
    return {"facts": facts, "written": {"height": height, "width": width, "sha256": digests}}


def _placed(
    row: dict[Any, Any], finished: Path, entry: dict[str, Any], folder: Path, prefix: str
) -> dict[Any, Any]:
    """Return the manifest's row of a finished pair, and link its images into the output."""
    facts, written = entry["facts"], entry["written"]
    changed = row | _geometry(facts)
    if not facts["accepted"]:
        return changed | {"status": "rejected", "reason": facts["reason"]}
    if not written:
        return changed
    changed |= {"height": written["height"], "width": written["width"]}
    for side in _SIDES:
        name, file = f"{side}/{row['name']}.png", finished / f"{side}.png"
        _link(file, folder / name)
        changed |= {side: prefix + name, f"{side}_sha256": written["sha256"][side]}
        changed[f"{side}_bytes"] = file.stat().st_size
    return changed


def _geometry(facts: dict[str, Any]) -> dict[str, str]:
    """Return the manifest's columns of a registration; empty if none was attempted."""
    if math.isnan(facts["max_displacement_px"]):
        return {}
    rmse = "" if math.isnan(facts["rmse_px"]) else f"{facts['rmse_px']:.3f}"
    moved = f"{facts['max_displacement_px']:.3f}"
    columns = {"model": facts["model"], "inliers": str(facts["inliers"])}
    return columns | {"rmse_px": rmse, "displacement_px": moved}


def _link(source: Path, target: Path) -> None:
    """Create a hard link to a file, or a copy if the file system does not allow links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        with files.beside(target) as place:
            shutil.copyfile(source, place)
