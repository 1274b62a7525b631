"""Statistics for few test images: bootstrap intervals, paired tests, average ranks.

Sources: bootstrap intervals, Efron 1979; signed ranks, Wilcoxon 1945; correction for multiple
tests, Holm 1979; ranks over many data sets, Demsar 2006 ("Statistical comparisons of classifiers
over multiple data sets", JMLR 7).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95
"""Coverage probability of an interval."""
LEAST_PAIRS = 6
"""Fewest pairs with which Wilcoxon's two-sided test can reject at 5 %: 2 / 2^6 = 0.031."""
FEW_PAIRS = 30
"""Number of images below which readers are warned."""


class Interval(NamedTuple):
    """A bootstrap percentile interval."""

    low: float
    high: float


class Mean(NamedTuple):
    """A mean over images with its confidence interval.

    Attributes:
        value: Mean of the finite values; infinite if there are none.
        low: Lower end of the interval.
        high: Upper end.
        n: Number of images in the mean.
        infinite: Number of images left out because their value (a PSNR) is infinite.
    """

    value: float
    low: float
    high: float
    n: int
    infinite: int


def resamples(images: int, seed: int, draws: int) -> NDArray[np.int64]:
    """Draw images with replacement, for bootstrap intervals.

    Source: Efron 1979, "Bootstrap methods: another look at the jackknife". A seed draws the same
    images for all methods with the same number of images, so that methods can be compared draw by
    draw.

    Args:
        images: Number of images, at least 1.
        seed: Seed of the draws.
        draws: Number of resamples.

    Returns:
        (draws, images) positions of the drawn images.
    """
    return np.random.default_rng(seed).integers(images, size=(draws, images))


def percentile_interval(values: ArrayLike, level: float = LEVEL) -> Interval:
    """Return the interval that contains the middle `level` of resampled values.

    Args:
        values: (n,), one per resample, n at least 1.
        level: Coverage probability of the interval, (0, 1).
    """
    low, high = np.quantile(np.asarray(values), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def mean_interval(values: ArrayLike, seed: int, draws: int = 2000, level: float = LEVEL) -> Mean:
    """Compute the mean of one value per image and its bootstrap percentile interval.

    A single image gives an interval of zero width. `resamples` draws the images.

    Args:
        values: (n,), n at least 1, finite or +inf; infinite values are left out and counted.
        seed: Seed of the draws.
        draws: Number of resamples, at least 1.
        level: Coverage probability of the interval, (0, 1).

    Raises:
        ValueError: There is no value, one is NaN or -inf, or `draws` or `level` is out of range.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array) or np.isnan(array).any() or (array == -np.inf).any():
        raise ValueError(
            "Argument `values` must be a non-empty vector without NaN and -inf, but got "
            f"{array.shape} values with minimum {array.min() if array.size else 'none'}."
        )
    if draws < 1 or not 0.0 < level < 1.0:
        raise ValueError(
            "Arguments `draws` and `level` must be at least 1 and within (0, 1), but got "
            f"{draws} and {level}."
        )
    finite = array[np.isfinite(array)]
    infinite = len(array) - len(finite)
    if not len(finite):
        return Mean(np.inf, np.inf, np.inf, 0, infinite)
    means = finite[resamples(len(finite), seed, draws)].mean(axis=1)
    low, high = percentile_interval(means, level)
    return Mean(float(finite.mean()), low, high, len(finite), infinite)


def seeded_interval(
    first: ArrayLike, second: ArrayLike, seed: int, draws: int = 2000, level: float = LEVEL
) -> Mean:
    """Compute the mean difference of two methods over seeds and images, and its interval.

    Each draw takes images with replacement, the same ones for both methods, and for each method
    seeds of its training with replacement. With one seed each, this is `mean_interval` of the
    differences. The interval of few seeds is too narrow: three of them say little of their spread.
    Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", Sec. 8.

    Args:
        first: (seeds, images), finite.
        second: (seeds', images), finite; the same images.
        seed: Seed of the draws.
        draws: Number of resamples, at least 1.
        level: Coverage probability of the interval, (0, 1).

    Example:
        >>> seeded_interval([[2.0, 4.0], [4.0, 6.0]], [[1.0, 3.0]], seed=0).value
        2.0
    """
    one, other = (np.atleast_2d(np.asarray(v, dtype=np.float64)) for v in (first, second))
    images = one.shape[1]
    chosen = resamples(images, seed, draws)
    drawn = []
    for index, values in enumerate((one, other)):
        of_seeds = np.random.default_rng([seed, index]).integers(
            len(values), size=(draws, len(values))
        )
        by_image = values[of_seeds].mean(axis=1)  # (draws, images)
        drawn.append(np.take_along_axis(by_image, chosen, axis=1).mean(axis=1))
    low, high = percentile_interval(drawn[0] - drawn[1], level)
    value = float((one.mean(axis=0) - other.mean(axis=0)).mean())
    return Mean(value, low, high, images, 0)


class Friedman(NamedTuple):
    """Result of a Friedman test: whether methods differ, given blocks that rank all of them.

    Attributes:
        ranks: (methods,) average ranks; 1 is best.
        statistic: Friedman's chi-squared, corrected for ties.
        p: p-value of the hypothesis that all methods are alike.
        critical_difference: Average ranks that are further apart differ (Nemenyi test, 5 %).
        blocks: Number of blocks.
    """

    ranks: NDArray[np.float64]
    statistic: float
    p: float
    critical_difference: float
    blocks: int


def signed_ranks(differences: ArrayLike) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test on paired differences.

    The p-value is exact for few pairs without ties. Pairs without a difference are left out; if no
    pair differs, the result is 1.

    Args:
        differences: (n,), n at least 1, finite.
    """
    from scipy import stats

    array = np.asarray(differences, dtype=np.float64)
    kept = array[array != 0.0]
    return float(stats.wilcoxon(kept).pvalue) if len(kept) else 1.0


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust p-values with Holm's step-down method (1979), which controls the family-wise error.

    Rejecting below 5 % makes any false rejection in at most one of 20 families of tests.

    Args:
        p_values: (n,) p-values of one family of tests, [0, 1].
    """
    array = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(array, kind="stable")
    stepped = array[order] * np.arange(len(array), 0, -1)
    corrected = np.empty_like(array)
    corrected[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return corrected


def friedman(scores: ArrayLike, level: float = LEVEL) -> Friedman:
    """Rank methods in every block and compare their average ranks.

    Args:
        scores: (blocks, methods), at least 2 by 3; higher is better, equal scores share a rank.
        level: 1 minus the probability that any difference is found falsely.

    Raises:
        ValueError: There are fewer blocks or methods, or a score is NaN.
    """
    from scipy import stats

    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 2 or array.shape[0] < 2 or array.shape[1] < 3 or np.isnan(array).any():
        raise ValueError(
            "Argument `scores` must be at least 2 blocks by 3 methods without NaN, but got shape "
            f"{array.shape}."
        )
    blocks, methods = array.shape
    ranks = stats.rankdata(-array, axis=1)
    test = stats.friedmanchisquare(*array.T) if np.ptp(ranks) else None
    statistic, p = (float(test.statistic), float(test.pvalue)) if test else (0.0, 1.0)
    quantile = stats.studentized_range.ppf(level, methods, np.inf) / np.sqrt(2)
    apart = float(quantile * np.sqrt(methods * (methods + 1) / (6 * blocks)))
    return Friedman(ranks.mean(axis=0), statistic, p, apart, blocks)


def warning(images: int) -> str:
    """Return a warning about means over this number of images, or an empty string."""
    if images < LEAST_PAIRS:
        return (
            f"With {images} images no paired test can reject at 5 %: differences are listed for "
            "orientation, and nothing here is significant"
        )
    if images < FEW_PAIRS:
        return (
            f"{images} images are few: an interval covers less often than it says, and a "
            "difference that is not significant is not thereby absent"
        )
    return ""
