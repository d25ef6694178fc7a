"""What more of the same training data would bring: a power law through a few measured sizes.

A gain that grows with n training cases as

    g(n) = last + rise h(n),   h(n) = ((n / N) ** power - 1) / |(n_1 / N) ** power - 1|

where N is the largest measured size and n_1 the smallest, so that ``last`` is the gain at N and
``rise`` what it grew from n_1 to N; below 0 the power turns the sign of h. A power below 0 is the
usual law of learning, an error that falls as n ** power towards a limit (Hestness et al. 2017, Deep
Learning Scaling is Predictable, Empirically, arXiv:1712.00409); 0 is so much for every doubling;
above 0 each doubling brings more than the one before, as at the foot of a curve that has only begun
to rise.

Three to five noisy points do not fix three numbers, so none is chosen: every power is weighted by
how well it explains the points, under a flat prior of all three. Given the power the gain at a size
is normal (generalised least squares), so the forecast is a mixture of normals, wide where the
points say little.

It assumes that what comes is like what is there, but not that more of it helps. It knows nothing of
models, and does not say whether a gain is worth having.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import norm

from tuneornot.records import Estimate
from tuneornot.stats.cases import Floats

POWERS = np.linspace(-2, 1, 60)
"""Powers thought possible, from all but done to growing in proportion; 0 itself is not among them,
since there the law is that of the logarithm, which its neighbours cannot be told from."""
OWN = 0.25
"""Least part of a gain's variance that is taken to be its own. Two sizes judged on the same few
cases may differ in no answer; that does not mean that trainings never differ by chance."""
LEAST_SIZES = 3
"""With fewer points any power explains them."""


class _Mixture(NamedTuple):
    """Normals, one for each power."""

    weights: Floats
    means: Floats
    deviations: Floats


def forecast(
    sizes: ArrayLike,
    gains: ArrayLike,
    covariance: ArrayLike,
    *,
    at: float,
    most: float,
    alpha: float = 0.05,
) -> Estimate:
    """The gain at another size, with everything that could explain the measured ones.

    Args:
        sizes: (k,) training cases, at least three different, increasing.
        gains: (k,) measured gains; higher is better.
        covariance: (k, k) of the errors of the gains; positive on the diagonal.
        at: the size asked for; beyond the largest it is an extrapolation.
        most: the largest gain that scores allow; infinite where they have no end.
        alpha: error rate of the interval.

    Returns:
        The posterior mean with its central interval; bounds at ``alpha`` on one side.

    Raises:
        ValueError: the sizes do not increase, are too few, or the arrays do not fit together.
    """
    n, seen = np.asarray(sizes, dtype=float), np.asarray(gains, dtype=float)
    errors = np.asarray(covariance, dtype=float)
    if n.ndim != 1 or len(n) < LEAST_SIZES or not (np.diff(n) > 0).all() or not n[0] > 0:
        raise ValueError(
            f"A power law needs at least {LEAST_SIZES} sizes above 0 that increase, found "
            f"{n.tolist()!r}. Measure more sizes."
        )
    if seen.shape != n.shape or errors.shape != (len(n), len(n)):
        raise ValueError(
            f"Each of {len(n)} sizes needs a gain and a row of the covariance, found shapes "
            f"{seen.shape!r} and {errors.shape!r}. Give one of each for every size."
        )
    held = (1 - OWN) * errors + OWN * np.diag(np.diag(errors))
    return _summary(_mixture(n / n[-1], seen, held, at / n[-1]), most, alpha)


def _mixture(ratios: Floats, seen: Floats, errors: Floats, at: float) -> _Mixture:
    """The gain at a size that is so many times the largest."""
    precision = np.linalg.inv(errors)
    found = []
    for power in POWERS:
        span = abs(float(ratios[0] ** power - 1))
        grown = np.sign(power) * (ratios**power - 1) / span
        columns = np.column_stack([np.ones_like(ratios), grown])
        information = columns.T @ precision @ columns
        covariance = np.linalg.inv(information)
        best = covariance @ columns.T @ precision @ seen
        off = seen - columns @ best
        there = np.array([1.0, float(np.sign(power) * (at**power - 1) / span)])
        log = -0.5 * float(off @ precision @ off) - 0.5 * float(np.linalg.slogdet(information)[1])
        found.append((log, float(there @ best), float(there @ covariance @ there) ** 0.5))
    logs, means, deviations = np.array(found).T
    weights = np.exp(logs - logs.max())
    return _Mixture(weights / weights.sum(), means, deviations)


def _summary(given: _Mixture, most: float, alpha: float) -> Estimate:
    weights, means, deviations = given
    ends = (float((means - 9 * deviations).min()), float((means + 9 * deviations).max()))

    def quantile(level: float) -> float:
        def gap(value: float) -> float:
            return float(weights @ norm.cdf((value - means) / deviations)) - level

        return min(float(brentq(gap, *ends)), most)

    return Estimate(
        value=float(weights @ _below(means, deviations, most)),
        low=quantile(alpha / 2),
        high=quantile(1 - alpha / 2),
        lower=quantile(alpha),
        upper=quantile(1 - alpha),
        level=1 - alpha,
        method="power law, weighted over powers",
    )


def _below(means: Floats, deviations: Floats, most: float) -> Floats:
    """Means of normals whose part above a bound lies on it: E min(X, c)."""
    if not np.isfinite(most):
        return means
    z = (most - means) / deviations
    found: Floats = means * norm.cdf(z) - deviations * norm.pdf(z) + most * norm.sf(z)
    return found
