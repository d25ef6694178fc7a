"""Two means of different cases, against scipy's Welch test and against known truths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tuneornot.stats import apart


def test_many_even_scores_give_welchs_interval() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.0, 1.0, 400), rng.normal(0.3, 2.5, 150)
    made = apart.difference(first, second)
    welch = stats.ttest_ind(second, first, equal_var=False)
    low, high = welch.confidence_interval(0.95)
    assert made.value == pytest.approx(second.mean() - first.mean())
    # Pseudo-cases and skewness widen it a little.
    assert high - low <= made.high - made.low < 1.05 * (high - low)
    assert made.p_value is not None
    assert welch.pvalue < made.p_value < 1.5 * welch.pvalue


def test_swapping_the_samples_turns_the_sign() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.exponential(1.0, 40), rng.exponential(2.0, 60)
    one, other = apart.difference(first, second), apart.difference(second, first)
    assert one.value == -other.value
    assert one.low == pytest.approx(-other.high)
    assert one.upper == pytest.approx(-other.lower)


def test_groups_and_repeats_count_as_they_do_in_one_sample() -> None:
    rng = np.random.default_rng(2)
    level = np.repeat(rng.normal(size=20), 5)
    first, second = level + 0.1 * rng.normal(size=100), rng.normal(size=(80, 3))
    alone = apart.difference(first, second)
    grouped = apart.difference(first, second, first_groups=np.repeat(np.arange(20), 5))
    assert grouped.value == alone.value == pytest.approx(second.mean() - first.mean())
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)


def test_equal_scores_are_not_certainty_and_one_case_is_nothing() -> None:
    made = apart.difference(np.ones(60), np.ones(40), span=1.0)
    assert made.value == 0
    assert made.low < 0 < made.high
    assert math.isnan(apart.difference(np.ones(60), np.ones(1)).value)


@pytest.mark.parametrize(("sizes", "rates"), [((100, 40), (0.6, 0.4)), ((60, 60), (0.95, 0.9))])
def test_the_interval_holds_as_often_as_it_says(
    sizes: tuple[int, int], rates: tuple[float, float]
) -> None:
    rng, n_draws, n_held, n_above = np.random.default_rng(3), 800, 0, 0
    for _ in range(n_draws):
        first, second = (
            (rng.random(n) < rate).astype(np.float64) for n, rate in zip(sizes, rates, strict=True)
        )
        made = apart.difference(first, second, span=1.0)
        truth = rates[1] - rates[0]
        n_held += made.low <= truth <= made.high
        n_above += made.lower > truth
    # Three Monte Carlo errors of 95% and of 5%.
    assert n_held / n_draws > 0.927
    assert n_above / n_draws < 0.073
