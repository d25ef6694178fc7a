"""Two whole score distributions, and which arm wins case by case.

    ecdf           one arm's distribution function in a simultaneous band
    wasserstein    how far apart the two distributions are, in score units
    dominance      how far the candidate is from being better at every quantile
    superiority    chance that the candidate is better on a case, ties counted half
    tally          wins, ties, losses

The first three look at each arm's distribution by itself: two arms that succeed on different cases
can have equal ones. The last two look at pairs and not at sizes. High scores are good: the caller
turns scores for which less is better. Repeats are averaged before anything is looked at.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from tuneornot.records import Estimate
from tuneornot.stats import bounds, cases, marginals, paired, units
from tuneornot.stats.cases import Floats
from tuneornot.stats.resampled import StudentT, undetermined
from tuneornot.stats.units import Rng

N_LEVELS = 100
"""Quantiles at which the order of two resampled distributions is looked at."""

N_FOR_ERROR = 500
"""Resamples for a standard error: they determine it to 3%."""


class Curve(NamedTuple):
    """A distribution function at its steps, each (K,), in a band that holds everywhere at once."""

    x: Floats
    share: Floats
    low: Floats
    high: Floats


def ecdf(
    scores: ArrayLike, *, groups: ArrayLike | None = None, alpha: float = 0.05, rng: Rng = 0
) -> Curve:
    """Empirical distribution function of the case means.

    For independent cases the band is share +- sqrt(log(2/alpha)/(2n)), which holds for every
    distribution and n (Dvoretzky-Kiefer-Wolfowitz with Massart's constant); with groups its half
    width is the 1 - alpha quantile of the greatest distance of resampled from observed shares.

    Source: Massart, P. (1990), The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality,
    Annals of Probability 18, 1269-1283.

    Raises:
        ValueError: no case has a score.
    """
    found = cases.one(scores, groups)
    if not found.n:
        raise ValueError("A distribution function needs at least one score; none is given.")
    x, counts = np.unique(found.values, return_counts=True)
    share = np.cumsum(counts) / found.n
    if found.codes is None:
        half = math.sqrt(math.log(2 / alpha) / (2 * found.n))
    else:
        random = np.random.default_rng(rng)
        own = units.of(found, random)
        arm = marginals.of(found.values, own)
        seen = marginals.cumulative(arm, np.ones((1, own.count)))
        drawn = [
            np.abs(marginals.cumulative(arm, weights) - seen).max(axis=1)
            for weights in units.weights(own.count, units.n_resamples(alpha), random)
        ]
        half = float(np.quantile(np.concatenate(drawn), 1 - alpha))
    return Curve(x, share, np.maximum(share - half, 0.0), np.minimum(share + half, 1.0))


def wasserstein(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    alpha: float = 0.05,
    rng: Rng = 0,
) -> Estimate:
    """Distance between the two distributions of case means: the integral of |F_c - F_b|.

    The mean of |c_(i) - b_(i)| over the sorted scores: how far scores must be moved, on average, to
    turn one distribution into the other. It is above 0 even for equal arms, so the interval is not
    made of resampled distances but of their error: by the triangle inequality |estimate - truth|
    is at most T = integral |(F_c - F_b) - (truth)|, whose 1 - alpha quantile is resampled by unit.
    Bounds are estimate -+ that quantile, widened for few units, not below 0; they err on the wide
    side.

    Args:
        baseline: (n,) or (n, repeats), NaN for unscored; paired by row with ``candidate``.
        candidate: the same cases.
        groups: (n,) labels of cases that are not independent.
        alpha: error rate of the interval and of each one-sided bound.
        rng: seed or generator of the resampling.

    Returns:
        In units of the scores; ``p_value`` is of equal distributions. NaN with fewer than three
        units.
    """
    name = "bootstrap of the distance's error"
    found = cases.two(baseline, candidate, groups)
    if found.n_groups < 3:
        return undetermined(alpha, name)
    random = np.random.default_rng(rng)
    own = units.of(found, random)
    cuts = marginals.edges(found.values.ravel())
    arms = [marginals.of(column, own, cuts) for column in found.values.T]
    steps = np.diff(cuts[0])
    seen = _gap(arms, np.ones((1, own.count)))
    drawn = [
        np.abs(_gap(arms, weights) - seen)[:, :-1] @ steps
        for weights in units.weights(own.count, units.n_resamples(alpha, 1000), random)
    ]
    errors = np.concatenate(drawn) * _widening(found.n_groups, alpha)
    value = float(np.abs(np.diff(np.sort(found.values, axis=0), axis=1)).mean())
    half = float(np.quantile(errors, 1 - alpha, method="higher"))
    return Estimate(
        value=value,
        low=max(0.0, value - half),
        high=value + half,
        lower=max(0.0, value - half),
        upper=value + half,
        level=1 - alpha,
        method=name,
        p_value=(int(np.sum(errors >= value)) + 1) / (len(errors) + 1),
    )


def dominance(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    alpha: float = 0.05,
    rng: Rng = 0,
) -> Estimate:
    """Violation ratio of almost stochastic order: 0 where the candidate dominates, 1 the reverse.

    e = integral of (Q_b - Q_c)^2 over the levels where Q_b > Q_c, divided by the same integral over
    all levels, with Q the quantile functions of the case means. An upper bound below 1/2 says that
    the candidate is almost stochastically greater. The interval is e -+ t times the resampled
    standard error, within 0 and 1; where the distributions nearly coincide it is rightly wide.

    Args: as ``wasserstein``.

    Returns:
        A ratio without test. NaN where both distributions are equal or units are fewer than three.

    Source: del Barrio, E., Cuesta-Albertos, J. A. & Matran, C. (2018), An optimal transportation
    approach for assessing almost stochastic order, in The mathematics of the uncertain, 33-44;
    Dror, R., Shlomov, S. & Reichart, R. (2019), Deep dominance, ACL, 2773-2785.
    """
    name = "almost stochastic order, t bootstrap"
    found = cases.two(baseline, candidate, groups)
    if found.n_groups < 3:
        return undetermined(alpha, name)
    value = float(_violation(*np.sort(found.values, axis=0).T[:, np.newaxis])[0])
    if math.isnan(value):
        return undetermined(alpha, name)
    random = np.random.default_rng(rng)
    own = units.of(found, random)
    first, second = (marginals.of(column, own) for column in found.values.T)
    levels = (np.arange(N_LEVELS) + 0.5) / N_LEVELS
    drawn = [
        _violation(
            marginals.quantiles(first, marginals.cumulative(first, weights), levels),
            marginals.quantiles(second, marginals.cumulative(second, weights), levels),
        )
        for weights in units.weights(own.count, N_FOR_ERROR, random)
    ]
    # Where a resample leaves no difference there is no order: as far from 0 as from 1.
    error = float(np.nan_to_num(np.concatenate(drawn), nan=0.5).std())
    made = bounds.estimate(StudentT(value, error, found.n_groups - 1, name), alpha=alpha, null=None)
    return bounds.within(made, 0.0, 1.0)


def superiority(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    alpha: float = 0.05,
    rng: Rng = 0,
) -> Estimate:
    """Chance that the candidate's score of a case is higher, ties counted half.

    (1 + (wins - losses)/n)/2. Wins and losses are the discordant pairs of two 0/1 scores, so the
    interval and the test are those of their mean difference (``paired.difference``), halved and
    moved by 1/2. Sizes do not matter: many small wins outweigh a few disasters.

    Args: as ``wasserstein``.

    Returns:
        A probability; ``p_value`` is of 1/2. NaN with fewer than two units.
    """
    found = cases.two(baseline, candidate, groups)
    gains = found.values[:, 1] - found.values[:, 0]
    made = paired.difference(
        (gains < 0).astype(np.float64),
        (gains > 0).astype(np.float64),
        groups=found.codes,
        scale=(0.0, 1.0),
        alpha=alpha,
        rng=rng,
    )
    return halved(made)


def halved(made: Estimate) -> Estimate:
    """Superiority from the difference of the rates of wins and losses: (1 + d)/2."""
    return Estimate(
        value=(1 + made.value) / 2,
        low=(1 + made.low) / 2,
        high=(1 + made.high) / 2,
        lower=(1 + made.lower) / 2,
        upper=(1 + made.upper) / 2,
        level=made.level,
        method=made.method,
        p_value=made.p_value,
    )


def tally(baseline: ArrayLike, candidate: ArrayLike) -> tuple[int, int, int]:
    """Cases that the candidate wins, ties and loses, by their mean over repeats."""
    found = cases.two(baseline, candidate)
    gains = found.values[:, 1] - found.values[:, 0]
    wins, losses = int(np.sum(gains > 0)), int(np.sum(gains < 0))
    return wins, found.n - wins - losses, losses


def _widening(n_units: int, alpha: float) -> float:
    """By how much resampled errors are too small: n in place of n - 1, and normal in place of t."""
    t, z = special.stdtrit(n_units - 1, 1 - alpha / 2), special.ndtri(1 - alpha / 2)
    return math.sqrt(n_units / (n_units - 1)) * float(t / z)


def _gap(arms: list[marginals.Marginal], weights: Floats) -> Floats:
    """Candidate's less baseline's distribution function in every resample: (resamples, K)."""
    return marginals.cumulative(arms[1], weights) - marginals.cumulative(arms[0], weights)


def _violation(baseline: Floats, candidate: Floats) -> Floats:
    """Violation ratio from quantiles (resamples, levels) each; NaN without any difference."""
    behind = np.maximum(baseline - candidate, 0.0)
    worse = np.einsum("bt,bt->b", behind, behind)
    both = np.einsum("bt,bt->b", baseline - candidate, baseline - candidate)
    ratio: Floats = np.divide(worse, both, out=np.full(len(both), np.nan), where=both > 0)
    return ratio
