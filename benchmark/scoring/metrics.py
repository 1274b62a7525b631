"""PSNR, SSIM, PSNR-B and blocking effect factor under two exactly defined protocols.

Protocol `paper` reproduces the printed values of the tables of arXiv:2403.07622 to their last
digit, including their flaws. Protocol `sound` is the basis of our own conclusions.

| metric   | `paper`                                | `sound`                                 |
|----------|----------------------------------------|-----------------------------------------|
| psnr     | RGB, one MSE over the three channels   | the same                                |
| ssim     | grey, rounded to 8 bits                | grey, not rounded                       |
| psnr_b   | blue alone, uint8 overflow (sewar)     | grey, Yim and Bovik's definition        |
| ssim_rgb |                                        | mean over the three channels            |
| bef      |                                        | blocking effect factor of the output    |

All metrics take uint8 (H, W, 3) RGB arrays; the first is the output, the second the reference. psnr
and ssim are symmetric; psnr_b and bef measure blocks only in the output.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.core.errors import InputError
from benchmark.core.images import Bytes

Channel: TypeAlias = NDArray[np.float64]
"""float64 (H, W), 0..255."""

PEAK = 255.0
BLOCK = 8
"""Side of a JPEG block in pixels; the grid starts at the top left pixel."""

_SIDE = 11  # of the SSIM window, pixels
_STRIP = 24  # window positions computed together; fastest on 600 x 400 pixels
_C1 = (0.01 * PEAK) ** 2
_C2 = (0.03 * PEAK) ** 2


def _sliding_window() -> Channel:
    """Return (24, 34): row i contains the Gaussian weights (sigma 1.5) at position i."""
    distance = np.arange(_SIDE) - _SIDE // 2
    weights = np.exp(-(distance**2) / (2 * 1.5**2))
    band = np.zeros((_STRIP, _STRIP + _SIDE - 1))
    for position in range(_STRIP):
        band[position, position : position + _SIDE] = weights / weights.sum()
    return band


_WINDOW = _sliding_window()


@dataclass(frozen=True)
class _Comparison:
    """An output and its reference, with the intermediate results that several metrics share.

    Raises:
        ValueError: One of the images is not uint8 (H, W, 3).
        InputError: Their sizes differ.
    """

    output: Bytes
    reference: Bytes

    def __post_init__(self) -> None:
        for name, pixels in (("output", self.output), ("reference", self.reference)):
            is_rgb = pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.size > 0
            if pixels.dtype != np.uint8 or not is_rgb:
                raise ValueError(
                    f"Argument `{name}` must be uint8 of shape (H, W, 3) and not empty, "
                    f"but got {pixels.dtype} of shape {pixels.shape}."
                )
        if self.output.shape != self.reference.shape:
            raise InputError(
                f"Argument `output` must have the reference's height and width "
                f"{self.reference.shape[:2]}, but got {self.output.shape[:2]}: "
                f"compare images of one scene without resizing them."
            )

    @cached_property
    def grey(self) -> tuple[Channel, Channel]:
        """Grey images of output and reference, not rounded."""
        return _grey_thousandths(self.output) / 1000, _grey_thousandths(self.reference) / 1000

    @cached_property
    def grey_rounded(self) -> tuple[Channel, Channel]:
        """Grey images of output and reference, rounded to whole numbers with halves up."""
        output = (_grey_thousandths(self.output) + 500) // 1000
        reference = (_grey_thousandths(self.reference) + 500) // 1000
        return output.astype(np.float64), reference.astype(np.float64)

    @cached_property
    def bef(self) -> float:
        """Blocking effect factor of the output's grey image."""
        return blocking_effect_factor(self.grey[0])


def _require_side(channel: Channel | Bytes, pixels: int, metric: str) -> None:
    height, width = channel.shape
    if min(height, width) < pixels:
        raise InputError(
            f"Argument `output` must be at least {pixels} x {pixels} pixels for {metric}, "
            f"but got {height} x {width}: leave the image out."
        )


def _grey_thousandths(pixels: Bytes) -> NDArray[np.int32]:
    """Return 299 R + 587 G + 114 B, whole numbers whose rounding does not depend on the machine."""
    red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
    return 299 * red + 587 * green + 114 * blue


def _decibels(mean_squared_error: float, peak: float = PEAK) -> float:
    """Return 10 log10(peak^2 / error); infinity where the error is 0."""
    if mean_squared_error == 0:
        return math.inf
    return 10 * math.log10(peak**2 / mean_squared_error)


def _psnr(images: _Comparison) -> float:
    """Compute the PSNR in dB from one MSE over all pixels and the three channels."""
    difference = images.output.astype(np.int32) - images.reference
    return _decibels(float(np.sum(difference**2, dtype=np.int64)) / difference.size)


def ssim(output: Channel, reference: Channel) -> float:
    """Compute the mean structural similarity of two channels.

    Gaussian window of 11 x 11 pixels with sigma 1.5, K1 = 0.01, K2 = 0.03, peak 255, population
    covariance, mean over the positions where the window lies inside the image.

    Args:
        output: float64 (H, W), 0..255.
        reference: The same.

    Returns:
        -1..1, 1 where the channels are equal.

    Raises:
        InputError: H or W is less than 11.

    Source: Wang et al., IEEE TIP 13(4), 2004, Eq. 13.
    """
    _require_side(output, _SIDE, "SSIM")
    rows = output.shape[0] - _SIDE + 1
    total, count = 0.0, 0
    for start in range(0, rows, _STRIP):  # strips of rows, so that all of it stays in the cache
        strip = slice(start, min(start + _STRIP, rows) + _SIDE - 1)
        similarity = _similarity(output[strip], reference[strip])
        total += float(similarity.sum())
        count += similarity.size
    return total / count


def _similarity(output: Channel, reference: Channel) -> Channel:
    """Return the SSIM map (H - 10, W - 10) of a strip (H, W) of at most 34 rows."""
    maps = np.stack([output, reference, output * reference, output**2 + reference**2])
    mean_output, mean_reference, mean_product, mean_squares = _average(maps)
    product = mean_output * mean_reference
    squares = mean_output**2 + mean_reference**2
    covariance = mean_product - product
    variances = mean_squares - squares  # of both together: the formula needs only their sum
    similarity: Channel = (2 * product + _C1) * (2 * covariance + _C2)
    similarity /= (squares + _C1) * (variances + _C2)
    return similarity


def _average(maps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average (M, H, W) under the window, H at most 34: (M, H - 10, W - 10).

    Products with a band matrix take half the time of a sliding filter.
    """
    count, height, width = maps.shape
    rows, columns = height - _SIDE + 1, width - _SIDE + 1
    vertical = np.matmul(_WINDOW[:rows, :height], maps).reshape(count * rows, width)
    averages = np.empty((count * rows, columns))
    for start in range(0, columns, _STRIP):
        stop = min(start + _STRIP, columns)
        window = _WINDOW[: stop - start, : stop - start + _SIDE - 1]
        np.matmul(vertical[:, start : stop + _SIDE - 1], window.T, out=averages[:, start:stop])
    return averages.reshape(count, rows, columns)


def _ssim_rgb(images: _Comparison) -> float:
    output, reference = (
        np.moveaxis(pixels, 2, 0).astype(np.float64, order="C")
        for pixels in (images.output, images.reference)
    )
    return math.fsum(map(ssim, output, reference)) / 3


def blocking_effect_factor(output: Channel) -> float:
    """Compute the blocking effect factor (BEF) of a channel.

    The BEF is the mean squared difference of neighbours across block boundaries minus that of
    neighbours inside blocks, times log2(8) / log2(min(H, W)), or 0 if that is negative. Horizontal
    and vertical neighbours are pooled, and the pairs are those that exist in the array, even if H
    or W is not a multiple of 8.

    Args:
        output: float64 (H, W), 0..255, with blocks of 8 x 8 pixels that start at the top left.

    Raises:
        InputError: H or W is less than 8.

    Source: Yim and Bovik, IEEE TIP 20(1), 2011.
    """
    _require_side(output, BLOCK, "the blocking effect factor")
    height, width = output.shape
    pairs_across = height * ((width - 1) // BLOCK) + width * ((height - 1) // BLOCK)
    return _excess(output, pairs_across) if pairs_across else 0.0


def _excess(channel: Channel | Bytes, pairs_across: float) -> float:
    """Return the BEF, given the number of neighbours that count as across a block boundary."""
    height, width = channel.shape
    across, inside = _squared_differences(channel)
    pairs_inside: float = height * (width - 1) + width * (height - 1) - pairs_across
    excess = max(across / pairs_across - inside / pairs_inside, 0.0)
    return excess * math.log2(BLOCK) / math.log2(min(height, width))


def _squared_differences(channel: Channel | Bytes) -> tuple[float, float]:
    """Sum the squared differences of neighbours: (across block boundaries, inside blocks).

    Differences and squares are computed in the channel's own type, so uint8 wraps modulo 256.
    """
    across, inside = 0.0, 0.0
    for plane in (channel, channel.T):
        squares = np.square(plane[:, 1:] - plane[:, :-1])
        columns = squares.sum(axis=0, dtype=np.float64)
        across += float(columns[BLOCK - 1 :: BLOCK].sum())
        columns[BLOCK - 1 :: BLOCK] = 0
        inside += float(columns.sum())
    return across, inside


def _psnr_b(images: _Comparison) -> float:
    """Compute the PSNR in dB with the blocking effect factor added to the grey MSE.

    Source: Yim and Bovik, IEEE TIP 20(1), 2011.
    """
    output, reference = images.grey
    return _decibels(float(np.mean((output - reference) ** 2)) + images.bef)


def _psnr_b_of_sewar(images: _Comparison) -> float:
    """Compute what `sewar` 0.4.5 returns as PSNR-B for images that OpenCV has read.

    It uses the first of three channels as luma, and OpenCV's first channel is blue. It subtracts
    and squares neighbours as uint8, so both operations wrap; it counts H (W / 8) - 1 and
    W (H / 8) - 1 pairs across block boundaries; and it uses a peak of 1 if no output pixel is
    above 2. The result does not measure blocking; it is implemented because the paper's PSNR-B
    column contains it.
    """
    blue = np.ascontiguousarray(images.output[..., 2])
    _require_side(blue, BLOCK, "PSNR-B")
    difference = blue.astype(np.float64) - images.reference[..., 2]
    height, width = blue.shape
    pairs_across = height * (width / BLOCK) - 1 + width * (height / BLOCK) - 1
    error = float(np.mean(difference**2)) + _excess(blue, pairs_across)
    return _decibels(error, peak=PEAK if blue.max() > 2 else 1.0)


_FORMULAS: Mapping[tuple[str, str], Callable[[_Comparison], float]] = MappingProxyType(
    {
        ("paper", "psnr"): _psnr,
        ("paper", "ssim"): lambda images: ssim(*images.grey_rounded),
        ("paper", "psnr_b"): _psnr_b_of_sewar,
        ("sound", "psnr"): _psnr,
        ("sound", "ssim"): lambda images: ssim(*images.grey),
        ("sound", "psnr_b"): _psnr_b,
        ("sound", "ssim_rgb"): _ssim_rgb,
        ("sound", "bef"): lambda images: images.bef,
    }
)


def _compute(key: tuple[str, str], output: Bytes, reference: Bytes) -> float:
    return _FORMULAS[key](_Comparison(output, reference))


METRICS: Mapping[tuple[str, str], Callable[[Bytes, Bytes], float]] = MappingProxyType(
    {key: partial(_compute, key) for key in _FORMULAS}
)
"""(protocol, metric) -> function of output and reference, both uint8 (H, W, 3) RGB.

The functions raise ValueError for arrays of another type or shape, and InputError if the sizes
differ or a side is below 11 pixels for SSIM, or below 8 pixels for PSNR-B and the BEF.
"""


def measure(output: Bytes, reference: Bytes, protocol: str) -> dict[str, float]:
    """Compute all metrics of a protocol, with the same results as `METRICS` but shared work.

    Args:
        output: uint8 (H, W, 3), RGB, H and W at least 11.
        reference: The same, of the same height and width.
        protocol: "paper" or "sound".

    Returns:
        Metric -> value. psnr and psnr_b are in dB, and infinite for equal images.

    Raises:
        ValueError: An array is not uint8 (H, W, 3).
        InputError: The sizes differ, an image is too small, or there is no such protocol.
    """
    names = [metric for known, metric in _FORMULAS if known == protocol]
    if not names:
        protocols = sorted({known for known, _ in _FORMULAS})
        raise InputError(f"Argument `protocol` must be one of {protocols}, but got {protocol!r}.")
    images = _Comparison(output, reference)
    return {name: _FORMULAS[protocol, name](images) for name in names}
