"""Proportions: one arm's rate, and the difference of two rates on the same cases.

Only for scores of exactly 0 and 1 on independent cases, one repeat. Everything rests on counts:
with n cases, ``wins`` (candidate right, baseline wrong) and ``losses`` (the reverse).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from tuneornot.stats.cases import Floats

Counts = NDArray[np.float64] | NDArray[np.int_]
TIE = 1e-9
"""Statistics closer than this are the same value: equal outcomes must not be told apart."""


@dataclass(frozen=True)
class PairedScore:
    """Difference of two paired proportions by the exact distribution of the score statistic.

    Tango's statistic at a difference t is
    z(t) = (wins - losses - n t) / sqrt(n (2 q + t (1 - t))), where q is the greatest-likelihood
    rate of losses among the distributions with difference t. The p value against "above t" is
    the probability, by the trinomial distribution with that t and q, of a statistic at least as
    large as the one seen; nothing is approximated by a normal distribution. A bound is the t at
    which the p value reaches alpha.

    By enumeration, one-sided errors reach the nominal rate but hardly exceed it, at any n and any
    rates, at 2 to 4% more width than the normal quantiles of the same statistic, which err by
    up to 8% where they promise 5% (docs/decisions/0001).

    Source: Tango, T. (1998), Equivalence test and confidence interval for the difference in
    proportions for the paired-sample design, Statistics in Medicine 17, 891-908; estimated
    nuisance parameters: Lloyd, C. J. & Moldovan, M. V. (2007), Exact one-sided confidence bounds
    for the difference of two correlated proportions, Statistics in Medicine 26, 3369-3384.
    """

    wins: int
    losses: int
    n: int

    @property
    def name(self) -> str:
        """The standard name of the method."""
        return "paired score, exact distribution"

    @property
    def value(self) -> float:
        """Rate of wins less rate of losses."""
        return (self.wins - self.losses) / self.n

    @property
    def noise(self) -> float:
        """Standard error of what was seen alone: 0 where the arms differ on no case."""
        n = self.n
        return math.sqrt(self.wins + self.losses - (self.wins - self.losses) ** 2 / n) / n

    def lower(self, alpha: float) -> float:
        """Lower bound at error rate ``alpha``."""
        return _lower(self, alpha)

    def upper(self, alpha: float) -> float:
        """Upper bound at error rate ``alpha``."""
        return -self._swapped().lower(alpha)

    def p_above(self, threshold: float) -> float:
        """p value against "above the threshold"."""
        if threshold <= -1 or threshold >= 1:
            return float(threshold >= 1 or self.value <= threshold)
        losing = float(_losing(np.array([self.wins]), self.losses, self.n, threshold)[0])
        winning = min(max(losing + threshold, 0.0), 1.0)
        wins = _window(self.n, winning)
        most = self._most_losses(wins, _window(self.n, losing), threshold)
        left = (self.n - wins).astype(np.intp)
        share = min(losing / (1 - winning), 1.0) if winning < 1 else 0.0
        below = np.where(most < 0, 0.0, special.bdtr(np.maximum(most, 0), left, share))
        return min(1.0, float(_binomial(wins, self.n, winning) @ below))

    def p_below(self, threshold: float) -> float:
        """p value against "below the threshold"."""
        return self._swapped().p_above(-threshold)

    def statistic(self, difference: float) -> float:
        """The score statistic at a hypothetical difference."""
        return float(_statistic(np.array([self.wins]), self.losses, self.n, difference)[0])

    def _swapped(self) -> PairedScore:
        return PairedScore(wins=self.losses, losses=self.wins, n=self.n)

    def _most_losses(self, wins: Floats, losses: Floats, difference: float) -> Floats:
        """For each number of wins the most losses whose statistic is as large as the one seen.

        The statistic falls as losses grow, so halving finds it. Only ``losses``, a run of numbers,
        can occur; the number before the first stands for none.
        """
        seen = self.statistic(difference) - TIE
        low = np.full(len(wins), losses[0] - 1)
        high = np.maximum(np.minimum(losses[-1], self.n - wins), low)
        while np.any(low < high):
            middle = np.ceil((low + high) / 2)
            large = _statistic(wins, middle, self.n, difference) >= seen
            low, high = np.where(large, middle, low), np.where(large, high, middle - 1)
        return low


@dataclass(frozen=True)
class Rate:
    """One proportion by the Jeffreys interval, closed at the ends of the range.

    Bounds are quantiles of Beta(k + 1/2, n - k + 1/2); 0 below where k = 0, 1 above where k = n.
    Its one-sided bounds err by nearly the nominal rate on either side, which the Wilson interval's
    do not.

    Source: Brown, L., Cai, T. & DasGupta, A. (2001), Interval estimation for a binomial
    proportion, Statistical Science 16, 101-133; Cai, T. (2005), One-sided confidence intervals in
    discrete distributions, Journal of Statistical Planning and Inference 131, 63-88.
    """

    successes: int
    n: int

    @property
    def name(self) -> str:
        """The standard name of the method."""
        return "Jeffreys"

    @property
    def value(self) -> float:
        """The share of successes."""
        return self.successes / self.n

    def lower(self, alpha: float) -> float:
        """Lower bound at error rate ``alpha``."""
        if self.successes == 0:
            return 0.0
        return float(special.betaincinv(self.successes + 0.5, self._failures + 0.5, alpha))

    def upper(self, alpha: float) -> float:
        """Upper bound at error rate ``alpha``."""
        if self._failures == 0:
            return 1.0
        return float(special.betaincinv(self.successes + 0.5, self._failures + 0.5, 1 - alpha))

    def p_above(self, threshold: float) -> float:
        """Mass of the same distribution at or below the threshold."""
        if self.successes == 0 or threshold >= 1:
            return 1.0
        at = max(threshold, 0.0)
        return float(special.betainc(self.successes + 0.5, self._failures + 0.5, at))

    def p_below(self, threshold: float) -> float:
        """Mass of the same distribution at or above the threshold."""
        if self._failures == 0 or threshold <= 0:
            return 1.0
        at = min(threshold, 1.0)
        return float(special.betaincc(self.successes + 0.5, self._failures + 0.5, at))

    @property
    def _failures(self) -> int:
        return self.n - self.successes


@functools.lru_cache(maxsize=4096)
def _lower(score: PairedScore, alpha: float) -> float:
    """The bound; kept, because resampling and what-if questions ask for the same counts again."""

    goal = float(special.ndtri(alpha))

    def excess(difference: float) -> float:
        # As normal quantiles p values are nearly linear in the difference: few steps suffice.
        return float(special.ndtri(min(max(score.p_above(difference), 1e-300), 1 - 1e-16))) - goal

    far = score.value - 6 * math.sqrt((score.wins + score.losses + 6) / score.n**2)
    for start in (far, -1.0):
        if start >= -1 and excess(start) < 0:
            return float(optimize.brentq(excess, start, score.value, xtol=1e-7))
    return -1.0


def _losing(wins: Counts, losses: Counts | int, n: int, difference: float) -> Floats:
    """Greatest-likelihood rate of losses where wins are more frequent by ``difference``."""
    b = (2 * n - wins + losses) * difference - wins - losses
    c = -losses * difference * (1 - difference)
    root = (np.sqrt(np.maximum(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
    bounded: Floats = np.clip(root, max(0.0, -difference), (1 - difference) / 2)
    return bounded


def _statistic(wins: Counts, losses: Counts | int, n: int, difference: float) -> Floats:
    gap = wins - losses - n * difference
    variance = n * (2 * _losing(wins, losses, n, difference) + difference * (1 - difference))
    # Without variance the outcome is certain: any gap is beyond every quantile.
    certain = variance <= 1e-12
    scaled = gap / np.sqrt(np.where(certain, 1.0, variance))
    return np.where(certain, np.where(np.abs(gap) < TIE * n, 0.0, np.sign(gap) * 1e9), scaled)


def _window(n: int, rate: float) -> Floats:
    """The numbers of wins that can occur: all but a probability of about 1e-11."""
    reach = 7 * math.sqrt(n * rate * (1 - rate)) + 8
    low, high = max(0.0, math.floor(n * rate - reach)), min(float(n), math.ceil(n * rate + reach))
    return np.arange(low, high + 1)


def _binomial(k: Floats, n: int, rate: float) -> Floats:
    """Probability of k successes among n."""
    choices = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    chance: Floats = np.exp(choices + special.xlogy(k, rate) + special.xlog1py(n - k, -rate))
    return chance
