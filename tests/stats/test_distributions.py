from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tuneornot.stats import distributions, paired

grades = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=8, max_size=30)


def test_curve_is_the_empirical_distribution_function_in_a_dkw_band() -> None:
    scores = np.array([0.2, 0.2, 0.9, np.nan, 0.5])
    curve = distributions.ecdf(scores, alpha=0.1)
    reference = stats.ecdf([0.2, 0.2, 0.9, 0.5]).cdf
    assert curve.x == pytest.approx(reference.quantiles)
    assert curve.share == pytest.approx(reference.probabilities)
    half = math.sqrt(math.log(2 / 0.1) / 8)
    assert curve.high == pytest.approx(np.minimum(curve.share + half, 1))
    with pytest.raises(ValueError, match="at least one score"):
        distributions.ecdf([np.nan])


def test_dkw_band_is_near_the_exact_kolmogorov_quantile() -> None:
    """Massart's bound is never below, and at n = 200 hardly above, the exact one."""
    curve = distributions.ecdf(np.arange(200.0))
    half = float(curve.high[50] - curve.share[50])
    exact = stats.kstwo.isf(0.05, 200)
    assert exact <= half < 1.02 * exact


def test_groups_widen_the_band() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(15), 20)
    scores = np.repeat(rng.random(15), 20) + 0.01 * rng.random(300)
    alone = distributions.ecdf(scores)
    grouped = distributions.ecdf(scores, groups=labels)
    assert np.max(grouped.high - grouped.share) > 2 * np.max(alone.high - alone.share)


def test_distance_is_that_of_scipy() -> None:
    rng = np.random.default_rng(2)
    for b, c in [rng.normal(size=(2, 60)), np.round(rng.random((2, 700)) * 4) / 4]:
        made = distributions.wasserstein(b, c)
        assert made.value == pytest.approx(stats.wasserstein_distance(b, c))
        assert made.low <= made.value <= made.high


def test_distance_test_rejects_equal_distributions_at_its_rate() -> None:
    rng = np.random.default_rng(3)
    p_values = []
    for _ in range(200):
        shared = rng.normal(size=40)
        p_values.append(
            distributions.wasserstein(
                shared + rng.normal(size=40), shared + rng.normal(size=40), rng=rng
            ).p_value
        )
    # Monte Carlo error 0.015.
    assert np.mean(np.array(p_values) < 0.05) < 0.1


def test_distance_sees_what_the_mean_does_not() -> None:
    b = np.full(100, 0.5) + 0.001 * np.arange(100)
    c = b + np.where(np.arange(100) % 2, 0.4, -0.4)
    assert float(np.mean(c - b)) == pytest.approx(0)
    assert distributions.wasserstein(b, c).low > 0.2


def test_dominance_by_hand() -> None:
    # Quantiles: b 1 2 3, c 0 4 5; violated by 1 of 1 + 4 + 4.
    made = distributions.dominance([2.0, 1.0, 3.0], [5.0, 0.0, 4.0])
    assert made.value == pytest.approx(1 / 9)
    assert (made.low, made.high) == (0.0, 1.0)


def test_dominance_of_a_shift_is_total_and_turns_around_when_swapped() -> None:
    b = np.random.default_rng(4).normal(size=80)
    assert distributions.dominance(b, b + 1).high == 0.0
    assert distributions.dominance(b + 1, b).low == 1.0
    c = 1.5 * b + 0.3
    there, back = distributions.dominance(b, c), distributions.dominance(c, b)
    assert there.value + back.value == pytest.approx(1.0)
    assert there.low == pytest.approx(1 - back.high, abs=0.02)


def test_dominance_of_normals_has_its_closed_form() -> None:
    """Q_c - Q_b = d + s z is negative for z < -d/s."""
    levels = (np.arange(20_000) + 0.5) / 20_000
    z = stats.norm.ppf(levels)
    made = distributions.dominance(z, 0.5 + 1.8 * z)
    d, s = 0.5, 0.8
    k = -d / s
    # E[(d + s z)^2; z < k] from the partial moments of the normal distribution.
    mass, first = stats.norm.cdf(k), -stats.norm.pdf(k)
    second = mass - k * stats.norm.pdf(k)
    expected = (d * d * mass + 2 * d * s * first + s * s * second) / (d * d + s * s)
    assert made.value == pytest.approx(expected, abs=2e-3)


def test_equal_distributions_have_no_order() -> None:
    made = distributions.dominance(np.arange(9.0), np.arange(9.0)[::-1])
    assert math.isnan(made.value)
    assert math.isnan(distributions.wasserstein([1.0, 2.0], [2.0, 1.0]).value)


def test_superiority_counts_pairs_and_is_the_sign_test() -> None:
    b = np.zeros(30)
    c = np.concatenate([np.ones(14), np.zeros(10), -np.ones(6)])
    made = distributions.superiority(b, 100 * c)
    assert made.value == pytest.approx((14 + 10 / 2) / 30)
    reference = paired.difference((c < 0).astype(float), (c > 0).astype(float))
    assert made.p_value == reference.p_value
    assert made.low == pytest.approx((1 + reference.low) / 2)
    assert distributions.tally(b, c) == (14, 10, 6)


@settings(max_examples=20, deadline=None)
@given(grades)
def test_swapping_the_arms_mirrors_superiority(scores: list[float]) -> None:
    b = np.array(scores)
    c = np.roll(b, 2)
    there, back = distributions.superiority(b, c), distributions.superiority(c, b)
    assert back.value == pytest.approx(1 - there.value)
    assert back.low == pytest.approx(1 - there.high, abs=1e-6)
    wins, ties, losses = distributions.tally(b, c)
    assert distributions.tally(c, b) == (losses, ties, wins)
    assert wins + ties + losses == len(b)


@pytest.mark.slow
def test_distance_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(5)
    truth = 0.3
    held = []
    for _ in range(300):
        b = rng.normal(size=80)
        c = 0.3 + 0.6 * b + 0.8 * rng.normal(size=80)
        made = distributions.wasserstein(b, c, rng=rng)
        held.append(made.low <= truth <= made.high)
    assert np.mean(held) > 0.925
