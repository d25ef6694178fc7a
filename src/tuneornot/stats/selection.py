"""Choosing the best of several on the same noisy cases: when to give one up, and what luck adds.

Arithmetic on arrays of scores, one row for each contestant, one column for each case; higher is
better. It knows nothing of what the contestants are.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

Scores = npt.NDArray[np.float64]

REACH = 2.5
"""Paired standard errors behind the leader within which a contestant might have been chosen."""
DRAWS = 1000
"""Resamples for the luck of selection: its own error is then about 3% of the noise's deviation."""


def sign_flip(differences: Scores, rng: np.random.Generator, n_flips: int = 9999) -> float:
    """One-sided p value that paired differences have a positive mean, by flipping their signs.

    Under the hypothesis that both contestants are exchangeable on each case every sign is as
    likely as its opposite. Where all differences that are not zero have one size (scores of 0 or
    1) the p value is exact, from the binomial distribution (the sign test of Dixon and Mood 1946,
    which is McNemar's exact test); else (1 + number of flips at least as great) / (1 + flips),
    valid at any n (Phipson and Smyth 2010).

    Args:
        differences: (n,) leader minus the other.
        rng: of the flips.
        n_flips: random flips where enumeration is not closed.
    """
    moved = differences[differences != 0]
    if not len(moved):
        return 1.0
    sizes = np.abs(moved)
    if np.ptp(sizes) < 1e-12:
        return float(stats.binom.sf((moved > 0).sum() - 1, len(moved), 0.5))
    signs = rng.integers(0, 2, size=(n_flips, len(moved)), dtype=np.int8) * 2 - 1
    # Sums that are equal but for rounding count as at least as great.
    as_great = (signs @ sizes) >= moved.sum() - 1e-9 * sizes.sum()
    return float((1 + as_great.sum()) / (1 + n_flips))


def luck(scores: Scores, rng: np.random.Generator) -> float:
    """How much of the best mean is expected from its having been chosen as the best.

    E[noise of the winner] in a model fitted to the scores, by the bootstrap over cases: the
    contestants within ``REACH`` paired standard errors of the leader have means m_k; their spread
    holds noise, so they are drawn towards their average, t_k = m + f (m_k - m), by the factor f
    with which the spread of the t_k is the spread of the m_k less the expected noise. In each of
    ``DRAWS`` resamples of cases the noise e_k is the resampled minus the observed mean, the winner
    is the k with the greatest t_k + e_k, and its e_k counts. Without the drawing together (f = 1)
    the estimate falls short by up to 30% where contestants are equal, because each resample adds
    noise to noise; with f = 0 it is far too great where one is clearly best.

    After: Efron and Tibshirani (1993), An introduction to the bootstrap, chapter 17 (optimism);
    the shrinkage is the method of moments of empirical Bayes.

    Args:
        scores: (contestants, cases), complete.
        rng: of the resampling.

    Returns:
        In units of the scores; 0 where there is no choice.
    """
    near = scores[_within_reach(scores)]
    k, n = near.shape
    if k < 2 or n < 2:
        return 0.0
    means = near.mean(axis=1)
    # What a case gives to all alike favours nobody; without it the resampling is less noisy.
    own = near - near.mean(axis=0)
    noise = own.var(axis=1, ddof=1).mean() / n * k / (k - 1)  # 1/k of it went with the mean
    spread = means.var(ddof=1)
    factor = np.sqrt(max(0.0, 1 - noise / spread)) if spread > 0 else 0.0
    drawn = means.mean() + factor * (means - means.mean())
    weights = rng.multinomial(n, np.full(n, 1 / n), size=DRAWS) / n
    errors = weights @ (own - own.mean(axis=1, keepdims=True)).T
    winners = np.argmax(drawn + errors, axis=1)
    return float(max(0.0, errors[np.arange(DRAWS), winners].mean()))


def further(scores: Scores, n: int) -> float:
    """What twice as many contestants would probably add to the true mean of the chosen one.

    The true means are taken as normal with the spread t, and the choice as one on n cases with
    the standard error s. The chosen one of k is then expected t^2 / sqrt(t^2 + s^2) * E[max of k
    standard normals] above the average (the regression of truth on observation), and the figure is
    the difference between 2 k and k. Of t only the better half of the contestants tells: how far
    their means lie above the median, less the noise of a mean. A rough figure: it knows nothing of
    how the next contestants come about.

    Args:
        scores: (contestants, cases), complete; what all of them answered, drawn before anybody was
            dropped.
        n: cases on which the choice is made.

    Returns:
        In units of the scores, 0 or more.
    """
    k, n_seen = scores.shape
    if k < 2 or n_seen < 2:
        return 0.0
    means = scores.mean(axis=1)
    own = scores - scores.mean(axis=0)
    variance = own.var(axis=1, ddof=1).mean() * k / (k - 1)
    middle = np.median(means)
    above = means[means >= middle] - middle
    spread = max(0.0, float((above**2).mean() - variance / n_seen))
    if spread == 0:
        return 0.0
    accurate = spread / np.sqrt(spread + variance / n)
    return float(accurate * (_greatest(2 * k) - _greatest(k)))


def _greatest(k: int) -> float:
    """E[max of k standard normals], as the integral of its distribution function."""
    x = np.linspace(-10.0, 10.0, 4001)
    below = stats.norm.cdf(x) ** k
    return float(np.trapezoid(np.heaviside(x, 0.5) - below, x))


def _within_reach(scores: Scores) -> npt.NDArray[np.bool_]:
    if scores.shape[0] < 2 or scores.shape[1] < 2:
        return np.ones(scores.shape[0], bool)
    behind = scores[np.argmax(scores.mean(axis=1))] - scores
    errors = behind.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])
    reached: npt.NDArray[np.bool_] = behind.mean(axis=1) <= REACH * errors
    return reached
