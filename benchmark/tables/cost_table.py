"""The table of costs: every method on every track, and what chains of them cost."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmark import ROOT, methods
from benchmark.core import code_digest, environment, images
from benchmark.core.cache import ResultCache
from benchmark.core.errors import InputError
from benchmark.core.hashing import digest_values
from benchmark.core.images import Image
from benchmark.core.params import Params
from benchmark.core.types import Track
from benchmark.demo import sample_photos
from benchmark.methods import assemble
from benchmark.methods.records import ChainRecord
from benchmark.scoring import costs
from benchmark.tables import cells, grid
from benchmark.tables.output import Page, Sheet, page

COLUMNS = [
    "name", "method", "order", "track", "parameters", "gmacs", "seconds_per_megapixel",
    "peak_mib", "settings", "cpu",
]  # fmt: skip
MACHINE_BOUND = ("seconds_per_megapixel", "peak_mib", "cpu")
"""Columns that hold for one machine and one moment: nothing may be checked against them."""
PICTURE, DARKNESS = "coffee", np.float32(0.1)
"""A photograph of 600 x 400 pixels, and what its pixels are multiplied by."""


class Sum(NamedTuple):
    """What a chain costs: sums over its methods."""

    gmacs: float
    seconds_per_megapixel: float


def dark_picture() -> Image:
    """Return the image that every method is measured on, float32 (400, 600, 3)."""
    return images.read(sample_photos.locate(PICTURE)) * DARKNESS


def measure(work: Iterable[costs.Job], journal: ResultCache, at_once: int = 1) -> pd.DataFrame:
    """Measure methods, each in a process of its own.

    Args:
        work: From `costs.jobs`.
        journal: Costs of earlier runs on this machine: a method is measured again only where its
            code, weights or settings have changed.
        at_once: Number of methods that are measured at a time; more than one takes less time and
            makes each method's time less exact.

    Returns:
        Columns `COLUMNS`, one row for each job.
    """
    cpu = str(environment.environment()["cpu"])
    keyed_jobs = [(job, _key(job, cpu, at_once)) for job in work]
    dark = dark_picture()
    missing = [(job, key) for job, key in keyed_jobs if key not in journal.done]
    with ThreadPoolExecutor(at_once) as threads:
        measured = threads.map(lambda entry: costs.measure(entry[0], dark), missing)
        for (_, key), cost in zip(
            missing, tqdm(measured, "costs", len(missing), unit="method"), strict=True
        ):
            journal.add(key, list(cost))
    rows = []
    for job, key in keyed_jobs:
        plugin = methods.find(job.method)
        cost = costs.Cost(*journal.done[key])
        chosen = ", ".join(f"{name} {value}" for name, value in _settings(job).items())
        named = {"name": job.method, "method": plugin.title, "track": job.track, "cpu": cpu}
        order = methods.Chain((job.method,)).order
        rows.append(named | {"order": order, "settings": chosen} | cost._asdict())
    return pd.DataFrame(rows, columns=COLUMNS).round(cells.DECIMALS)


def _settings(job: costs.Job) -> dict[str, Any]:
    chain = methods.Chain.parse(job.method, {job.method: job.settings} if job.settings else {})
    return assemble.settings(chain, job.track, Path(job.trained)).get(job.method, {})


def _key(job: costs.Job, cpu: str, at_once: int) -> str:
    chain = methods.Chain((job.method,))
    code = [code_digest.of(costs.__name__), methods.digest(job.method)]
    hashes = assemble.hashes(chain, job.track, Path(job.trained))
    return digest_values([job.method, code, hashes, _settings(job), job.track, cpu, at_once])


def journal() -> ResultCache:
    """Return what was measured on this machine before."""
    return ResultCache(ROOT / ".cache" / "costs" / "costs.jsonl")


def read(params: Params) -> pd.DataFrame:
    """Return the costs that the stage wrote for a profile.

    Raises:
        InputError: It has not run.
    """
    path = params.results / "costs.csv"
    if not path.is_file():
        raise InputError(f"There are no costs at {path}: run `dvc repro` for this profile first.")
    return pd.read_csv(path, keep_default_na=False)


def chain_costs(
    table: pd.DataFrame, records: Mapping[str, ChainRecord], track: Track
) -> dict[str, Sum]:
    """Return chain -> its cost on one track; chains without all costs are left out.

    Args:
        table: From `measure`.
        records: Chain -> what it is made of.
        track: That of learned methods.
    """
    known = {(row["name"], row["track"]): row for row in table.to_dict("records")}
    sums = {}
    for chain, record in records.items():
        own = record.track_under(track)
        rows = [known.get((s, own)) or known.get((s, "classical")) for s in record.steps]
        if all(rows):
            added = [
                sum(float(row[name]) for row in rows if row)
                for name in ("gmacs", "seconds_per_megapixel")
            ]
            sums[chain] = Sum(*added)
    return sums


def costs_page(table: pd.DataFrame) -> Page:
    """Return the table `costs`."""
    rows = [
        [
            row["method"],
            row["order"],
            row["track"],
            f"{row['parameters']:,}" if row["parameters"] else grid.DASH,
            f"{row['gmacs']:.2f}" if row["gmacs"] else grid.DASH,
            f"{row['seconds_per_megapixel']:.2f}",
            f"{row['peak_mib']:.0f}",
            row["settings"],
        ]
        for row in table.to_dict("records")
    ]
    width, height = costs.SIZE
    cpus = ", ".join(dict.fromkeys(table["cpu"])) or "no machine, as the profile scores no chain"
    caption = (
        f"Cost of each method on one image of {width}×{height} pixels: parameters of the networks "
        "that run, 10⁹ multiply-accumulates of their convolutions and matrix products, seconds of "
        "one processor core a megapixel, and the largest memory of the process, interpreter and "
        f"libraries included. Measured once on {cpus}; a dash: no network runs."
    )
    notes = [
        "Settings other than the published ones stand in the last column: a narrow network is "
        "cheaper than its paper's. A chain costs the sum of its methods. Seconds and memory hold "
        "for this machine alone and are not checked; the others are.",
    ]
    heads = [
        "Method", "Order", "Weights", "Parameters", "GMAC ↓", "s/MP ↓", "Peak MiB ↓", "Settings"
    ]  # fmt: skip
    sheet = Sheet(caption, heads, rows, words=3, notes=notes)
    return page("costs", "Cost of each method", table, [sheet])
