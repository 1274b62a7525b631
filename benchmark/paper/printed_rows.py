"""Which weights, settings and ways of storing an output give the paper's printed rows on LOL.

Every candidate runs on the 15 compressed test images under protocol `paper`, and its nine or twelve
numbers stand beside the printed ones. A row that agrees to the last digit tells what the authors
ran; a row that nothing reproduces is reported as unexplained. This identifies a printed row and
chooses nothing: the suite's defaults are the published ones whatever comes out here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmark import methods
from benchmark.core import jpeg, parallel, reported
from benchmark.core.errors import InputError
from benchmark.core.images import Bytes, read_uint8, to_float
from benchmark.core.types import Writer
from benchmark.data import registry
from benchmark.methods import assemble
from benchmark.scoring import metrics

METRICS: Mapping[str, tuple[str, int]] = {
    "PSNR": ("psnr", 2),
    "SSIM": ("ssim", 4),
    "PSNR-B": ("psnr_b", 2),
}
"""Printed metric -> ours, decimals printed."""
QFS = (90, 80, 70, 60)


@dataclass(frozen=True)
class Candidate:
    """One way in which a printed row may have been made.

    Attributes:
        method: Name of the method.
        writers: Ways of storing its output that are tried.
        release: Name of the authors' weights, or "" for a method without weights.
        settings: Settings of a method without weights, where they are not the published ones.
    """

    method: str
    writers: tuple[Writer, ...]
    release: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The candidate in words."""
        chosen = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        return self.release or chosen or "published settings"


CANDIDATES = (
    Candidate("ruas", ("truncate", "round", "jpeg75"), "lol"),
    Candidate("ruas", ("truncate",), "upe"),
    Candidate("ruas", ("truncate",), "dark"),
    Candidate("zero_dce", ("jpeg75", "round", "truncate"), "Epoch99"),
    Candidate("retinexnet", ("truncate", "round", "jpeg75"), "port"),
    Candidate("lime", ("round", "truncate", "jpeg75")),
    Candidate("lime", ("round", "jpeg75"), settings={"gamma": 0.75}),
    Candidate("lime", ("round",), settings={"gamma": 0.7}),
    Candidate("lime", ("round",), settings={"alpha": 0.03}),
    Candidate("lime", ("round",), settings={"sigma": 3.0}),
)


class _Job(NamedTuple):
    candidate: Candidate
    qf: int
    dark: Path
    normal: Path


def measure(root: Sequence[Path], jobs: int = 1) -> pd.DataFrame:
    """Run every candidate whose weights are here.

    Args:
        root: Folders of raw sets (`registry.raw_roots`).
        jobs: Number of processes.

    Returns:
        One row for each candidate, writer and quality factor: method, tried, writes, qf, the three
        metrics as text with as many decimals as the paper prints, and `equal`: how many of the
        three are those printed.

    Raises:
        InputError: LOL is not there.
    """
    pairs = [pair for pair in registry.read("LOL", root) if pair.split == "test"]
    work = [
        _Job(candidate, qf, pair.dark, pair.normal)
        for candidate in CANDIDATES
        if not candidate.release or _release(candidate) is not None
        for qf in QFS
        for pair in pairs
        if pair.dark and pair.normal
    ]
    rows = []
    for job, by_writer in zip(
        work, parallel.map_parallel(_measure, work, jobs, "candidates"), strict=True
    ):
        named = {"method": job.candidate.method, "tried": job.candidate.label, "qf": job.qf}
        rows += [named | {"writes": writer} | values for writer, values in by_writer.items()]
    keys = ["method", "tried", "writes", "qf"]
    means = pd.DataFrame(rows).groupby(keys, sort=False).mean().reset_index()
    return _beside(means)


def _release(candidate: Candidate) -> methods.Released | None:
    """Return the weights of a candidate if all their files are here."""
    for released in methods.find(candidate.method).released:
        if released.name == candidate.release:
            present = all(assemble.find_released(file) for file in released.files)
            return released if present else None
    raise InputError(f"Method {candidate.method} has no released weights {candidate.release!r}.")


def _measure(job: _Job) -> dict[str, dict[str, float]]:
    """Return writer -> metric -> value of one image; one run serves all writers."""
    plugin, released = methods.find(job.candidate.method), None
    if job.candidate.release:
        released = _release(job.candidate)
    if released is None:
        method = plugin.build(**job.candidate.settings)
    else:
        method = plugin.build(assemble.read_released(released), **released.settings)
    pixels = jpeg.compress(read_uint8(job.dark), job.qf)
    output, reference = method(to_float(pixels)), read_uint8(job.normal)
    return {
        writer: _values(methods.save(output, writer), reference) for writer in job.candidate.writers
    }


def _values(output: Bytes, reference: Bytes) -> dict[str, float]:
    values = metrics.measure(output, reference, "paper")
    return {printed: float(values[ours]) for printed, (ours, _) in METRICS.items()}


def _beside(means: pd.DataFrame) -> pd.DataFrame:
    """Return printed texts of the means and how many equal the paper's."""
    rows = []
    for row in means.to_dict("records"):
        texts = {m: f"{row[m]:.{decimals}f}" for m, (_, decimals) in METRICS.items()}
        theirs = printed(str(row["method"]), int(row["qf"]))
        equal = sum(np.isclose(float(texts[m]), float(theirs[m]), atol=1e-9) for m in METRICS)
        rows.append({key: row[key] for key in ("method", "tried", "writes", "qf")} | texts)
        rows[-1]["equal"] = int(equal)
    return pd.DataFrame(rows)


def printed(method: str, qf: int) -> dict[str, str]:
    """Return metric -> the number the paper prints of a method on LOL."""
    numbers = reported.reported()
    chosen = numbers[
        (numbers["method"] == methods.find(method).title)
        & (numbers["order"] == "enhance")
        & (numbers["dataset"] == "LOL")
        & (numbers["qf"] == qf)
        & numbers["table"].isin(["III", "IV"])
    ]
    return dict(zip(chosen["metric"], chosen["printed"], strict=True))


def verdicts(measured: pd.DataFrame) -> Iterator[str]:
    """Yield a sentence for each method: its closest candidate, and what stays unexplained."""
    for method, rows in measured.groupby("method", sort=False):
        totals = rows.groupby(["tried", "writes"], sort=False)["equal"].sum()
        tried, writes = _key(totals.idxmax())
        best = rows[(rows["tried"] == tried) & (rows["writes"] == writes)]
        exact = [str(qf) for qf in best[best["equal"] == len(METRICS)]["qf"]]
        title = methods.find(str(method)).title
        if not exact:
            yield (
                f"{title}: none of {len(totals)} candidates gives a printed row; the closest is "
                f"{_closest(str(method), rows)}."
            )
            continue
        left = [str(qf) for qf in QFS if str(qf) not in exact]
        rest = f"; the row at QF {', '.join(left)} is another run" if left else ""
        yield (
            f"{title}: {tried}, output stored as `{writes}`, gives {totals.max()} of "
            f"{len(QFS) * len(METRICS)} printed numbers to the last digit{rest}."
        )


def _key(label: Any) -> tuple[str, str]:
    """Return what was tried and how it was stored, from a row's label."""
    tried, writes = label
    return str(tried), str(writes)


def _closest(method: str, rows: pd.DataFrame) -> str:
    theirs = {qf: float(printed(method, qf)["PSNR"]) for qf in QFS}
    apart = (rows["PSNR"].astype(float) - rows["qf"].map(theirs)).abs()
    worst = apart.groupby([rows["tried"], rows["writes"]], sort=False).max()
    tried, writes = _key(worst.idxmin())
    return f"{tried}, stored as `{writes}`, at most {worst.min():.2f} dB away"
