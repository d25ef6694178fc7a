from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tuneornot.stats import cases, resampled, spread, units, zero_one
from tuneornot.stats.bounds import Bounds

Array = NDArray[np.float64]


def graded(rng: np.random.Generator, n: int, steepness: float = 1.3) -> tuple[Array, Array]:
    """Two arms' grades 0, 1/4 ... 1, correlated by case."""
    shared = rng.standard_normal(n)
    first = 0.6 * shared + 0.8 * rng.standard_normal(n)
    second = 0.6 * shared + 0.8 * rng.standard_normal(n)
    return (
        np.round(4 * stats.norm.cdf(first + 0.5)) / 4,
        np.round(4 * stats.norm.cdf(steepness * second + 0.9)) / 4,
    )


def test_value_is_the_ratio_of_standard_deviations() -> None:
    b, c = graded(np.random.default_rng(1), 80)
    made = spread.between_cases(b, c)
    assert made.value == pytest.approx(c.std() / b.std())
    assert made.low < made.lower < made.value < made.upper < made.high


def test_standard_error_is_that_of_the_influence_values() -> None:
    """The products of sums must give what the definition gives, case by case."""
    b, c = np.random.default_rng(2).normal(size=(2, 40))
    powers = np.stack([np.ones(40), b, b * b, c, c * c], axis=1)
    i, j = np.triu_indices(5)
    features = np.hstack([powers, powers[:, i] * powers[:, j]])
    weights = next(units.weights(40, 5, np.random.default_rng(0)))
    values, errors = spread._value_and_error(weights @ features, 40)
    for row, weight in enumerate(weights):
        drawn = np.repeat(np.arange(40), weight.astype(int))
        x, y = b[drawn], c[drawn]
        influence = ((y - y.mean()) ** 2 / y.var() - (x - x.mean()) ** 2 / x.var()) / 2
        assert values[row] == pytest.approx(math.log(y.std() / x.std()))
        assert errors[row] == pytest.approx(influence.std(ddof=1) / math.sqrt(40))


def test_swapping_the_arms_inverts_the_ratio_and_mirrors_the_interval() -> None:
    b, c = graded(np.random.default_rng(3), 60)
    there, back = spread.between_cases(b, c), spread.between_cases(c, b)
    assert back.value == pytest.approx(1 / there.value)
    assert back.low == pytest.approx(1 / there.high)
    assert back.lower == pytest.approx(1 / there.upper)
    assert back.p_value == pytest.approx(there.p_value, abs=3e-3)  # one or two resamples


def test_location_and_scale_of_all_scores_change_nothing() -> None:
    b, c = graded(np.random.default_rng(4), 60)
    made, moved = spread.between_cases(b, c), spread.between_cases(1e6 + 3 * b, 1e6 + 3 * c)
    assert moved.low == pytest.approx(made.low, rel=1e-6)
    assert moved.high == pytest.approx(made.high, rel=1e-6)


def test_interval_is_near_that_of_pitman_and_morgan_for_normal_scores() -> None:
    """For normal pairs sum and difference are uncorrelated just if the spreads are equal."""
    rng = np.random.default_rng(5)
    shared, own = rng.standard_normal((2, 400))
    b, c = shared + own, 0.5 * shared + 1.4 * rng.standard_normal(400)
    exact = stats.pearsonr(b + c, c - b).pvalue
    made = spread.between_cases(b, c)
    assert made.p_value == pytest.approx(exact, abs=0.05)


def test_zero_one_scores_use_limits_of_the_rates() -> None:
    b, c = np.repeat([1.0, 0.0], [10, 90]), np.repeat([1.0, 0.0], [35, 65])
    made = spread.between_cases(b, c)
    assert made.value == pytest.approx(math.sqrt(0.35 * 0.65 / (0.1 * 0.9)))
    assert "Clopper-Pearson" in made.method
    assert made.low > 1
    mirrored = spread.between_cases(1 - b, 1 - c)
    assert (mirrored.low, mirrored.high) == pytest.approx((made.low, made.high))


def test_constant_scores_leave_the_ratio_undetermined() -> None:
    assert math.isnan(spread.between_cases(np.ones(30), np.arange(30.0)).value)
    assert math.isnan(spread.between_cases([0.0, 1.0], [1.0, 0.5]).low)


def test_groups_widen_the_interval_where_their_cases_are_alike() -> None:
    rng = np.random.default_rng(6)
    labels = np.repeat(np.arange(20), 10)
    b = rng.normal(size=200)
    c = np.repeat(rng.standard_t(5, size=20), 10) + 0.1 * rng.normal(size=200)
    alone, grouped = spread.between_cases(b, c), spread.between_cases(b, c, groups=labels)
    assert grouped.high / grouped.low > 1.3 * alone.high / alone.low
    assert grouped.value == alone.value


def test_instability_is_the_pooled_deviation_within_cases() -> None:
    rng = np.random.default_rng(7)
    b, c = rng.normal(size=(50, 3)), 2 * rng.normal(size=(50, 4))
    c[3, 2:] = np.nan
    levels = 100 * rng.normal(size=(50, 1))
    made = spread.between_repeats(b + levels, c + levels)
    squares = sum(np.nansum((row - np.nanmean(row)) ** 2) for row in c)
    freedom = sum(np.sum(~np.isnan(row)) - 1 for row in c)
    expected = math.sqrt(squares / freedom) - math.sqrt(b.var(axis=1, ddof=1).mean())
    assert made.value == pytest.approx(expected)
    assert made.p_value is not None
    assert made.p_value < 0.01
    back = spread.between_repeats(c, b)
    assert back.value == pytest.approx(-made.value)
    assert back.low == pytest.approx(-made.high)


def test_instability_takes_each_seed_around_its_own_mean() -> None:
    rng = np.random.default_rng(8)
    b = rng.normal(size=(40, 2))
    seeds = rng.normal(size=(40, 2, 2)) + np.array([0.0, 50.0])[:, np.newaxis]
    made = spread.between_repeats(b, seeds)
    expected = math.sqrt(seeds.var(axis=2, ddof=1).mean()) - math.sqrt(b.var(axis=1, ddof=1).mean())
    assert made.value == pytest.approx(expected)


def test_instability_needs_repeats() -> None:
    assert math.isnan(spread.between_repeats(np.ones((9, 1)), np.ones((9, 2))).value)


def test_spread_between_seeds_is_that_of_their_means() -> None:
    rng = np.random.default_rng(9)
    seeds = [rng.normal(size=30) + shift for shift in (0.0, 0.3, 0.9)]
    seeds[1][4] = np.nan
    kept = np.arange(30) != 4
    means = [run[kept].mean() for run in seeds]
    made = spread.between_seeds(seeds)
    assert made.value == pytest.approx(np.std(means, ddof=1))
    # Two degrees of freedom: the chi-square quantile is -2 log(1 - level).
    assert made.low == pytest.approx(made.value * math.sqrt(2 / (-2 * math.log(0.025))))
    assert made.upper == pytest.approx(made.value * math.sqrt(2 / (-2 * math.log(0.95))))
    assert math.isnan(spread.between_seeds(seeds[:1]).value)


def test_resampled_bounds_and_tests_are_one() -> None:
    draws = np.random.default_rng(10).normal(size=3999)
    methods: list[Bounds] = [
        resampled.Percentile(0.1, draws, 40),
        resampled.Pivot(0.1, 0.7, draws),
        resampled.StudentT(0.1, 0.7, 39),
    ]
    outer = resampled.Outer((methods[0], methods[1]), name="outer")
    for method in (*methods, outer):
        for alpha in (0.01, 0.05, 0.3):
            assert method.p_above(method.lower(alpha)) == pytest.approx(alpha, abs=2e-3)
            assert method.p_below(method.upper(alpha)) == pytest.approx(alpha, abs=2e-3)
    assert outer.lower(0.05) == min(methods[0].lower(0.05), methods[1].lower(0.05))


def test_many_units_are_merged_without_losing_a_case() -> None:
    rng = np.random.default_rng(11)
    found = cases.two(rng.normal(size=5000), rng.normal(size=5000))
    own = units.of(found, rng)
    assert own.count == units.MOST
    assert own.sizes().sum() == 5000
    assert own.sizes().max() - own.sizes().min() <= 1
    assert own.sums(found.values).sum(axis=0) == pytest.approx(found.values.sum(axis=0))


def test_blocks_of_weights_are_bounded_and_draw_every_unit_once_on_average() -> None:
    blocks = list(units.weights(1000, 4500, np.random.default_rng(12)))
    assert max(block.size for block in blocks) <= units.BLOCK
    assert sum(len(block) for block in blocks) == 4500
    assert all(np.all(block.sum(axis=1) == 1000) for block in blocks)
    assert np.concatenate(blocks).mean(axis=0) == pytest.approx(np.ones(1000), abs=0.07)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "least"), [(30, 0.925), (100, 0.93)])
def test_coverage_of_graded_scores(n: int, least: float) -> None:
    b, c = graded(np.random.default_rng(0), 1_000_000)
    truth = c.std() / b.std()
    rng = np.random.default_rng(13)
    made = [spread.between_cases(*graded(rng, n), rng=rng) for _ in range(400)]
    covered = np.mean([one.low <= truth <= one.high for one in made])
    # Monte Carlo error 0.011.
    assert least - 0.02 < covered < 0.995
    assert np.mean([one.upper < truth for one in made]) < 0.09
    assert np.mean([one.lower > truth for one in made]) < 0.09


@pytest.mark.parametrize("n", [30, 100])
def test_one_sided_errors_of_zero_one_scores_by_enumeration(n: int) -> None:
    """Every pair of counts of two independent arms, weighed by its probability."""
    counts = range(1, n)
    bounds = [[zero_one.SpreadRatio(b, c, n) for c in counts] for b in counts]
    lower = np.array([[one.lower(0.05) for one in row] for row in bounds])
    upper = np.array([[one.upper(0.05) for one in row] for row in bounds])
    for first in (0.1, 0.35, 0.5, 0.93):
        for second in (0.12, 0.5, 0.8, 0.95):
            mass = np.outer(*(stats.binom.pmf(counts, n, rate) for rate in (first, second)))
            truth = 0.5 * math.log(second * (1 - second) / (first * (1 - first)))
            assert np.sum(mass[lower > truth]) < 0.056 * mass.sum()
            assert np.sum(mass[upper < truth]) < 0.056 * mass.sum()


def test_limits_of_a_rate_are_those_of_the_exact_binomial_test() -> None:
    for successes in (0, 3, 17, 20):
        exact = stats.binomtest(successes, 20).proportion_ci(0.95)
        found = zero_one.rate(successes, 20, 0.025)
        assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-6)
