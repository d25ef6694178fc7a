"""Proportions: one arm's rate, and the difference of two rates on the same cases.

Only for scores of exactly 0 and 1 on independent cases, one repeat. Everything rests on counts:
with n cases, ``wins`` (candidate right, baseline wrong) and ``losses`` (the reverse).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import optimize, special, stats


@dataclass(frozen=True)
class PairedScore:
    """Difference of two paired proportions by the score test (Tango 1998).

    With d = (wins - losses)/n the statistic at a difference t is
    z(t) = (wins - losses - n t) / sqrt(n (2 q + t (1 - t))), where q is the greatest-likelihood
    rate of losses among the distributions with difference t. A bound is the t at which z(t)
    reaches the normal quantile.

    Source: Tango, T. (1998), Equivalence test and confidence interval for the difference in
    proportions for the paired-sample design, Statistics in Medicine 17, 891-908.
    """

    wins: int
    losses: int
    n: int

    @property
    def name(self) -> str:
        """The standard name of the method."""
        return "paired score (Tango)"

    @property
    def value(self) -> float:
        """Rate of wins less rate of losses."""
        return (self.wins - self.losses) / self.n

    def lower(self, alpha: float) -> float:
        """Lower bound at error rate ``alpha``."""
        return self._bound(float(stats.norm.isf(alpha)), -1.0, self.value)

    def upper(self, alpha: float) -> float:
        """Upper bound at error rate ``alpha``."""
        return self._bound(-float(stats.norm.isf(alpha)), self.value, 1.0)

    def p_above(self, threshold: float) -> float:
        """p value against "above the threshold"."""
        return float(stats.norm.sf(self.statistic(threshold)))

    def p_below(self, threshold: float) -> float:
        """p value against "below the threshold"."""
        return float(stats.norm.cdf(self.statistic(threshold)))

    def statistic(self, difference: float) -> float:
        """The score statistic at a hypothetical difference."""
        gap = self.wins - self.losses - self.n * difference
        rate = self.rate_of_losses(difference)
        variance = self.n * (2 * rate + difference * (1 - difference))
        if variance <= 0:
            return 0.0 if abs(gap) < 1e-12 * self.n else math.copysign(math.inf, gap)
        return gap / math.sqrt(variance)

    def rate_of_losses(self, difference: float) -> float:
        """Greatest-likelihood rate of losses where wins are more frequent by ``difference``."""
        b = (2 * self.n - self.wins + self.losses) * difference - self.wins - self.losses
        c = -self.losses * difference * (1 - difference)
        root = math.sqrt(max(b * b - 8 * self.n * c, 0.0))
        return min(max((root - b) / (4 * self.n), 0.0, -difference), (1 - difference) / 2)

    def _bound(self, quantile: float, low: float, high: float) -> float:
        def gap(difference: float) -> float:
            return max(min(self.statistic(difference), 1e9), -1e9) - quantile

        if gap(low) <= 0:
            return low
        if gap(high) >= 0:
            return high
        return float(optimize.brentq(gap, low, high, xtol=1e-10))


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
        """Posterior mass at or below the threshold: the level at which the bound reaches it."""
        if self.successes == 0 or threshold >= 1:
            return 1.0
        at = max(threshold, 0.0)
        return float(special.betainc(self.successes + 0.5, self._failures + 0.5, at))

    def p_below(self, threshold: float) -> float:
        """Posterior mass at or above the threshold: the level at which the bound reaches it."""
        if self._failures == 0 or threshold <= 0:
            return 1.0
        at = min(threshold, 1.0)
        return float(special.betaincc(self.successes + 0.5, self._failures + 0.5, at))

    @property
    def _failures(self) -> int:
        return self.n - self.successes
