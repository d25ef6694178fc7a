"""Regression adjustment: against least squares, its limits, and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tuneornot.records import Estimate
from tuneornot.stats import adjusted, paired


def sample(seed: int, n: int, size: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Covariate of a pool, and the differences of its first n cases; true mean 0.1."""
    rng = np.random.default_rng(seed)
    pool = rng.standard_normal(size)
    return pool, 0.1 + 0.8 * pool[:n] + 0.6 * rng.standard_normal(n)


def test_value_is_the_regression_at_the_pools_mean() -> None:
    pool, d = sample(1, 80)
    found = adjusted.difference(np.zeros(80), d, pool[:80], pool)
    slope, intercept = np.polyfit(pool[:80], d, 1)
    assert found.value == pytest.approx(intercept + slope * pool.mean())
    assert found.method == "regression-adjusted paired t, skewness-adjusted, with unseen scores"


def test_at_the_samples_own_means_it_is_the_plain_mean() -> None:
    pool, d = sample(2, 80)
    assert adjusted.difference(np.zeros(80), d, pool[:80], pool[:80]).value == pytest.approx(
        d.mean()
    )


def test_a_covariate_that_explains_narrows_and_one_that_does_not_hardly_widens() -> None:
    pool, d = sample(3, 100)
    noise = np.random.default_rng(9).standard_normal(2000)
    plain = paired.difference(np.zeros(100), d)
    narrow = adjusted.difference(np.zeros(100), d, pool[:100], pool)
    useless = adjusted.difference(np.zeros(100), d, noise[:100], noise)
    width = plain.high - plain.low
    assert narrow.high - narrow.low < 0.75 * width
    assert useless.high - useless.low == pytest.approx(width, rel=0.08)


def test_a_small_pool_adds_its_own_error() -> None:
    pool, d = sample(4, 100)
    large = adjusted.difference(np.zeros(100), d, pool[:100], pool)
    small = adjusted.difference(np.zeros(100), d, pool[:100], pool[:120])
    assert small.high - small.low > large.high - large.low


def test_unscored_cases_leave_with_their_covariates() -> None:
    pool, d = sample(5, 60)
    holed = d.copy()
    holed[4] = math.nan
    kept = np.arange(60) != 4
    found = adjusted.difference(np.zeros(60), holed, pool[:60], pool)
    assert found == adjusted.difference(np.zeros(59), d[kept], pool[:60][kept], pool)


@pytest.mark.parametrize(
    ("covariates", "pool", "rule"),
    [
        (np.zeros(30), np.zeros((90, 2)), "same columns"),
        (np.zeros(29), np.zeros(90), "row for each of the 30 cases"),
        (np.zeros((30, 3)), np.zeros((90, 3)), "at least 40 scored cases"),
        (np.full(30, np.nan), np.zeros(90), "finite"),
    ],
)
def test_what_cannot_be_adjusted_for_is_refused(
    covariates: np.ndarray, pool: np.ndarray, rule: str
) -> None:
    with pytest.raises(ValueError, match=rule):
        adjusted.difference(np.zeros(30), np.ones(30), covariates, pool)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "grouped"), [(50, False), (100, False), (100, True)])
def test_it_holds_its_error_rates(n: int, grouped: bool) -> None:
    """Skewed errors, two covariates, a pool of 500 that contains the cases."""
    rng = np.random.default_rng(n)
    groups = np.arange(n) // 4 if grouped else None
    found: list[Estimate] = []
    for _ in range(1500):
        pool = rng.standard_normal((500, 2))
        shared = 0.3 * rng.standard_normal(n)[groups] if groups is not None else 0.0
        d = pool[:n] @ [0.4, 0.3] + 0.6 * (rng.exponential(size=n) - 1) + shared
        found.append(adjusted.difference(np.zeros(n), d, pool[:n], pool, groups=groups))
    noise = 2.5 * math.sqrt(0.05 * 0.95 / 1500)
    assert np.mean([e.low <= 0 <= e.high for e in found]) >= 0.935 - noise
    assert np.mean([e.lower > 0 for e in found]) <= 0.05 + noise
    assert np.mean([e.upper < 0 for e in found]) <= 0.05 + noise


def test_a_scale_spares_the_long_side_what_only_an_open_end_needs() -> None:
    rng = np.random.default_rng(8)
    pool = rng.standard_normal(400)
    d = np.clip(rng.exponential(0.3, 80), 0, 1)
    free = adjusted.difference(np.zeros(80), d, pool[:80], pool)
    bounded = adjusted.difference(np.zeros(80), d, pool[:80], pool, scale=(0, 1))
    assert bounded.value == free.value
    # An answer of the baseline's that nobody saw may lie at the end; that moves the lower bound.
    assert free.lower - 0.01 < bounded.lower < free.lower
    assert bounded.upper < free.upper
