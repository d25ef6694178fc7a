"""Agreement against published examples, scipy, closed forms and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tuneornot.stats import agreement

NAN = math.nan


def test_kappa_of_the_usual_two_by_two_table() -> None:
    # 20 both yes, 5 and 10 apart, 15 both no: observed 0.7, by chance 0.5.
    first = np.repeat([1.0, 1.0, 0.0, 0.0], [20, 5, 10, 15])
    second = np.repeat([1.0, 0.0, 1.0, 0.0], [20, 5, 10, 15])
    made = agreement.kappa(first, second)
    assert made.value == pytest.approx(0.4)
    assert made.low < 0.4 < made.high


def test_kappa_of_grades_is_the_quadratic_one() -> None:
    rng = np.random.default_rng(1)
    first = rng.integers(0, 5, 200)
    second = np.clip(first + rng.integers(-1, 2, 200), 0, 4)
    table = np.zeros((5, 5))
    np.add.at(table, (first, second), 1 / 200)
    weights = np.subtract.outer(np.arange(5), np.arange(5)) ** 2
    chance = np.outer(table.sum(axis=1), table.sum(axis=0))
    wanted = 1 - (weights * table).sum() / (weights * chance).sum()
    assert agreement.kappa(first / 4, second / 4).value == pytest.approx(wanted)


def test_alpha_of_krippendorffs_example() -> None:
    # Four observers, twelve units with gaps (Krippendorff 2011, table E): alpha for interval data.
    rows = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
    assert agreement.alpha(np.array(rows).T).value == pytest.approx(0.849, abs=0.0005)


def test_alpha_of_two_complete_columns_is_close_to_kappa_and_one_when_equal() -> None:
    rng = np.random.default_rng(2)
    first = rng.integers(0, 2, 300).astype(float)
    second = np.where(rng.random(300) < 0.8, first, 1 - first)
    both = agreement.alpha(np.column_stack([first, second]))
    assert both.value == pytest.approx(agreement.kappa(first, second).value, abs=0.01)
    assert agreement.alpha(np.column_stack([first, first])).value == 1


def test_nothing_is_said_where_nothing_varies_or_little_is_known() -> None:
    assert math.isnan(agreement.kappa(np.ones(20), np.ones(20)).value)
    assert math.isnan(agreement.alpha(np.ones((20, 2))).value)
    assert math.isnan(agreement.kappa([0.0, 1.0], [0.0, 1.0]).value)
    assert math.isnan(agreement.kappa([NAN] * 9, [1.0] * 9).value)
    assert math.isnan(agreement.dependence(np.arange(9.0), np.ones(9)).value)
    assert math.isnan(agreement.rate(0, 0).value)


def test_the_exact_interval_is_scipys() -> None:
    for k, n in ((0, 12), (7, 20), (20, 20)):
        made = agreement.rate(k, n)
        wanted = stats.binomtest(k, n).proportion_ci(0.95, method="exact")
        assert (made.low, made.high) == pytest.approx((wanted.low, wanted.high))


def test_the_test_of_one_half_is_scipys() -> None:
    for k, n in ((3, 20), (14, 20), (10, 20)):
        found = agreement.against_half(k, n).p_value
        assert found == pytest.approx(stats.binomtest(k, n, 0.5).pvalue)


def test_the_slope_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal(50)
    y = 0.3 * x + rng.standard_normal(50)
    assert agreement.dependence(y, x).value == pytest.approx(stats.linregress(x, y).slope)


@pytest.mark.parametrize("per_group", [1, 4])
def test_the_slope_is_covered_though_the_noise_grows_with_it(per_group: int) -> None:
    rng = np.random.default_rng(4)
    held, n_sets, n = 0, 1000, 80
    groups = np.arange(n) // per_group
    for _ in range(n_sets):
        x = rng.standard_normal(n // per_group)[groups]
        noise = rng.standard_normal(n // per_group)[groups] + rng.standard_normal(n)
        made = agreement.dependence(
            0.5 * x + (0.3 + np.abs(x)) * noise, x, groups=None if per_group == 1 else groups
        )
        held += made.low <= 0.5 <= made.high
    assert 0.90 <= held / n_sets <= 0.98


def test_the_interval_of_kappa_covers() -> None:
    rng = np.random.default_rng(5)
    # Ones and zeros alike often, judged right four times in five: kappa is 0.6.
    held, n_sets = 0, 400
    for _ in range(n_sets):
        truth = rng.integers(0, 2, 100).astype(float)
        said = np.where(rng.random(100) < 0.8, truth, 1 - truth)
        made = agreement.kappa(truth, said, rng=rng)
        held += made.low <= 0.6 <= made.high
    assert 0.92 <= held / n_sets <= 0.98


def test_groups_widen_the_interval_of_kappa() -> None:
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 2, 40).repeat(5).astype(float)
    right = (rng.random(40) < 0.8).repeat(5)
    said = np.where(right, truth, 1 - truth)
    alone = agreement.kappa(truth, said)
    grouped = agreement.kappa(truth, said, groups=np.arange(200) // 5)
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)
