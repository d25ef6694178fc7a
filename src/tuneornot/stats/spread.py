"""Spread, of three kinds that must not be confused.

    between_cases     how unevenly an arm treats different cases      ratio of standard deviations
    between_repeats   how an arm differs from itself on one case      difference of them
    between_seeds     how one training differs from the next          standard deviation

A better mean with more spread may be worse, and only the second and third kind are unreliability.
Which way is better is the caller's business. For scores of 0 and 1 the spread between cases is a
function of the mean, sqrt(p (1 - p)), and says nothing beyond it. Spread that changes with the case
(heteroscedasticity) is not covered.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from tuneornot.records import Estimate
from tuneornot.stats import bounds, cases, units, zero_one
from tuneornot.stats.cases import Cases, Floats
from tuneornot.stats.resampled import Outer, Percentile, Pivot, undetermined
from tuneornot.stats.units import Rng

TINY = 1e-12
"""Variances below this share of the sample's own are rounding, and count as 0."""


def between_cases(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    binary: bool | None = None,
    alpha: float = 0.05,
    rng: Rng = 0,
) -> Estimate:
    """Standard deviation of the candidate's case means over the baseline's.

    theta = log(sd_c / sd_b) is resampled by unit; its standard error comes from the influence
    values ((c - mean_c)^2/var_c - (b - mean_b)^2/var_b)/2, summed by unit. The interval is the
    outer of expanded percentile and bootstrap-t, taken back from the logarithm: either alone is
    too narrow for skewed scores. Single scores of 0 and 1 without groups: see ``zero_one``.

    Args:
        baseline: (n,) or (n, repeats), NaN for unscored; paired by row with ``candidate``.
        candidate: the same cases.
        groups: (n,) labels of cases that are not independent.
        binary: whether scores are 0 or 1; ``None``: if they all are.
        alpha: error rate of the interval and of each one-sided bound.
        rng: seed or generator of the resampling.

    Returns:
        A ratio; ``p_value`` is of equal spread. NaN where an arm has the same score everywhere or
        there are fewer than three units.
    """
    found = cases.two(baseline, candidate, groups)
    if found.n_groups < 3 or not np.all(found.values.std(axis=0) > TINY):
        return undetermined(alpha, "log-ratio bootstrap")
    if binary is not False and zero_one.single_bits(found):
        first, second = found.values.sum(axis=0)
        exact = zero_one.SpreadRatio(int(first), int(second), found.n)
        logged = bounds.estimate(exact, alpha=alpha, null=0.0)
    else:
        logged = bounds.estimate(_log_ratio(found, alpha, rng), alpha=alpha, null=0.0)
    return _exponential(logged)


def between_repeats(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    alpha: float = 0.05,
    rng: Rng = 0,
) -> Estimate:
    """Instability: pooled standard deviation within cases, candidate minus baseline.

    Each arm's is sqrt(sum_i SS_i / sum_i (r_i - 1)) over the cases that both arms scored at least
    twice, with SS_i the squares around the case's own mean (that of each seed, where an arm has
    several). The interval is the expanded
    percentile of resampled units. An arm that never varies has 0, known only from these cases.

    Args: as ``between_cases``; arms have shape (n, repeats) or (n, seeds, repeats).

    Returns:
        In units of the scores; positive: the candidate is less stable. ``p_value`` is of equal
        instability. NaN with fewer than three units that have two scored repeats in both arms.
    """
    within = [_within_cases(np.asarray(arm, dtype=np.float64)) for arm in (baseline, candidate)]
    columns = np.concatenate(within, axis=1)
    kept = (columns[:, 1] > 0) & (columns[:, 3] > 0)
    labels = None if groups is None else np.asarray(groups)[kept]
    found = cases.two(columns[kept, 0], columns[kept, 2], labels)
    if found.n_groups < 3:
        return undetermined(alpha, "percentile bootstrap")
    random = np.random.default_rng(rng)
    by_unit = units.of(found, random).sums(columns[kept])
    drawn = _resampled(by_unit, alpha, random)
    method = Percentile(
        value=float(_instability(by_unit.sum(axis=0)[np.newaxis])[0]),
        draws=_instability(drawn),
        n_units=len(by_unit),
    )
    return bounds.estimate(method, alpha=alpha, null=0.0)


def between_seeds(runs: Sequence[ArrayLike], *, alpha: float = 0.05) -> Estimate:
    """Standard deviation of the mean score between trainings that differ in the seed only.

    s^2 = sum_k (m_k - mean)^2 / (K - 1) over the seeds' means m_k on the cases that all seeds have
    a score for; (K - 1) s^2 / sigma^2 is taken as chi-square with K - 1 degrees of freedom. Assumes
    that means of trainings are normal, which two or three seeds can neither show nor refute. The
    answers' own randomness is included.

    Args:
        runs: for each seed (n,) or (n, repeats), NaN for unscored, the same cases in one order.
        alpha: error rate of the interval and of each one-sided bound.

    Returns:
        In units of the scores. NaN with fewer than two seeds or no case that all have scored.
    """
    if len(runs) < 2:
        return of_seeds((), alpha=alpha)
    tables = np.stack([_case_means(run) for run in runs])
    shared = tables[:, ~np.any(np.isnan(tables), axis=0)]
    if shared.shape[1] == 0:
        return of_seeds((), alpha=alpha)
    return of_seeds(shared.mean(axis=1).tolist(), alpha=alpha)


def of_seeds(figures: Sequence[float], *, alpha: float = 0.05) -> Estimate:
    """``between_seeds`` from a figure of each seed; NaN where one is, or with fewer than two."""
    method = "chi-square of the seeds' means"
    if len(figures) < 2 or any(map(math.isnan, figures)):
        return undetermined(alpha, method)
    value = float(np.std(figures, ddof=1))
    return bounds.estimate(_SeedSpread(value, len(figures) - 1, method), alpha=alpha, null=None)


@dataclass(frozen=True)
class _SeedSpread:
    """A normal sample's standard deviation by the chi-square distribution."""

    value: float
    df: int
    name: str

    def lower(self, alpha: float) -> float:
        return self._bound(1 - alpha)

    def upper(self, alpha: float) -> float:
        return self._bound(alpha)

    def p_above(self, threshold: float) -> float:
        return float(special.chdtrc(self.df, self.df * self.value**2 / threshold**2))

    def p_below(self, threshold: float) -> float:
        return float(special.chdtr(self.df, self.df * self.value**2 / threshold**2))

    def _bound(self, level: float) -> float:
        quantile = float(special.chdtri(self.df, 1 - level))
        return self.value * math.sqrt(self.df / quantile)


def _log_ratio(found: Cases, alpha: float, rng: Rng) -> Outer:
    """Bounds of log(sd_c / sd_b) from resampled units."""
    random = np.random.default_rng(rng)
    own = found.values.std(axis=0)
    # Standard scores first: the powers below would lose digits far from 0.
    b, c = ((found.values - found.values.mean(axis=0)) / own).T
    powers = np.stack([np.ones(found.n), b, b * b, c, c * c], axis=1)
    by_unit = units.of(found, random).sums(powers)
    i, j = np.triu_indices(by_unit.shape[1])
    features = np.hstack([by_unit, by_unit[:, i] * by_unit[:, j]])
    shift = math.log(own[1] / own[0])
    value, error = _value_and_error(features.sum(axis=0)[np.newaxis], len(by_unit))
    drawn, errors = _value_and_error(_resampled(features, alpha, random), len(by_unit))
    with np.errstate(invalid="ignore", divide="ignore"):
        pivots = (drawn - value) / errors
    centre = shift + float(value[0])
    percentile = Percentile(centre, shift + drawn[~np.isnan(drawn)], len(by_unit))
    pivot = Pivot(centre, float(error[0]), pivots[~np.isnan(pivots)])
    return Outer((percentile, pivot), name="log-ratio bootstrap")


def _value_and_error(sums: Floats, count: int) -> tuple[Floats, Floats]:
    """Log ratio and its standard error from weighted sums of powers and of their products.

    Args:
        sums: (resamples, 20): of 1, b, b^2, c, c^2, then of the products of their unit sums.
        count: how many units.
    """
    i, j = np.triu_indices(5)
    n = sums[:, 0]
    mean_b, mean_c = sums[:, 1] / n, sums[:, 3] / n
    var_b, var_c = sums[:, 2] / n - mean_b**2, sums[:, 4] / n - mean_c**2
    var_b, var_c = np.where(var_b > TINY, var_b, 0.0), np.where(var_c > TINY, var_c, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = 0.5 * np.log(var_c / var_b)
        # A unit's influence is linear in its sums, so its square is linear in their products.
        linear = 0.5 * np.stack(
            [
                mean_c**2 / var_c - mean_b**2 / var_b,
                2 * mean_b / var_b,
                -1 / var_b,
                -2 * mean_c / var_c,
                1 / var_c,
            ],
            axis=1,
        )
        square = linear[:, i] * linear[:, j] * np.where(i == j, 1.0, 2.0)
        variance = np.sum(square * sums[:, 5:], axis=1) / n**2 * count / (count - 1)
    return value, np.sqrt(np.maximum(variance, 0.0))


def _within_cases(scores: Floats) -> Floats:
    """Squares around each case's (and seed's) own mean, and their degrees of freedom: (n, 2)."""
    layers = scores if scores.ndim == 3 else scores[:, np.newaxis, :]
    there = ~np.isnan(layers)
    count = there.sum(axis=2, keepdims=True)
    mean = np.where(there, layers, 0.0).sum(axis=2, keepdims=True) / np.maximum(count, 1)
    squares = np.where(there, (layers - mean) ** 2, 0.0).sum(axis=(1, 2))
    freedom = np.maximum(count - 1, 0).sum(axis=(1, 2))
    return np.stack([squares, freedom.astype(np.float64)], axis=1)


def _instability(sums: Floats) -> Floats:
    """Difference of pooled standard deviations from (resamples, 4): SS_b, df_b, SS_c, df_c."""
    difference: Floats = np.sqrt(sums[:, 2] / sums[:, 3]) - np.sqrt(sums[:, 0] / sums[:, 1])
    return difference


def _resampled(by_unit: Floats, alpha: float, random: np.random.Generator) -> Floats:
    """Weighted sums of the columns of (units, k) in every resample: (resamples, k)."""
    count = len(by_unit)
    drawn = units.weights(count, units.n_resamples(alpha), random)
    return np.concatenate([weights @ by_unit for weights in drawn])


def _case_means(run: ArrayLike) -> Floats:
    table = np.asarray(run, dtype=np.float64)
    if table.ndim == 1:
        return table
    there = ~np.isnan(table)
    count = there.sum(axis=1)
    total = np.where(there, table, 0.0).sum(axis=1)
    means: Floats = np.divide(total, count, out=np.full(len(table), np.nan), where=count > 0)
    return means


def _exponential(logged: Estimate) -> Estimate:
    with np.errstate(over="ignore"):
        value, low, high, lower, upper = np.exp(
            [logged.value, logged.low, logged.high, logged.lower, logged.upper]
        ).tolist()
    return Estimate(
        value=value,
        low=low,
        high=high,
        lower=lower,
        upper=upper,
        level=logged.level,
        method=logged.method,
        p_value=logged.p_value,
    )
