"""Registered copies of misaligned training pairs, and the manifest that lists them."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from benchmark import executor, images, registration
from benchmark.digests import sha256
from benchmark.merge import Places


class _Job(NamedTuple):
    dark: Path
    normal: Path
    folder: Path
    name: str
    settings: registration.RegistrationSettings
    seed: int


def register(
    listed: pd.DataFrame,
    places: Places,
    folder: Path,
    prefix: str,
    seed: int,
    jobs: int,
    settings: registration.RegistrationSettings | None = None,
) -> pd.DataFrame:
    """Register every pair of a manifest.

    Args:
        listed: A merged manifest of pairs of one set.
        places: Where its images lie.
        folder: Where warped and cropped images are written, as `dark/<name>.png` and
            `normal/<name>.png`.
        prefix: What the manifest calls that folder: `work/pairs/LSRW/`.
        seed: Of RANSAC.
        jobs: Processes.
        settings: Thresholds.

    Returns:
        The manifest, in its order: accepted pairs that had to be warped with the new files, sizes
        and digests; pairs that were aligned already as they were; refused ones with status
        `rejected` and the reason.
    """
    chosen = settings or registration.RegistrationSettings()
    work = [
        _Job(places.locate(dark), places.locate(normal), folder, name, chosen, seed)
        for dark, normal, name in listed[["dark", "normal", "name"]].to_numpy()
    ]
    label = f"registering {folder.name}"
    changes = executor.spread(_register, work, jobs, label, "pair")
    rows = [
        _changed(row, change, prefix)
        for row, change in zip(listed.to_dict("records"), changes, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(listed.columns))


def _changed(row: dict[Any, Any], change: dict[str, Any], prefix: str) -> dict[Any, Any]:
    moved = {side: prefix + change[side] for side in ("dark", "normal") if side in change}
    return row | change | moved


def _register(job: _Job) -> dict[str, Any]:
    """Return what changes in the manifest's row."""
    dark, normal = images.read(job.dark), images.read(job.normal)
    found = registration.register(dark, normal, job.settings, job.seed)
    change = _geometry(found)
    if not found.accepted:
        return change | {"status": "rejected", "reason": found.reason}
    registered = registration.apply(dark, normal, found)
    if registered.dark is dark and registered.normal is normal:
        return change
    written = {"dark": registered.dark, "normal": registered.normal}
    for side, image in written.items():
        change[side] = f"{side}/{job.name}.png"
        file = job.folder / change[side]
        images.write(file, image)
        change[f"{side}_sha256"], change[f"{side}_bytes"] = sha256(file), file.stat().st_size
    change["height"], change["width"] = registered.dark.shape[:2]
    return change


def _geometry(found: registration.Registration) -> dict[str, Any]:
    """Return what the manifest tells of a registration; nothing where there was no attempt."""
    if math.isnan(found.max_displacement_px):
        return {}
    rmse = "" if math.isnan(found.rmse_px) else f"{found.rmse_px:.3f}"
    moved = f"{found.max_displacement_px:.3f}"
    told = {"model": found.model, "inliers": str(found.inliers)}
    return told | {"rmse_px": rmse, "displacement_px": moved}
