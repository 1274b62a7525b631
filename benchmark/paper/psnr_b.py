"""A picture in which the paper's kind of PSNR-B prefers blocks, and the sound one does not.

Two degradations of one photograph have nearly the same PSNR: JPEG blocks, and a blue tint without a
block edge. A measure of blocking must rank the tint higher; one that looks at the blue channel
alone ranks it lower. The photographs are those of the demo profile, so anyone can make this.
"""

from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmark.core import images, jpeg
from benchmark.core.images import Bytes
from benchmark.demo import sample_photos
from benchmark.figures import style
from benchmark.paper.consistency import Finding
from benchmark.scoring import metrics

PHOTOGRAPHS = ("coffee", "chelsea", "astronaut")
SIDE_PX = 256
"""Side of the square cut from the middle of a photograph."""
QFS = (10, 20, 30)
MOST_BLUE = 100
"""Levels of blue that are tried."""
SCORES = {
    ("sound", "psnr"): "PSNR (dB)",
    ("sound", "bef"): "blocking effect factor",
    ("sound", "psnr_b"): "sound PSNR-B (dB)",
    ("paper", "psnr_b"): "printed kind of PSNR-B (dB)",
}
"""Protocol and metric -> name in the figure."""
TITLES = {
    "reference": "reference",
    "blocks": "JPEG at QF {qf}: blocks",
    "tint": "more blue: no blocks",
}
FIGURE = "psnr_b"
"""Name of the files, without ending."""


class Case(NamedTuple):
    """One photograph, its two degradations, and their scores.

    Attributes:
        photograph: Its name in `photographs`.
        qf: Quality factor of the blocks.
        reference: uint8 (256, 256, 3).
        outputs: `blocks` and `tint`: the same size.
        scores: (degradation, protocol, metric) -> dB; `bef` in squared levels.
    """

    photograph: str
    qf: int
    reference: Bytes
    outputs: dict[str, Bytes]
    scores: dict[tuple[str, str, str], float]

    @property
    def disagree(self) -> bool:
        """Whether the sound PSNR-B prefers the tint and the paper's kind the blocks."""
        sound, printed = (
            self.scores["tint", protocol, "psnr_b"] - self.scores["blocks", protocol, "psnr_b"]
            for protocol in ("sound", "paper")
        )
        return sound > 0 > printed


def cases() -> list[Case]:
    """Return every photograph at every quality factor."""
    return [_case(name, qf) for name in PHOTOGRAPHS for qf in QFS]


def _case(name: str, qf: int) -> Case:
    whole = images.read_uint8(sample_photos.locate(name))
    top, left = ((side - SIDE_PX) // 2 for side in whole.shape[:2])
    reference = np.ascontiguousarray(whole[top : top + SIDE_PX, left : left + SIDE_PX])
    blocks = jpeg.compress(reference, qf)
    outputs = {"blocks": blocks, "tint": _tinted(reference, blocks)}
    scores = {
        (kind, protocol, metric): metrics.METRICS[protocol, metric](output, reference)
        for kind, output in outputs.items()
        for protocol, metric in SCORES
    }
    return Case(name, qf, reference, outputs, scores)


def _tinted(reference: Bytes, blocks: Bytes) -> Bytes:
    """Return the reference with as much blue added as gives it the PSNR of the blocks."""
    psnr = metrics.METRICS["sound", "psnr"]
    target = psnr(blocks, reference)
    candidates = [_bluer(reference, levels) for levels in range(1, MOST_BLUE)]
    return min(candidates, key=lambda tinted: abs(psnr(tinted, reference) - target))


def _bluer(pixels: Bytes, levels: int) -> Bytes:
    bluer = pixels.copy()
    bluer[..., 2] = np.minimum(pixels[..., 2].astype(np.int32) + levels, 255)
    return bluer


def findings(numbers: pd.DataFrame) -> list[Finding]:
    """Count the photographs in which the two kinds of PSNR-B disagree.

    Args:
        numbers: Ignored, because no printed number is needed.
    """
    pictures = cases()
    rows = pd.DataFrame(
        [
            {"photograph": case.photograph, "QF": case.qf}
            | {
                f"{name}, {kind}": round(case.scores[kind, protocol, metric], 1)
                for (protocol, metric), name in SCORES.items()
                for kind in case.outputs
            }
            for case in pictures
        ]
    )
    apart = sum(case.disagree for case in pictures)
    return [
        Finding(
            "psnr-b-blind",
            "The printed kind of PSNR-B prefers blocks to a tint that has none",
            "Sec. IV-C and every PSNR-B column",
            f"In {apart} of {len(pictures)} pictures (three photographs at three quality "
            "factors, PSNR equal within 0.3 dB) the sound PSNR-B ranks the image "
            "without blocks higher, the printed kind (blue channel, blocking factor that wraps "
            "modulo 256) the one with blocks. `results/paper/printed_rows.md` shows that this kind "
            "gives the printed numbers.",
            "A higher PSNR-B in the paper's tables says that blue is right, not that blocks are "
            "gone.",
            rows,
            picture=f"{FIGURE}.png",
        )
    ]


def figure(case: Case) -> Figure:
    """Draw the reference, the blocks and the tint side by side with their scores."""
    with matplotlib.rc_context(style.SETTINGS):
        drawn = Figure(figsize=(7.2, 3.1), layout="constrained")
        panels = drawn.subplots(1, 3)
        named = {"reference": case.reference, **case.outputs}
        for axes, (kind, pixels) in zip(panels, named.items(), strict=True):
            axes.imshow(pixels, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            axes.set_title(TITLES[kind].format(qf=case.qf))
            scores = [
                f"{name} {case.scores[kind, protocol, metric]:.1f}"
                for (protocol, metric), name in SCORES.items()
                if kind in case.outputs
            ]
            axes.set_xlabel("\n".join(scores))
    return drawn


def draw(folder: Path) -> None:
    """Write the figure of the photograph whose blocks are strongest, as PNG and PDF."""
    strongest = max(cases(), key=lambda case: case.scores["blocks", "sound", "bef"])
    style.save(figure(strongest), folder, FIGURE, photographs=True)
