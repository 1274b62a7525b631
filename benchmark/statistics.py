"""Means over test images with seeded bootstrap intervals."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

LEVEL = 0.95
"""Probability that an interval should cover."""


class Mean(NamedTuple):
    """A mean over images with its interval.

    Attributes:
        value: Over the finite values; infinite where there is none.
        low: Lower end of the interval.
        high: Upper end.
        n: How many images entered the mean.
        infinite: How many did not, because their value (a PSNR) is infinite.
    """

    value: float
    low: float
    high: float
    n: int
    infinite: int


def mean_interval(values: ArrayLike, seed: int, draws: int = 2000, level: float = LEVEL) -> Mean:
    """Return the mean of one number an image, and its bootstrap percentile interval.

    Images are drawn with replacement (Efron 1979, "Bootstrap methods: another look at the
    jackknife"). One seed draws the same images for every method that has the same number of them,
    so methods stay comparable draw by draw. One image has an interval of no width.

    Args:
        values: (n,) at least one, finite or +inf; +inf is left out and counted.
        seed: Of the draws.
        draws: Resamples, at least 1.
        level: Probability that the interval should cover, (0, 1).

    Raises:
        ValueError: There is no value, one is NaN or -inf, or `draws` or `level` is out of range.
    """
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 1 or not len(given) or np.isnan(given).any() or (given == -np.inf).any():
        raise ValueError(
            "Argument `values` must be a non-empty vector without NaN and -inf, but got "
            f"{given.shape} values with minimum {given.min() if given.size else 'none'}."
        )
    if draws < 1 or not 0.0 < level < 1.0:
        raise ValueError(
            "Arguments `draws` and `level` must be at least 1 and within (0, 1), but got "
            f"{draws} and {level}."
        )
    finite = given[np.isfinite(given)]
    infinite = len(given) - len(finite)
    if not len(finite):
        return Mean(np.inf, np.inf, np.inf, 0, infinite)
    drawn = np.random.default_rng(seed).integers(len(finite), size=(draws, len(finite)))
    means = finite[drawn].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Mean(float(finite.mean()), float(low), float(high), len(finite), infinite)
