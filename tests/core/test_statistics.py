import numpy as np
import pytest
from scipy import stats

from benchmark.core.statistics import friedman, holm, mean_interval, signed_ranks, warning


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


def test_a_seed_keeps_its_draws_from_version_to_version() -> None:
    mean = mean_interval([10.0, 12.5, 11.0, 30.25, 18.0], seed=2403)
    assert (mean.low, mean.high) == pytest.approx((10.9975, 23.75), abs=1e-12)


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


def test_signed_ranks_of_six_gains_are_significant_and_of_five_are_not() -> None:
    assert signed_ranks(np.arange(1.0, 7.0)) == pytest.approx(2 / 2**6)
    assert signed_ranks(np.arange(1.0, 6.0)) == pytest.approx(2 / 2**5)


def test_signed_ranks_do_not_depend_on_which_method_is_first() -> None:
    differences = np.random.default_rng(3).normal(0.3, 1.0, 15)
    assert signed_ranks(differences) == pytest.approx(signed_ranks(-differences))


def test_equal_outputs_are_no_evidence() -> None:
    assert signed_ranks(np.zeros(15)) == 1.0


def test_holm_corrects_the_smallest_most_and_keeps_the_order() -> None:
    # by hand: 0.01 x 3, then 0.02 x 2, then the largest as it is, but never below the one before
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.5, 0.02]) == pytest.approx([1.0, 1.0, 0.06])
    assert holm([0.5, 0.9]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


def test_holm_rejects_nothing_that_bonferroni_accepts_and_more() -> None:
    given = np.array([0.001, 0.011, 0.02, 0.04, 0.2])
    assert (holm(given) <= np.minimum(given * len(given), 1)).all()
    assert (holm(given) >= given).all()


def test_average_ranks_and_the_statistic_are_those_of_a_case_by_hand() -> None:
    found = friedman([[3.0, 2.0, 1.0], [30.0, 20.0, 10.0], [5.0, 4.0, 4.0]])
    assert found.ranks == pytest.approx([1.0, (2 + 2 + 2.5) / 3, (3 + 3 + 2.5) / 3])
    assert found.statistic == pytest.approx(
        stats.friedmanchisquare([3, 30, 5], [2, 20, 4], [1, 10, 4]).statistic
    )


def test_the_critical_difference_is_that_of_demsars_example() -> None:
    # Demsar 2006, Sec. 3.2.2: 4 classifiers, 14 data sets, CD 1.25 at 5 %
    scores = np.random.default_rng(0).normal(size=(14, 4))
    assert friedman(scores).critical_difference == pytest.approx(1.25, abs=0.01)


def test_methods_that_are_alike_everywhere_do_not_differ() -> None:
    found = friedman(np.ones((5, 3)))
    assert found.ranks.tolist() == [2.0, 2.0, 2.0]
    assert found.p == 1.0


@pytest.mark.parametrize(
    "scores", [[[1.0, 2.0, 3.0]], [[1.0, 2.0], [2.0, 1.0]], [[np.nan] * 3] * 2]
)
def test_scores_that_cannot_be_ranked_are_refused(scores: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="at least 2 blocks by 3 methods"):
        friedman(scores)


def test_the_reader_is_warned_where_images_are_few() -> None:
    assert "no paired test can reject" in warning(3)
    assert "15 images are few" in warning(15)
    assert warning(30) == ""
