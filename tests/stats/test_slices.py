from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate, stats

from tuneornot.stats import multiplicity, paired, slices

Array = NDArray[np.float64]


def test_raw_differences_are_those_of_each_slice_alone() -> None:
    rng = np.random.default_rng(1)
    b, c = np.round(rng.random((2, 90)) * 4) / 4
    labels = ["law"] * 40 + ["tax"] * 30 + ["tort"] * 20
    found = slices.differences(b, c, labels, scale=(0.0, 1.0), binary=False)
    assert [one.name for one in found] == ["law", "tax", "tort"]
    assert [one.n for one in found] == [40, 30, 20]
    alone = paired.difference(b[40:70], c[40:70], scale=(0.0, 1.0), binary=False)
    assert found[1].raw == alone
    raw = [one.raw.p_value or 0.0 for one in found]
    assert [one.p_holm for one in found] == pytest.approx(multiplicity.holm(raw))


def test_one_slice_is_no_slicing_and_unscored_cases_are_in_none() -> None:
    b, c = np.random.default_rng(2).random((2, 10))
    assert slices.differences(b, c, ["a"] * 10) == ()
    c[5:] = np.nan
    assert slices.differences(b, c, ["a"] * 5 + ["b"] * 5) == ()
    c[5] = 0.5
    found = slices.differences(b, c, ["a"] * 5 + ["b"] * 5)
    assert [(one.name, one.n) for one in found] == [("a", 5), ("b", 1)]
    assert math.isnan(found[1].raw.value)
    assert found[1].p_holm is None
    assert found[1].pooled.low < found[1].pooled.value < found[1].pooled.high


def posterior(
    values: Array, variances: Array, width: float, figure: Callable[[Array, Array], Array]
) -> Array:
    """Posterior expectation of a figure of the conditional means and deviations, by quadrature."""

    def weighed(tau: float) -> Array:
        total = variances + tau**2
        precision = np.sum(1 / total)
        centre = np.sum(values / total) / precision
        density = np.prod(stats.norm.pdf(values, centre, np.sqrt(total))) / math.sqrt(precision)
        pull = variances / total
        mean = pull * centre + (1 - pull) * values
        deviation = np.sqrt((1 - pull) * variances + pull**2 / precision)
        prior = stats.norm.pdf(tau, 0, width)
        return np.append(figure(mean, deviation), 1.0) * float(density * prior)

    found, _ = integrate.quad_vec(weighed, 0, 8 * width)
    return np.asarray(found[:-1] / found[-1], dtype=np.float64)


def test_pooling_agrees_with_quadrature() -> None:
    values = np.array([0.3, 0.05, -0.1, 0.12])
    variances = np.array([0.02, 0.004, 0.01, 0.03])
    pooled = slices.pool(values, variances, width=0.2)
    mean = posterior(values, variances, 0.2, lambda m, _: m)
    assert [one.value for one in pooled] == pytest.approx(mean, abs=1e-3)
    for level, bounds in [
        (0.025, [one.low for one in pooled]),
        (0.05, [one.lower for one in pooled]),
        (0.95, [one.upper for one in pooled]),
        (0.975, [one.high for one in pooled]),
    ]:
        below = posterior(values, variances, 0.2, partial(stats.norm.cdf, np.array(bounds)))
        assert below == pytest.approx(np.full(4, level), abs=1.5e-3)


def test_equal_slices_are_pulled_together_and_large_ones_hardly() -> None:
    pooled = slices.pool(np.array([0.5, 0.0, 0.0]), np.array([0.25, 0.001, 0.001]), width=0.1)
    assert pooled[0].value < 0.1
    assert pooled[1].value == pytest.approx(0.0, abs=0.01)
    far = slices.pool(np.array([0.5, 0.0]), np.array([1e-6, 1e-6]), width=0.3)
    assert far[0].value == pytest.approx(0.5, abs=1e-3)


def test_no_difference_anywhere_is_told_without_an_interval() -> None:
    found = slices.differences(np.ones(8), np.ones(8), list("aaaabbbb"))
    assert [one.pooled.value for one in found] == [0.0, 0.0]
    assert math.isnan(found[0].pooled.low)


def test_groups_make_slices_less_certain() -> None:
    rng = np.random.default_rng(3)
    labels = ["a"] * 100 + ["b"] * 100
    groups = np.repeat(np.arange(20), 10)
    b = np.zeros(200)
    c = np.repeat(rng.normal(size=20), 10) + 0.1 * rng.normal(size=200)
    alone = slices.differences(b, c, labels)
    grouped = slices.differences(b, c, labels, groups=groups)
    for one, many in zip(alone, grouped, strict=True):
        assert many.pooled.high - many.pooled.low > 1.5 * (one.pooled.high - one.pooled.low)


def test_order_of_cases_does_not_matter_and_swapping_flips() -> None:
    rng = np.random.default_rng(4)
    b, c = rng.random((2, 60))
    labels = rng.choice(["x", "y", "z"], size=60)
    found = slices.differences(b, c, labels.tolist())
    order = rng.permutation(60)
    moved = slices.differences(b[order], c[order], labels[order].tolist())
    back = slices.differences(c, b, labels.tolist())
    for one, other, swapped in zip(found, moved, back, strict=True):
        assert other.pooled.value == pytest.approx(one.pooled.value)
        assert swapped.pooled.low == pytest.approx(-one.pooled.high, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("between", [0.0, 0.1, 0.4])
def test_pooled_intervals_cover_and_err_less_than_raw_ones(between: float) -> None:
    rng = np.random.default_rng(5)
    sizes = [8, 15, 15, 30, 60]
    labels = np.repeat(list("abcde"), sizes).tolist()
    covered, raw_error, pooled_error = [], [], []
    for _ in range(300):
        truth = dict(zip("abcde", 0.1 + between * rng.normal(size=5), strict=True))
        b = rng.normal(size=sum(sizes))
        c = b + np.array([truth[label] for label in labels]) + 0.8 * rng.normal(size=sum(sizes))
        for one in slices.differences(b, c, labels):
            true = truth[one.name]
            covered.append(one.pooled.low <= true <= one.pooled.high)
            raw_error.append((one.raw.value - true) ** 2)
            pooled_error.append((one.pooled.value - true) ** 2)
    # Monte Carlo error about 0.008.
    assert 0.925 < np.mean(covered) < 0.995
    assert np.mean(pooled_error) < np.mean(raw_error)
