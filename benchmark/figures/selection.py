"""Which test images are shown, and what chains make of them: chosen by rules, never by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmark.core.errors import InputError
from benchmark.core.images import Bytes, luma, read_uint8, to_float, to_uint8
from benchmark.core.params import Params
from benchmark.core.types import Track
from benchmark.data.evaluation import EvaluationInput
from benchmark.scoring import jobs, kept_outputs, metrics, plan

QF = 90
CHAIN = "mlsm"
RULE = "the image whose PSNR with MLSM is the median of its set"
CROP_RULE = "the window where the dark input, brightened by one gain, shows most blocking (BEF)"


class Box(NamedTuple):
    """A window in pixels, from its upper left corner."""

    row: int
    column: int
    height: int
    width: int

    def cut(self, pixels: Bytes) -> Bytes:
        """Return the window of uint8 (H, W, 3)."""
        return pixels[self.row : self.row + self.height, self.column : self.column + self.width]


class Shown(NamedTuple):
    """What a chain makes of a test image; `psnr` in dB and `ssim` are of protocol `sound`."""

    output: Bytes
    psnr: float
    ssim: float


def pick(
    rows: pd.DataFrame, dataset: str, count: int = 1, qf: int | None = QF, chain: str = CHAIN
) -> list[str]:
    """Return images of a test set by a rule: at evenly spaced ranks of a chain's PSNR.

    One is the median (the higher of the two in the middle), three are at a sixth, a half and
    five sixths, worst first.

    Args:
        rows: Result rows, see `benchmark.scoring.results`.
        dataset: Test set.
        count: How many images.
        qf: Quality factor of the dark input, None for uncompressed ones.
        chain: Chain whose PSNR ranks the images, in protocol `sound`, on its first track.

    Raises:
        InputError: There are fewer than `count` images.
    """
    at_qf = rows["qf"].isna() if qf is None else rows["qf"] == qf
    chosen = rows[
        (rows["dataset"] == dataset)
        & at_qf.fillna(False)
        & (rows["chain"] == chain)
        & (rows["metric"] == "psnr")
        & (rows["protocol"] == "sound")
    ]
    chosen = chosen[chosen["track"] == chosen["track"].min()] if len(chosen) else chosen
    ranked = chosen.sort_values(["value", "image"])["image"].tolist()
    if len(ranked) < count:
        raise InputError(
            f"{dataset} has {len(ranked)} images scored with {chain} at QF {qf}, expected "
            f"{count} at least: score the chain first."
        )
    return [str(ranked[(2 * place + 1) * len(ranked) // (2 * count)]) for place in range(count)]


def planned(params: Params, chain: str, qf: int | None = QF) -> dict[tuple[str, str], jobs.Job]:
    """Return (test set, image) -> job that runs a chain on it, with the first weights it has here.

    Retrained weights come before released ones. Empty where the chain has no weights at all.
    """
    listed = plan.planned(params, chain, "scores")
    preferred: Sequence[Track] = ("classical", "retrained", "released")
    first = next((listed[track] for track in preferred if track in listed), [])
    return {(job.case.dataset, job.case.image): job for job in first if job.case.qf == qf}


def inputs(case: EvaluationInput) -> tuple[Bytes, Bytes]:
    """Return a test input as every method decodes it, and its reference.

    Raises:
        InputError: The image has no reference.
    """
    if case.reference is None:
        raise InputError(f"{case.input} has no reference: only images of pairs can be shown.")
    return read_uint8(case.input), read_uint8(case.reference)


def run(job: jobs.Job, kept: Path) -> Shown:
    """Run a chain on a test image, if its output is not kept, and measure the output.

    Args:
        job: The chain and the image.
        kept: From `kept_outputs.folder`.
    """
    _, reference = inputs(job.case)
    output = kept_outputs.output(job, kept)
    return Shown(output, *measured(output, reference))


def measured(output: Bytes, reference: Bytes) -> tuple[float, float]:
    """Return PSNR in dB and SSIM of protocol `sound`."""
    values = metrics.measure(output, reference, "sound")
    return values["psnr"], values["ssim"]


def brightened(dark: Bytes) -> Bytes:
    """Multiply a dark image by the one gain that takes its mean to a quarter of the range.

    That shows what a dark image holds, blocks included, without a method's choices.
    """
    image = to_float(dark)
    gain = 0.25 / max(float(image.mean()), 1 / 255)
    return to_uint8(np.minimum(image * np.float32(max(gain, 1.0)), np.float32(1.0)))


def most_blocking(dark: Bytes, side: int) -> Box:
    """Return the window where the brightened dark image has the largest blocking effect factor.

    Args:
        dark: Decoded JPEG, uint8 (H, W, 3), with the grid of its blocks at the upper left.
        side: Height and width of the window, at most those of the image; windows start at every
            second block.
    """
    height, width = (min(side, length) for length in dark.shape[:2])
    grey = luma(brightened(dark))
    step = 2 * metrics.BLOCK
    boxes = [
        Box(row, column, height, width)
        for row in range(0, dark.shape[0] - height + 1, step)
        for column in range(0, dark.shape[1] - width + 1, step)
    ]

    def blocking(box: Box) -> float:
        window = grey[box.row : box.row + box.height, box.column : box.column + box.width]
        return metrics.blocking_effect_factor(window)

    return max(boxes, key=blocking)
