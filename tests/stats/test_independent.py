"""Two independent estimates against the literature and against simulation."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from scipy import stats

from tuneornot.records import Estimate
from tuneornot.stats import independent, paired


def wilson(k: int, n: int) -> Estimate:
    both = stats.binomtest(k, n).proportion_ci(method="wilson")
    sides = [
        stats.binomtest(k, n, alternative=side).proportion_ci(method="wilson")
        for side in ("greater", "less")
    ]
    return Estimate(
        value=k / n, low=both.low, high=both.high, lower=sides[0].low, upper=sides[1].high
    )


def test_wilson_intervals_give_newcombes_published_example() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, (a) by method 10.
    found = independent.apart(wilson(56, 70), wilson(48, 80))
    assert found.value == pytest.approx(0.2)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)
    assert found.p_value is not None
    assert found.p_value < 0.05


def test_normal_estimates_give_the_normal_test() -> None:
    z, one = stats.norm.isf(0.025), stats.norm.isf(0.05)

    def normal(value: float, se: float) -> Estimate:
        return Estimate(
            value=value,
            low=value - z * se,
            high=value + z * se,
            lower=value - one * se,
            upper=value + one * se,
        )

    found = independent.apart(normal(0.5, 0.03), normal(0.4, 0.04))
    assert (found.low, found.high) == pytest.approx((0.1 - z * 0.05, 0.1 + z * 0.05))
    assert (found.lower, found.upper) == pytest.approx((0.1 - one * 0.05, 0.1 + one * 0.05))
    assert found.p_value == pytest.approx(2 * stats.norm.sf(2.0))


def test_the_difference_of_two_gains_is_covered() -> None:
    rng = np.random.default_rng(5)
    covered, shown, n_draws = 0, 0, 600
    for _ in range(n_draws):
        gains = [
            paired.difference(np.zeros(n), rng.choice([-1.0, 0.0, 1.0], p=[0.1, 0.7, 0.2], size=n))
            for n in (60, 150)
        ]
        found = independent.apart(gains[0], gains[1])
        covered += found.low <= 0 <= found.high
        shown += found.p_value is not None and found.p_value < 0.05
    assert covered / n_draws == pytest.approx(0.95, abs=0.03)
    assert shown == n_draws - covered


def test_what_is_not_determined_stays_so() -> None:
    found = independent.apart(paired.NAN, wilson(3, 9))
    assert math.isnan(found.value)
    with pytest.raises(ValueError, match="levels must be the same"):
        independent.apart(wilson(3, 9), msgspec.structs.replace(wilson(4, 9), level=0.9))
