"""The skewness-adjusted t against Student's, an OLS sandwich and its own inversion."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tuneornot.stats.studentised import (
    SKEW_FACTOR,
    UNBOUNDED,
    SkewT,
    effective_groups,
    skew_t,
    skewness,
)


def test_without_skewness_it_is_students_t_with_two_more_cases_in_the_variance() -> None:
    d = np.concatenate([np.arange(1, 21), -np.arange(1, 21)]).astype(float)
    found = skew_t(d, None, span=None, name="t")
    n, pseudo = len(d), float((d**2).mean())
    error = math.sqrt(float(d @ d) * n / (n - 1) + 2 * pseudo) / n
    assert found.lean == pytest.approx(0, abs=1e-12)
    assert found.df == pytest.approx(n - 1)
    assert found.upper(0.05) == pytest.approx(error * stats.t.isf(0.05, n - 1))


def test_it_nears_students_t_as_cases_grow() -> None:
    d = np.random.default_rng(4).standard_normal(20_000) + 0.1
    found = skew_t(d, None, span=None, name="t")
    plain = stats.ttest_1samp(d, 0.0).confidence_interval(0.95)
    half = (plain.high - plain.low) / 2
    assert found.lower(0.025) == pytest.approx(plain.low, abs=0.01 * half)
    assert found.upper(0.025) == pytest.approx(plain.high, abs=0.01 * half)


def test_the_long_tail_moves_its_own_side_out_by_johnsons_term() -> None:
    d = np.random.default_rng(1).exponential(size=60)
    n = len(d)
    total = d.var() * n * n / (n - 1) + 2 * float(((d - np.median(d)) ** 2).mean())
    third = float((((d - d.mean()) * math.sqrt(n / (n - 1))) ** 3).sum())
    skewness = third / total**1.5 * math.sqrt(n) * math.sqrt(n * (n - 1)) / (n - 2)
    t = float(stats.t.isf(0.05, n - 1))
    error = math.sqrt(total) / n
    moved = SKEW_FACTOR * skewness * (2 * t * t + 1) / (6 * math.sqrt(n))
    bounded = skew_t(d, None, span=20.0, name="t")
    assert bounded.upper(0.05) == pytest.approx(d.mean() + error * (t + moved))
    assert bounded.lower(0.05) == pytest.approx(d.mean() - error * t)
    unbounded = skew_t(d, None, span=None, name="t")
    further = moved * (1 + UNBOUNDED * skewness / math.sqrt(n))
    assert unbounded.upper(0.05) == pytest.approx(d.mean() + error * (t + further))
    assert unbounded.lower(0.05) == pytest.approx(d.mean() - error * t)


def test_skewness_is_scipys_over_the_root_of_n() -> None:
    d = np.random.default_rng(2).exponential(size=40)
    assert skewness(d) == pytest.approx(stats.skew(d, bias=False) / math.sqrt(40))
    assert skewness(np.ones(5)) == 0


def test_groups_use_the_bias_reduced_sandwich() -> None:
    """CR2 of an intercept, from its matrix definition, and the moment-matched freedom."""
    rng = np.random.default_rng(7)
    codes = np.repeat(np.arange(6), [1, 2, 3, 8, 9, 17])
    values = rng.standard_normal(40) + rng.standard_normal(6)[codes]
    found = skew_t(values, codes, span=None, name="t")
    n, ones = 40, np.ones((40, 1))
    hat = np.full((n, n), 1 / n)
    residual = values - values.mean()
    annihilator = np.eye(n) - hat
    variance, rows = 0.0, []
    for g in range(6):
        inside = codes == g
        own = np.eye(int(inside.sum())) - hat[np.ix_(inside, inside)]
        value, vector = np.linalg.eigh(own)
        adjust = vector @ np.diag(value**-0.5) @ vector.T
        weight = adjust @ ones[inside, 0] / n
        variance += float(weight @ residual[inside]) ** 2
        rows.append(weight @ annihilator[inside])
    spread = np.linalg.eigvalsh(np.array(rows) @ np.array(rows).T)
    size = found.error**2 - variance
    deviations = values - np.median(values)
    assert size == pytest.approx(2 * float((deviations**2).mean()) / n**2)
    assert found.df == pytest.approx(float(spread.sum() ** 2 / (spread**2).sum()))


def test_equal_groups_have_as_many_degrees_of_freedom_as_groups_less_one() -> None:
    assert effective_groups(np.repeat(np.arange(8), 5)) == pytest.approx(8)
    assert effective_groups(np.array([0] * 50 + list(range(1, 51)))) < 8


def test_equal_values_on_a_bounded_scale_still_leave_doubt() -> None:
    """No case differs: about the bound of 0 events among n (3/n), not a width of zero."""
    found = skew_t(np.zeros(100), None, span=1.0, name="t")
    assert found.upper(0.05) == pytest.approx(-found.lower(0.05))
    assert 0.02 < found.upper(0.05) < 0.035


def test_groups_that_show_nothing_leave_the_doubt_of_as_many_cases() -> None:
    """15 groups of 7 that never differ say no more than 15 cases that never differ."""
    grouped = skew_t(np.zeros(105), np.repeat(np.arange(15), 7), span=1.0, name="t")
    alone = skew_t(np.zeros(15), None, span=1.0, name="t")
    assert grouped.upper(0.05) == pytest.approx(alone.upper(0.05))


def test_groups_that_change_as_one_count_as_cases() -> None:
    """Whole groups that win or lose, among groups that do neither: a group is worth one case."""
    change = np.array([1.0, 1.0, -1.0, *np.zeros(17)])
    grouped = skew_t(np.repeat(change, 4), np.repeat(np.arange(20), 4), span=1.0, name="t")
    alone = skew_t(change, None, span=1.0, name="t")
    # Cases weigh in by the share of the groups that differ, 3 in 20.
    assert grouped.error == pytest.approx(alone.error, rel=0.03)
    assert grouped.error < alone.error


def test_groups_that_all_differ_keep_pseudo_cases() -> None:
    rng = np.random.default_rng(3)
    codes = np.repeat(np.arange(12), 5)
    values = rng.standard_normal(60)
    found = skew_t(values, codes, span=2.0, name="t")
    sums = np.bincount(codes, weights=values - values.mean())
    pseudo = float(((values - np.median(values)) ** 2).mean())
    expected = float(sums @ sums) / (1 - 1 / 12) + 2 * pseudo
    assert (60 * found.error) ** 2 == pytest.approx(expected, rel=1e-4)


def test_equal_values_without_a_scale_have_no_width() -> None:
    found = skew_t(np.full(5, 2.0), None, span=None, name="t")
    assert found.lower(0.05) == found.upper(0.05) == 2.0
    assert found.p_above(1.0) == 0.0
    assert found.p_above(2.0) == 0.5
    assert found.p_above(3.0) == 1.0


@given(
    st.floats(-3, 3),
    st.floats(0.01, 2),
    st.floats(1.5, 200),
    st.floats(-0.6, 0.6),
    st.floats(1e-6, 0.49),
)
def test_tests_invert_the_bounds(
    value: float, error: float, df: float, lean: float, alpha: float
) -> None:
    found = SkewT(value=value, error=error, df=df, lean=lean, name="t")
    assert found.p_above(found.lower(alpha)) == pytest.approx(alpha, rel=1e-5)
    assert found.p_below(found.upper(alpha)) == pytest.approx(alpha, rel=1e-5)


@given(
    st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=3, max_size=40),
    st.integers(-4, 4),
)
@settings(deadline=None)
def test_mirror_shift_and_order(values: list[float], shift: int) -> None:
    d = np.array(values)
    found = skew_t(d, None, span=2.0, name="t")
    mirrored = skew_t(-d, None, span=2.0, name="t")
    moved = skew_t(d[::-1] + shift, None, span=2.0, name="t")
    assert mirrored.lower(0.05) == pytest.approx(-found.upper(0.05), abs=1e-9)
    assert moved.lower(0.05) == pytest.approx(found.lower(0.05) + shift, abs=1e-6)
    assert moved.upper(0.05) == pytest.approx(found.upper(0.05) + shift, abs=1e-6)
