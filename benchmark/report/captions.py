"""Figures of a report with what they show in words."""

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmark.core import jsonfile
from benchmark.core.types import Track
from benchmark.report import training
from benchmark.tables import grid

LEGEND = (
    "A method keeps its colour in every figure; dashes: deblocked first, dash-dots: deblocked "
    "afterwards, dots: deblocked only, thick: MLSM. Panels as in the paper's figures; the dark "
    "input (Identity) and MLSM stand in each."
)

OTHERS: Mapping[str, tuple[str, str]] = {
    "critical_difference": (
        "Average ranks of all methods on a line, with bars over those that cannot be told apart; "
        "the ranks stand as numbers under Statistics",
        "Average ranks over data sets and quality factors, and the critical difference",
    ),
    "quality_cost": (
        "PSNR of every method against what it costs; the costs stand as numbers under Costs",
        "Quality against cost",
    ),
}
"""Start of a figure's name -> alternative text and caption, for figures that come in several."""


class Picture(NamedTuple):
    """A figure.

    Attributes:
        name: Name of its files, without ending.
        folder: Name of the folder they lie in, beside the report.
        png: Content of the PNG file.
        alt: What a reader who cannot see it should know.
        caption: What it shows.
    """

    name: str
    folder: str
    png: bytes
    alt: str
    caption: str

    @property
    def source(self) -> str:
        """The picture as a data URI."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")


def describe_learning(logs: Mapping[str, pd.DataFrame]) -> tuple[str, str]:
    """Return alternative text and caption of the learning curves."""
    psnrs = "; ".join(f"{line.part}: {line.psnr} dB" for line in training.trained(logs))
    return (
        f"Losses and validation PSNR against training step. Validation PSNR: {psnrs}.",
        "Learning curves: loss terms as weighted (left axes) and PSNR on validation crops "
        "(right axes, black) of every trained part.",
    )


def describe_quality(cells: Mapping[str, pd.DataFrame], track: Track) -> tuple[str, str]:
    """Return alternative text and caption of quality against quality factor.

    Args:
        cells: Table -> its cells.
        track: That of learned methods.
    """
    compressed = pd.concat([cells[name] for name in grid.QUALITY[:3]], ignore_index=True)
    chosen = compressed[
        (compressed["protocol"] == "sound")
        & (compressed["metric"] == "PSNR")
        & compressed["track"].isin(["classical", track])
    ]
    best = chosen.loc[chosen.groupby(["dataset", "qf"], sort=False)["value"].idxmax()]
    highest = "; ".join(
        f"{row['dataset']} QF {row['qf']}: {row['method']} {row['value']:.2f} dB"
        for row in best.to_dict("records")
    )
    return (
        f"PSNR and SSIM of every method against the JPEG quality factor. Highest PSNR: {highest}.",
        f"Image quality against the JPEG quality factor, protocol sound, {grid.TRACKS[track]}. "
        f"{LEGEND}",
    )


def describe_faces(cells: pd.DataFrame, qf: int | None, track: Track) -> tuple[str, str]:
    """Return alternative text and caption of the precision-recall curves.

    Args:
        cells: Cells of Table VII.
        qf: Quality factor, None for uncompressed inputs.
        track: That of learned methods.
    """
    inputs = f"QF {qf}" if qf else "uncompressed inputs"
    at_qf = cells["qf"].isna() if qf is None else cells["qf"] == qf
    chosen = cells[at_qf & (cells["metric"] == "mAP@0.5")]
    chosen = chosen[chosen["track"].isin(["classical", track])]
    precisions = "; ".join(
        f"{row['method']} {row['value']:.4f}"
        for row in chosen.sort_values("value", ascending=False).to_dict("records")
    )
    return (
        f"Precision against recall of a face detector at IoU 0.5, {inputs}. "
        f"Average precision: {precisions}.",
        f"Fig. 11: precision and recall on dark faces, {inputs}, IoU 0.5, raw points, "
        f"{grid.TRACKS[track]}. {LEGEND}",
    )


def pictures(folder: Path, described: Iterable[tuple[str, str, str]]) -> list[Picture]:
    """Return the figures of a folder: those described here first, then any other.

    Args:
        folder: Folder of PNG files. A figure that is not in `described` brings its texts in a
            file `<name>.json` with `alt` and `caption`; without it, its name serves.
        described: Name, alternative text and caption, in the order of the report.
    """
    words = {name: (alt, caption) for name, alt, caption in described}
    for path in sorted(folder.glob("*.png")):
        if path.stem not in words:
            words[path.stem] = _own_words(path)
    return [
        Picture(name, folder.name, (folder / f"{name}.png").read_bytes(), alt, caption)
        for name, (alt, caption) in words.items()
    ]


def _own_words(path: Path) -> tuple[str, str]:
    beside = path.with_suffix(".json")
    if beside.is_file():
        words = jsonfile.read(beside)
        return str(words["alt"]), str(words["caption"])
    title = path.stem.replace("_", " ")
    for prefix, (alt, caption) in OTHERS.items():
        if path.stem.startswith(prefix):
            return f"{alt} ({title}).", f"{caption} ({title}). {LEGEND}"
    return f"Figure: {title}. Its numbers stand in the tables of this page.", f"{title}."
