"""The worst cases and the ends of two score distributions.

    worst_tenth      mean of each arm's own worst tenth of cases, and their difference
    catastrophic     rate of the worst possible score, and the difference of the rates
    quantile_shift   differences of several quantiles in one simultaneous band

Low scores are bad: the caller turns scores for which less is better. Each arm's worst cases are its
own, not the same cases. On a scale with a lower end, ``worst_tenth`` allows for failures that did
not happen among the cases seen (``unseen``); without one, nothing is said of scores worse than any.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from tuneornot.records import Estimate
from tuneornot.stats import bounds, cases, marginals, paired, units, zero_one
from tuneornot.stats.cases import Cases, Floats, Scale
from tuneornot.stats.marginals import Marginal
from tuneornot.stats.resampled import Outer, Percentile, StudentT, undetermined
from tuneornot.stats.studentised import skew_t
from tuneornot.stats.units import Rng
from tuneornot.stats.unseen import UnseenTail

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


def lower_mean(scores: ArrayLike, share: float = 0.1) -> float:
    """Mean of the lowest ``share`` of one arm's case means (expected shortfall).

    (1/s) integral_0^s Q(t) dt for the inverse Q of the distribution function: with n cases the
    s n lowest, the last one counted by the part of it that is needed. NaN without scores.

    Args:
        scores: (n,) or (n, repeats), NaN for unscored.
        share: above 0, at most 1; at 1 this is the mean.

    Source: Rockafellar, R. T. & Uryasev, S. (2002), Conditional value-at-risk for general loss
    distributions, Journal of Banking & Finance 26, 1443-1471.
    """
    values = cases.one(scores).values
    if not len(values):
        return math.nan
    wanted = share * len(values)
    whole = min(math.ceil(wanted), len(values))
    lowest = np.sort(np.partition(values, whole - 1)[:whole])
    last = 1.0 - (whole - wanted)
    return float((lowest[:-1].sum() + last * lowest[-1]) / wanted)


def worst_tenth(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    scale: Scale = (None, None),
    share: float = 0.1,
    alpha: float = 0.05,
    rng: Rng = 0,
) -> Estimate:
    """Difference of the means of each arm's lowest tenth of cases, candidate minus baseline.

    Units are resampled with both arms; the interval is the widest of: the expanded percentile; t
    with the resampled standard error and share * units - 1 degrees of freedom, at least 2; the
    skewness-adjusted t of the influence values; and, where ``scale`` has a lower end, the tail with
    as many failures added as may have stayed unseen (``UnseenTail``). Without the last the lower
    bound errs by 10 to 20% where 1 to 6% of the candidate's cases fail and 30 to 100 are seen.
    For single scores of 0 and 1 without groups the figure is a function of the failure rates,
    max(0, 1 - rate/share), and so is its interval (``zero_one``).

    Args:
        baseline: (n,) or (n, repeats), NaN for unscored; paired by row with ``candidate``.
        candidate: the same cases.
        groups: (n,) labels of cases that are not independent.
        scale: least and greatest possible score, ``None`` where there is none.
        share: what counts as the tail.
        alpha: error rate of the interval and of each one-sided bound.
        rng: seed or generator of the resampling.

    Returns:
        In units of the scores; ``p_value`` is of equal tails. NaN with fewer than three units.
    """
    found = cases.two(baseline, candidate, groups)
    if found.n_groups < 3:
        return undetermined(alpha, "bootstrap of the worst tenth")
    if zero_one.single_bits(found):
        right = found.values.sum(axis=0)
        exact = zero_one.TailDifference(int(right[0]), int(right[1]), found.n, share)
        return bounds.estimate(exact, alpha=alpha, null=0.0)
    random = np.random.default_rng(rng)
    first, second, own = _marginals(found, random)
    drawn = [
        marginals.lower_mean(second, weights, share) - marginals.lower_mean(first, weights, share)
        for weights in units.weights(own.count, units.n_resamples(alpha), random)
    ]
    value = lower_mean(found.values[:, 1], share) - lower_mean(found.values[:, 0], share)
    draws = np.concatenate(drawn)
    span = None if scale[0] is None or scale[1] is None else (scale[1] - scale[0]) / share
    name = "widest of percentile, t bootstrap and skewness-adjusted t"
    error = float(draws.std())
    methods: list[bounds.Bounds] = [
        Percentile(value, draws, found.n_groups),
        # A mean of so few cases: as many degrees of freedom as the tail has units, less one.
        StudentT(value, error, max(share * found.n_groups - 1, 2.0)),
        skew_t(_influence(found.values, share), found.codes, span=span, name="tail t"),
    ]
    if scale[0] is not None:
        name += ", with unseen failures"
        low, high = np.sort(found.values, axis=0).T
        methods.append(UnseenTail(low, high, scale[0], found.n_groups, share))
    method = Outer(tuple(methods), name=name)
    return bounds.estimate(method, alpha=alpha, null=0.0, noise=error)


def _influence(values: Floats, share: float) -> Floats:
    """What each case adds to the difference of the lowest means: (n, 2) to (n,), its mean is that.

    For one arm with quantile q at the share s: q - max(q - x, 0)/s.
    """
    q = np.quantile(values, share - marginals.ROUNDING, axis=0, method="inverted_cdf")
    arms = q - np.maximum(q - values, 0.0) / share
    influence: Floats = arms[:, 1] - arms[:, 0]
    return influence


def catastrophic(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    threshold: float,
    groups: ArrayLike | None = None,
    alpha: float = 0.05,
    rng: Rng = 0,
) -> Estimate:
    """Difference of the rates of scores at or below a threshold, baseline minus candidate.

    Positive: the candidate has fewer of them. Interval and test are those of the mean difference of
    0/1 scores (``paired.difference``); with repeats, a case counts by the share of its answers.

    Args: as ``worst_tenth``; ``threshold`` is usually the least possible score.
    """
    safe = [_above(arm, threshold) for arm in (baseline, candidate)]
    return paired.difference(
        safe[0], safe[1], groups=groups, scale=(0.0, 1.0), alpha=alpha, rng=rng
    )


class Shift(NamedTuple):
    """Difference of one quantile, candidate minus baseline."""

    q: float
    value: float
    low: float
    high: float


def quantile_shift(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    levels: Sequence[float] = LEVELS,
    alpha: float = 0.05,
    rng: Rng = 0,
) -> tuple[Shift, ...]:
    """Differences of quantiles of the case means, in a band that holds for all at once.

    Quantiles are the inverse of the distribution function. The band is made of pointwise
    percentile intervals at one common level, chosen so that a share 1 - alpha of the resamples
    lies within all of them; unlike a band of equal standard errors it follows skewed and stepped
    distributions. Units are resampled with both arms. Empty with fewer than three units.

    Source: Montiel Olea, J. L. & Plagborg-Moller, M. (2019), Simultaneous confidence bands, Journal
    of Applied Econometrics 34, 1-17 (the quantile-based band).
    """
    found = cases.two(baseline, candidate, groups)
    if found.n_groups < 3:
        return ()
    random = np.random.default_rng(rng)
    wanted = np.asarray(levels, dtype=np.float64)
    first, second, own = _marginals(found, random)
    drawn = [
        marginals.quantiles(second, marginals.cumulative(second, weights), wanted)
        - marginals.quantiles(first, marginals.cumulative(first, weights), wanted)
        for weights in units.weights(own.count, units.n_resamples(alpha), random)
    ]
    low, high = _band(np.concatenate(drawn), alpha)
    ends = np.quantile(found.values, wanted - marginals.ROUNDING, axis=0, method="inverted_cdf")
    values = ends[:, 1] - ends[:, 0]
    low, high = np.minimum(low, values), np.maximum(high, values)
    rows = zip(levels, values.tolist(), low.tolist(), high.tolist(), strict=True)
    return tuple(Shift(*row) for row in rows)


def _band(draws: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Ends (L,) of a simultaneous band from resamples (B, L).

    A resample is as extreme as the lower of its ranks from either end in any column; the band keeps
    the 1 - alpha least extreme ones.
    """
    total = len(draws)
    below = stats.rankdata(draws, method="max", axis=0)
    above = total + 1 - stats.rankdata(draws, method="min", axis=0)
    depth = np.minimum(below, above).min(axis=1)
    cut = max(int(np.quantile(depth, alpha, method="lower")), 1)
    ordered = np.sort(draws, axis=0)
    return ordered[cut - 1], ordered[total - cut]


def _marginals(found: Cases, random: np.random.Generator) -> tuple[Marginal, Marginal, units.Units]:
    own = units.of(found, random)
    return marginals.of(found.values[:, 0], own), marginals.of(found.values[:, 1], own), own


def _above(arm: ArrayLike, threshold: float) -> Floats:
    """1 for scores above a threshold, 0 for others, NaN for unscored."""
    scores = np.asarray(arm, dtype=np.float64)
    return np.where(np.isnan(scores), np.nan, (scores > threshold).astype(np.float64))
