from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats

from tuneornot.stats import paired
from tuneornot.stats.studentised import skew_t
from tuneornot.stats.whole import Figure, Paired

Array = NDArray[np.float64]


def mean(sums: Array) -> Array:
    """Of parts (value, 1): the mean as a ratio of sums."""
    found: Array = sums[..., 0] / sums[..., 1]
    return found


def parts(values: Array) -> Array:
    return np.column_stack([values, np.ones(len(values))])


def failed(rows: Array) -> Array:
    made = rows.copy()
    made[..., 0] = 0.0
    return made


def grades(seed: int, n: int = 80) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    first = rng.beta(3, 2, n)
    return first, np.clip(first + rng.normal(0.05, 0.2, n), 0, 1)


def test_of_a_mean_it_is_the_interval_of_the_mean() -> None:
    # A mean's pseudo-values are its values, so the jackknife is the interval of paired.difference;
    # the percentile of a mean lies within a hair of it.
    first, second = grades(1)
    made = Paired(parts(first), parts(second), failed, alpha=0.05).difference(mean)
    usual = paired.difference(first, second, binary=False, scale=(None, None))
    assert made.value == pytest.approx(usual.value)
    for name in ("low", "high", "lower", "upper"):
        assert getattr(made, name) == pytest.approx(getattr(usual, name), abs=0.006)
    assert made.p_value == pytest.approx(usual.p_value, abs=0.01)


def test_the_jackknife_of_a_ratio_is_near_the_delta_method() -> None:
    rng = np.random.default_rng(2)
    n = 400
    rows = [np.column_stack([rng.poisson(3, n), 1 + rng.poisson(5, n)]).astype(float)] * 2
    arms = Paired(rows[0], rows[1] + np.array([1.0, 0.0]), failed)
    ratio = rows[0][:, 0].sum() / rows[0][:, 1].sum()
    # Level of one arm: influence (a - ratio b) / mean(b).
    influence = (rows[0][:, 0] - ratio * rows[0][:, 1]) / rows[0][:, 1].mean()
    error = influence.std(ddof=1) / math.sqrt(n)
    level = arms.level(mean, 0)
    assert level.value == pytest.approx(ratio)
    assert (level.high - level.low) / 2 == pytest.approx(1.966 * error, rel=0.06)
    assert level.p_value is None
    # The difference is 1 / mean(b) in every resample's terms: its error is that of 1 / mean(b).
    apart = arms.difference(mean)
    assert apart.value == pytest.approx(1 / rows[0][:, 1].mean())
    assert apart.low < apart.value < apart.high
    slope = rows[0][:, 1].std(ddof=1) / rows[0][:, 1].mean() ** 2
    assert arms.deviation(mean) == pytest.approx(slope, rel=0.05)


def test_swapping_arms_flips_and_shuffling_cases_changes_nothing() -> None:
    first, second = grades(3, n=40)
    made = Paired(parts(first), parts(second), failed).difference(mean)
    turned = Paired(parts(second), parts(first), failed).difference(mean)
    assert turned.value == pytest.approx(-made.value)
    assert (turned.low, turned.high) == pytest.approx((-made.high, -made.low), abs=0.004)
    order = np.random.default_rng(0).permutation(40)
    mixed = Paired(parts(first[order]), parts(second[order]), failed).difference(mean)
    assert (mixed.low, mixed.high) == pytest.approx((made.low, made.high), abs=0.004)


def test_arms_that_never_differ_are_not_certain_to_be_equal() -> None:
    right = np.ones(50)
    made = Paired(parts(right), parts(right), failed, alpha=0.05).difference(mean)
    usual = skew_t(np.zeros(50), None, span=1.0, name="")
    assert made.value == 0
    assert made.low < -0.02
    assert (made.low, made.high) == pytest.approx((usual.lower(0.025), usual.upper(0.025)))


def test_groups_are_taken_out_and_drawn_as_one() -> None:
    first, second = grades(4, n=30)
    labels = [f"g{i}" for i in range(30)]
    copied = [np.repeat(arm, 5) for arm in (first, second)]
    alone = Paired(parts(first), parts(second), failed).difference(mean)
    grouped = Paired(
        parts(copied[0]), parts(copied[1]), failed, groups=np.repeat(labels, 5)
    ).difference(mean)
    blind = Paired(parts(copied[0]), parts(copied[1]), failed).difference(mean)
    assert (grouped.low, grouped.high) == pytest.approx((alone.low, alone.high), abs=1e-9)
    assert blind.high - blind.low < 0.6 * (grouped.high - grouped.low)


def test_bounds_keep_to_what_is_possible_and_nothing_is_claimed_of_nothing() -> None:
    first, second = np.zeros(12), np.ones(12)
    arms = Paired(parts(first), parts(second), failed)
    assert arms.difference(mean, within=(-1.0, 1.0)).high == 1
    none = arms.difference(lambda sums: np.full(sums.shape[:-1], np.nan))
    assert math.isnan(none.value)
    assert math.isnan(none.low)
    two = Paired(parts(first[:2]), parts(second[:2]), failed)
    assert math.isnan(two.difference(mean).value)


def test_the_same_seed_gives_the_same_interval() -> None:
    first, second = grades(5)
    made = [Paired(parts(first), parts(second), failed, rng=7).difference(mean) for _ in range(2)]
    assert made[0] == made[1]


def macro(sums: Array) -> Array:
    right, named, expected = np.split(sums, 3, axis=-1)
    f1 = 2 * right / np.maximum(named + expected, 1e-12)
    found: Array = f1.mean(axis=-1)
    return found


def nameless(rows: Array) -> Array:
    third = rows.shape[-1] // 3
    made = rows.copy()
    made[..., : 2 * third] = 0.0
    return made


def choices(rng: np.random.Generator, n: int, quality: tuple[float, float]) -> list[Array]:
    """Parts of two arms on n cases of three labels, of which one is rare; rights go together."""
    expected = rng.choice(3, size=n, p=[0.6, 0.3, 0.1])
    shared = rng.normal(size=n)
    made, one_hot = [], np.eye(3)
    for level in quality:
        luck = special.ndtr(0.7 * shared + math.sqrt(1 - 0.49) * rng.normal(size=n))
        right = luck < level - 0.1 * expected
        named = np.where(right, expected, (expected + rng.integers(1, 3, n)) % 3)
        hot = one_hot[expected], one_hot[named]
        made.append(np.hstack([hot[0] * hot[1], hot[1], hot[0]]))
    return made


def coverage(
    figure: Figure, n: int, quality: tuple[float, float], *, n_runs: int
) -> tuple[float, float]:
    """Share of two-sided 95% intervals that hold the truth, and of one-sided claims that err."""
    truth = [
        float(figure(arm.sum(axis=0))) for arm in choices(np.random.default_rng(0), 10**6, quality)
    ]
    apart, rng = truth[1] - truth[0], np.random.default_rng(1)
    held = wrong = 0
    for run in range(n_runs):
        first, second = choices(rng, n, quality)
        made = Paired(first, second, nameless, rng=run).difference(figure)
        held += made.low <= apart <= made.high
        wrong += made.lower > apart
    return held / n_runs, wrong / n_runs


@pytest.mark.slow
@pytest.mark.parametrize("n", [50, 100, 300])
def test_intervals_of_a_difference_in_macro_f1_hold_the_truth(n: int) -> None:
    n_runs = 400
    held, wrong = coverage(macro, n, (0.75, 0.85), n_runs=n_runs)
    least = stats.binom.ppf(0.001, n_runs, 0.935) / n_runs
    assert held >= least
    assert wrong <= stats.binom.ppf(0.999, n_runs, 0.06) / n_runs
