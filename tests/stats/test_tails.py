from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from tuneornot.stats import marginals, paired, tails, units, zero_one

Array = NDArray[np.float64]
grades = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=12, max_size=40)


def test_lower_mean_counts_the_last_case_by_the_part_that_is_needed() -> None:
    assert tails.lower_mean(np.arange(20.0)) == 0.5
    # 2.5 cases of 25: 0, 1 and half of 2.
    assert tails.lower_mean(np.arange(25.0)) == pytest.approx((0 + 1 + 0.5 * 2) / 2.5)
    assert tails.lower_mean(np.arange(25.0), share=1.0) == 12
    assert math.isnan(tails.lower_mean([np.nan, np.nan]))


def test_lower_mean_approaches_the_closed_form_for_normal_scores() -> None:
    """E[X | X < q] = -phi(q)/s for the lower share s."""
    scores = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    expected = -stats.norm.pdf(stats.norm.ppf(0.1)) / 0.1
    assert tails.lower_mean(scores) == pytest.approx(expected, abs=1e-3)


def test_resampled_lower_means_are_those_of_the_drawn_scores() -> None:
    rng = np.random.default_rng(1)
    for scores in (rng.normal(size=57), np.round(rng.random(57) * 4) / 4):
        own = units.Units(codes=np.arange(57), count=57, alone=True)
        weights = next(units.weights(57, 20, rng))
        found = marginals.lower_mean(marginals.of(scores, own), weights, 0.1)
        expected = [tails.lower_mean(np.repeat(scores, row.astype(int))) for row in weights]
        assert found == pytest.approx(expected)


def test_resampled_quantiles_are_those_of_the_drawn_scores() -> None:
    rng = np.random.default_rng(2)
    levels = np.array([0.05, 0.25, 0.5, 0.9])
    for scores in (rng.normal(size=61), np.round(rng.random(61) * 4) / 4):
        own = units.Units(codes=np.arange(61), count=61, alone=True)
        arm = marginals.of(scores, own)
        weights = next(units.weights(61, 20, rng))
        found = marginals.quantiles(arm, marginals.cumulative(arm, weights), levels)
        for row, weight in zip(found, weights, strict=True):
            drawn = np.repeat(scores, weight.astype(int))
            assert row == pytest.approx(np.quantile(drawn, levels, method="inverted_cdf"))


def test_bins_lose_little_of_many_values() -> None:
    rng = np.random.default_rng(3)
    scores = rng.standard_t(3, size=20_000)
    own = units.Units(codes=np.arange(20_000) % 500, count=500, alone=False)
    arm = marginals.of(scores, own)
    one = np.ones((1, 500))
    assert not arm.exact
    assert marginals.lower_mean(arm, one, 0.1)[0] == pytest.approx(
        tails.lower_mean(scores), rel=2e-3
    )
    levels = np.array(tails.LEVELS)
    found = marginals.quantiles(arm, marginals.cumulative(arm, one), levels)[0]
    assert found == pytest.approx(np.quantile(scores, levels), abs=0.02)


def test_worst_tenth_is_the_difference_of_each_arms_own_tail() -> None:
    rng = np.random.default_rng(4)
    b, c = rng.normal(size=(2, 120))
    made = tails.worst_tenth(b, c)
    assert made.value == pytest.approx(np.sort(c)[:12].mean() - np.sort(b)[:12].mean())
    assert made.low <= made.lower < made.value < made.upper <= made.high


def test_worst_tenth_sees_harm_that_the_mean_does_not() -> None:
    rng = np.random.default_rng(5)
    b = rng.normal(0.7, 0.05, size=300)
    c = b + 0.02 + 0.01 * rng.normal(size=300)
    c[:30] -= 0.3
    assert abs(float(np.mean(c - b))) < 0.015
    made = tails.worst_tenth(b, c)
    assert made.upper < -0.1


@settings(max_examples=20, deadline=None)
@given(grades, st.randoms(use_true_random=False))
def test_order_of_cases_does_not_matter_and_swapping_flips(
    scores: list[float], random: object
) -> None:
    b = np.array(scores)
    c = np.roll(b, 3) * 0.9
    there, back = tails.worst_tenth(b, c), tails.worst_tenth(c, b)
    assert back.value == pytest.approx(-there.value)
    assert back.low == pytest.approx(-there.high)
    order = np.random.default_rng(1).permutation(len(b))
    moved = tails.worst_tenth(b[order], c[order])
    assert moved.value == pytest.approx(there.value)


@settings(max_examples=30, deadline=None)
@given(grades, st.integers(0, 11))
def test_a_worse_score_never_raises_the_tail(scores: list[float], place: int) -> None:
    b, c = np.full(len(scores), 0.5), np.array(scores)
    worse = c.copy()
    worse[place] = 0.0
    assert tails.worst_tenth(b, worse).value <= tails.worst_tenth(b, c).value + 1e-12
    rate = tails.catastrophic(b, c, threshold=0.0).value
    assert tails.catastrophic(b, worse, threshold=0.0).value <= rate + 1e-12


def test_zero_one_tail_is_a_function_of_the_failure_rate() -> None:
    b = np.repeat([0.0, 1.0], [4, 96])
    c = np.repeat([0.0, 1.0], [7, 93])
    made = tails.worst_tenth(b, c)
    assert made.value == pytest.approx(0.3 - 0.6)
    assert made.low < made.lower < made.value < made.upper < made.high
    certain = tails.worst_tenth(np.repeat([0.0, 1.0], [50, 50]), np.repeat([0.0, 1.0], [60, 40]))
    assert (certain.low, certain.value, certain.high) == (0.0, 0.0, 0.0)


def test_one_sided_errors_of_the_zero_one_tail_by_enumeration() -> None:
    n = 50
    pairs = [[zero_one.TailDifference(b, c, n, 0.1) for c in range(n + 1)] for b in range(n + 1)]
    lower = np.array([[one.lower(0.05) for one in row] for row in pairs])
    for first in (0.6, 0.9, 0.93, 0.98):
        for second in (0.6, 0.9, 0.95, 0.98):
            mass = np.outer(*(stats.binom.pmf(range(n + 1), n, r) for r in (first, second)))
            truth = max(0.0, 10 * second - 9) - max(0.0, 10 * first - 9)
            assert np.sum(mass[lower > truth + 1e-9]) < 0.056


def test_never_failing_in_few_cases_is_not_certainty() -> None:
    made = tails.worst_tenth(np.ones(30), np.ones(30))
    assert made.value == 0
    assert made.low < -0.5
    assert made.high > 0.5


def test_grades_that_never_fell_are_not_certain_either() -> None:
    made = tails.worst_tenth(np.ones((30, 2)), np.ones((30, 2)), scale=(0.0, 1.0))
    assert made.value == 0
    assert made.lower < -0.1
    assert made.upper > 0.1


def test_influence_values_average_to_the_difference() -> None:
    values = np.round(np.random.default_rng(12).random((57, 2)) * 8) / 8
    expected = tails.lower_mean(values[:, 1]) - tails.lower_mean(values[:, 0])
    assert tails._influence(values, 0.1).mean() == pytest.approx(expected)


def test_catastrophic_is_the_paired_difference_of_rates() -> None:
    rng = np.random.default_rng(6)
    b, c = np.round(rng.random((2, 90)) * 3) / 3
    made = tails.catastrophic(b, c, threshold=0.0)
    reference = paired.difference((b > 0).astype(float), (c > 0).astype(float))
    assert made == reference
    assert made.value == pytest.approx(np.mean(b == 0) - np.mean(c == 0))


def test_catastrophic_leaves_out_the_unscored() -> None:
    b = np.array([0.0, 0.0, 1.0, np.nan, 1.0])
    c = np.array([1.0, 0.0, 1.0, 0.0, np.nan])
    assert tails.catastrophic(b, c, threshold=0.0).value == pytest.approx(1 / 3)


def test_band_of_quantiles_holds_all_of_them_at_once() -> None:
    rng = np.random.default_rng(7)
    b, c = rng.normal(size=150), rng.normal(0.4, 1.5, size=150)
    shifts = tails.quantile_shift(b, c)
    expected = np.quantile(c, tails.LEVELS, method="inverted_cdf") - np.quantile(
        b, tails.LEVELS, method="inverted_cdf"
    )
    assert [shift.value for shift in shifts] == pytest.approx(expected)
    assert all(shift.low <= shift.value <= shift.high for shift in shifts)
    (alone,) = tails.quantile_shift(b, c, levels=[0.5])
    middle = shifts[3]
    assert middle.high - middle.low > alone.high - alone.low


def test_band_keeps_the_stated_share_of_resamples() -> None:
    draws = np.random.default_rng(8).multivariate_normal(
        np.zeros(3), np.array([[1, 0.5, 0], [0.5, 1, 0], [0, 0, 4]]), size=4000
    )
    low, high = tails._band(draws, 0.1)
    inside = np.mean(np.all((draws >= low) & (draws <= high), axis=1))
    assert 0.9 <= inside < 0.92


def test_few_units_leave_tails_undetermined() -> None:
    assert math.isnan(tails.worst_tenth([0.1, 0.2], [0.3, 0.4]).value)
    assert tails.quantile_shift([0.1, 0.2], [0.3, 0.4]) == ()


@pytest.mark.slow
@pytest.mark.parametrize("n", [50, 300])
def test_coverage_of_the_worst_tenth(n: int) -> None:
    def draw(rng: np.random.Generator, size: int) -> tuple[Array, Array]:
        shared = 0.7 * rng.standard_normal(size)
        first, second = shared + 0.7 * rng.standard_normal((2, size))
        return np.clip(0.7 + 0.3 * first, 0, 1), np.clip(0.8 + 0.4 * second, 0, 1)

    b, c = draw(np.random.default_rng(0), 1_000_000)
    truth = tails.lower_mean(c) - tails.lower_mean(b)
    rng = np.random.default_rng(9)
    made = [tails.worst_tenth(*draw(rng, n), rng=rng) for _ in range(400)]
    covered = np.mean([one.low <= truth <= one.high for one in made])
    # Monte Carlo error 0.012; at n = 50 the tail is five cases.
    assert 0.925 < covered < 0.995
    assert np.mean([one.lower > truth for one in made]) < 0.085
    assert np.mean([one.upper < truth for one in made]) < 0.085


@pytest.mark.slow
def test_band_of_quantiles_covers_the_truth_everywhere() -> None:
    rng = np.random.default_rng(10)
    levels = np.array(tails.LEVELS)
    truth = 0.3 + 0.5 * stats.norm.ppf(levels)
    held = []
    for _ in range(300):
        b = rng.normal(size=120)
        c = 0.3 + 1.5 * (0.5 * b + math.sqrt(0.75) * rng.normal(size=120))
        shifts = tails.quantile_shift(b, c, rng=rng)
        held.append(all(s.low <= true <= s.high for s, true in zip(shifts, truth, strict=True)))
    assert np.mean(held) > 0.915
