import numpy as np
import pytest

from benchmark.statistics import mean_interval


def test_the_value_is_the_mean_and_lies_inside_its_interval() -> None:
    values = np.random.default_rng(0).normal(20.0, 3.0, 40)
    mean = mean_interval(values, seed=1)
    assert mean.value == pytest.approx(values.mean())
    assert mean.low < mean.value < mean.high
    assert (mean.n, mean.infinite) == (40, 0)


def test_one_seed_gives_one_interval_and_another_seed_another() -> None:
    values = np.random.default_rng(9).normal(size=12)
    assert mean_interval(values, seed=3) == mean_interval(values, seed=3)
    assert mean_interval(values, seed=3).low != mean_interval(values, seed=4).low


def test_the_interval_is_as_wide_as_the_normal_one_on_many_normal_values() -> None:
    values = np.random.default_rng(5).normal(0.0, 1.0, 400)
    mean = mean_interval(values, seed=0, draws=4000)
    half = 1.96 * values.std() / np.sqrt(400)
    assert mean.high - mean.value == pytest.approx(half, rel=0.08)
    assert mean.value - mean.low == pytest.approx(half, rel=0.08)


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(11)
    samples = random.exponential(1.0, (300, 60))
    intervals = [mean_interval(sample, seed=0, draws=400) for sample in samples]
    covered = np.mean([m.low <= 1.0 <= m.high for m in intervals])
    assert 0.88 < covered < 0.98


def test_a_wider_level_gives_a_wider_interval() -> None:
    values = np.random.default_rng(2).normal(size=30)
    narrow, wide = (mean_interval(values, seed=0, level=level) for level in (0.5, 0.99))
    assert wide.low < narrow.low
    assert narrow.high < wide.high


def test_one_image_has_an_interval_of_no_width() -> None:
    assert mean_interval([17.5], seed=0) == (17.5, 17.5, 17.5, 1, 0)


def test_infinite_values_are_left_out_and_counted() -> None:
    mean = mean_interval([10.0, np.inf, 20.0], seed=0)
    assert (mean.value, mean.n, mean.infinite) == (15.0, 2, 1)
    assert np.isfinite([mean.low, mean.high]).all()


def test_only_infinite_values_have_an_infinite_mean_of_no_image() -> None:
    assert mean_interval([np.inf, np.inf], seed=0) == (np.inf, np.inf, np.inf, 0, 2)


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [-np.inf, 1.0]])
def test_values_without_a_mean_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="must be a non-empty vector"):
        mean_interval(values, seed=0)


@pytest.mark.parametrize(("draws", "level"), [(0, 0.95), (10, 1.0)])
def test_draws_and_level_out_of_range_are_refused(draws: int, level: float) -> None:
    with pytest.raises(ValueError, match="must be at least 1 and within"):
        mean_interval([1.0], seed=0, draws=draws, level=level)
