"""Spread and tails of single 0/1 scores: functions of the two success rates, and nothing more.

Resampling fails for them: around a rate of 1/2 the standard deviation does not change with the
rate, and the mean of the worst tenth is flat at 0 as soon as a tenth fails. Exact limits of the
rates (Clopper & Pearson 1934) are taken through the function instead. Enumerated over rates from
0.05 to 0.98 and n from 30 to 300, one-sided errors at a nominal 5% are at most 5.5%, for
independent arms; arms that fail on the same cases err less, as their correlation is left out.

With shorter limits (Jeffreys) errors reach 12%. Groups and repeats are not covered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from tuneornot.stats.cases import Cases
from tuneornot.stats.resampled import inverse

NAME = "function of the success rates, Clopper-Pearson limits"


class Limits(NamedTuple):
    """A figure of one arm between its limits."""

    low: float
    value: float
    high: float


def single_bits(found: Cases) -> bool:
    """Whether these are independent cases with one score of 0 or 1 each."""
    alone = found.codes is None and found.n_repeats == 1
    return alone and bool(np.all((found.values == 0) | (found.values == 1)))


def rate(successes: int, n: int, alpha: float) -> Limits:
    """A success rate between limits that each err with probability of at most ``alpha``.

    Source: Clopper, C. & Pearson, E. (1934), The use of confidence or fiducial limits illustrated
    in the case of the binomial, Biometrika 26, 404-413.
    """
    failures = n - successes
    low = float(special.betaincinv(successes, failures + 1, alpha)) if successes else 0.0
    high = float(special.betaincinv(successes + 1, failures, 1 - alpha)) if failures else 1.0
    return Limits(low, successes / n, high)


@dataclass(frozen=True)
class SpreadRatio:
    """Logarithm of sd_c / sd_b for 0/1 scores, sd = sqrt(p (1 - p)), by MOVER.

    The limits of each rate become limits of its log standard deviation, which is greatest at 1/2;
    the limits of the two arms are joined as squares.

    Source: Zou, G. Y. & Donner, A. (2008), Construction of confidence limits about effect measures,
    Statistics in Medicine 27, 1693-1702.
    """

    baseline: int
    """Successes."""
    candidate: int
    n: int
    name: str = NAME

    @property
    def value(self) -> float:
        """The logarithm of the ratio."""
        return _log_sd(self.candidate / self.n) - _log_sd(self.baseline / self.n)

    def lower(self, alpha: float) -> float:
        """Lower bound at error rate ``alpha``."""
        b, c = self._limits(self.baseline, alpha), self._limits(self.candidate, alpha)
        return c.value - b.value - math.hypot(c.value - c.low, b.high - b.value)

    def upper(self, alpha: float) -> float:
        """Upper bound at error rate ``alpha``."""
        b, c = self._limits(self.baseline, alpha), self._limits(self.candidate, alpha)
        return c.value - b.value + math.hypot(c.high - c.value, b.value - b.low)

    def p_above(self, threshold: float) -> float:
        """p value against "above the threshold"."""
        return inverse(lambda alpha: self.lower(alpha) - threshold)

    def p_below(self, threshold: float) -> float:
        """p value against "below the threshold"."""
        return inverse(lambda alpha: threshold - self.upper(alpha))

    def _limits(self, successes: int, alpha: float) -> Limits:
        low, value, high = rate(successes, self.n, alpha)
        ends = sorted([_log_sd(low), _log_sd(high)])
        return Limits(ends[0], _log_sd(value), math.log(0.5) if low <= 0.5 <= high else ends[1])


@dataclass(frozen=True)
class TailDifference:
    """Difference of the means of the worst share s of two 0/1 variables.

    Each arm's mean is max(0, 1 - failure rate/s). A bound is the one arm's lower less the other's
    upper limit: joining their distances as squares, as for smooth figures, errs by up to 20% next
    to the kink.
    """

    baseline: int
    """Successes."""
    candidate: int
    n: int
    share: float
    name: str = NAME

    @property
    def value(self) -> float:
        """Candidate's mean less the baseline's."""
        return self._mean(self.candidate / self.n) - self._mean(self.baseline / self.n)

    def lower(self, alpha: float) -> float:
        """Lower bound at error rate ``alpha``."""
        b, c = rate(self.baseline, self.n, alpha), rate(self.candidate, self.n, alpha)
        return self._mean(c.low) - self._mean(b.high)

    def upper(self, alpha: float) -> float:
        """Upper bound at error rate ``alpha``."""
        b, c = rate(self.baseline, self.n, alpha), rate(self.candidate, self.n, alpha)
        return self._mean(c.high) - self._mean(b.low)

    def p_above(self, threshold: float) -> float:
        """p value against "above the threshold"."""
        return inverse(lambda alpha: self.lower(alpha) - threshold)

    def p_below(self, threshold: float) -> float:
        """p value against "below the threshold"."""
        return inverse(lambda alpha: threshold - self.upper(alpha))

    def _mean(self, successes: float) -> float:
        return max(0.0, 1 - (1 - successes) / self.share)


def _log_sd(success: float) -> float:
    variance = success * (1 - success)
    return 0.5 * math.log(variance) if variance > 0 else -math.inf
