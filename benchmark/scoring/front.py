"""Interface for notebooks: load methods with weights, enhance, score, read results.

The package `benchmark` exports these functions, and loads what they need at their first use:

    import benchmark

    brighten = benchmark.load_method("mlsm")
    output = benchmark.enhance(image)
    benchmark.score(output, reference)
    benchmark.results("lol")
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from benchmark import ROOT
from benchmark.core.errors import InputError
from benchmark.core.images import Bytes, Image, to_float, to_uint8
from benchmark.core.params import load, profile_path
from benchmark.core.types import Protocol, Track
from benchmark.methods import Chain, MethodContext, assemble, run
from benchmark.scoring import metrics
from benchmark.scoring.results import read

Pixels: TypeAlias = Image | Bytes


def load_method(
    chain: str = "mlsm", track: Track = "retrained", weights: str = "lol"
) -> Callable[[Pixels], Image]:
    """Return a method, or a chain of methods, ready to run.

    Args:
        chain: Methods, left to right, such as `mlsm` or `qgcn+zero_dce`; between them 8 bits are
            stored, as files on disk would.
        track: Track of the weights, `retrained` (trained by this suite) or `released` (by the
            authors); ignored by chains without weights.
        weights: Name of the profile that trained the weights.

    Returns:
        A function of an image, float32 (H, W, 3) in [0, 1] or uint8, sRGB, that returns a brighter
        one as float32 in [0, 1], whose values are those of 8 bits.

    Raises:
        InputError: There is no such method, or its weights are absent.

    Example:
        >>> import numpy as np
        >>> brighten = load_method("gamma")
        >>> float(brighten(np.full((8, 8, 3), 0.04, np.float32)).mean()) > 0.2
        True
    """
    steps = assemble.assemble(Chain.parse(chain), track, ROOT / "weights" / weights)

    def method(image: Pixels) -> Image:
        return to_float(run(steps, _bytes(image), "sound", MethodContext()))

    return method


def enhance(
    image: Pixels, chain: str = "mlsm", track: Track = "retrained", weights: str = "lol"
) -> Image:
    """Brighten and deblock an image.

    Args:
        image: (H, W, 3), sRGB, as float32 in [0, 1] or uint8.
        chain: As in `load_method`.
        track: As in `load_method`.
        weights: As in `load_method`.

    Returns:
        float32 (H, W, 3), sRGB, [0, 1].

    Raises:
        InputError: There is no such method, its weights are absent, or this is not an image.

    Example:
        >>> import numpy as np
        >>> enhance(np.full((8, 8, 3), 10, np.uint8), "gamma").shape
        (8, 8, 3)
    """
    return load_method(chain, track, weights)(image)


def score(output: Pixels, reference: Pixels, protocol: Protocol = "sound") -> dict[str, float]:
    """Compute metric -> value of an output against its normal-light reference.

    Args:
        output: (H, W, 3), sRGB, as float32 in [0, 1] or uint8; it is rounded to 8 bits.
        reference: Normal-light image of the same size, likewise.
        protocol: `sound`, the suite's own, or `paper`, as the paper's authors computed.

    Raises:
        InputError: The sizes differ, or an argument is not an image.

    Example:
        >>> import numpy as np
        >>> dark = np.full((16, 16, 3), 100, np.uint8)
        >>> round(score(dark, dark + 10)["psnr"], 2)
        28.13
    """
    ours, theirs = _bytes(output), _bytes(reference)
    if ours.shape != theirs.shape:
        raise InputError(
            f"The output is {ours.shape} and the reference {theirs.shape}, expected one size: crop "
            "them to it."
        )
    return metrics.measure(ours, theirs, protocol)


def results(profile: str = "lol") -> pd.DataFrame:
    """Return the committed result rows of a profile, one number per row.

    Args:
        profile: `demo`, `lol` or another profile with committed results.

    Returns:
        Columns profile, dataset, image, qf (<NA> for uncompressed inputs), chain, track, metric,
        protocol and value.

    Raises:
        InputError: There is no such profile, or it has no rows.

    Example:
        >>> rows = results("demo")
        >>> sorted(rows["protocol"].unique())
        ['paper', 'sound']
    """
    path = load(profile_path(profile)).results / "rows.parquet"
    if not path.is_file():
        raise InputError(
            f"There are no rows at {path}: run `dvc repro` for the profile {profile} first."
        )
    return read(path)


def _bytes(image: Pixels) -> Bytes:
    """Convert an image to uint8 (H, W, 3)."""
    whole: np.ndarray[Any, Any] = np.asarray(image)
    eight_bits = whole.dtype == np.uint8
    if whole.ndim != 3 or whole.shape[2] != 3 or not (eight_bits or whole.dtype.kind == "f"):
        raise InputError(
            f"An image of shape {whole.shape} and type {whole.dtype} was given, expected (H, W, 3) "
            "as float32 in [0, 1] or uint8."
        )
    if eight_bits:
        return whole
    return to_uint8(np.clip(whole.astype(np.float32), 0.0, 1.0))
