"""Bounds and tests made from bootstrap resamples of any statistic.

    Percentile    quantiles of the resampled values, widened for small samples
    StudentT      t with the resampled standard error
    Pivot         quantiles of the resampled t statistics (bootstrap-t)
    Outer         the widest of several methods on either side

All answer the four questions of ``bounds.Bounds``. They do not know what was resampled or how.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from tuneornot.records import Estimate
from tuneornot.stats.bounds import Bounds
from tuneornot.stats.cases import Floats


@dataclass(frozen=True, eq=False)
class Percentile:
    """Expanded percentile bootstrap: quantiles of resampled values at widened levels.

    A bound at error rate a is the quantile at a' = Phi(sqrt(G/(G-1)) t_{a, G-1}) of the resampled
    values, for G independent units: the plain percentile interval (Efron 1979) is too narrow by
    that factor, as if it used n in place of n - 1 and the normal in place of t.

    Source: Hesterberg, T. (2015), What teachers should know about the bootstrap, The American
    Statistician 69, 371-386, section 4.3.
    """

    value: float
    draws: Floats
    """(resamples,) sorted or not; without NaN, possibly infinite."""
    n_units: int
    name: str = "percentile bootstrap"

    def lower(self, alpha: float) -> float:
        """Lower bound at error rate ``alpha``."""
        return _quantile(self.draws, self._level(alpha))

    def upper(self, alpha: float) -> float:
        """Upper bound at error rate ``alpha``."""
        return _quantile(self.draws, 1 - self._level(alpha))

    def p_above(self, threshold: float) -> float:
        """p value against "above the threshold"."""
        return self._error(_share(self.draws <= threshold))

    def p_below(self, threshold: float) -> float:
        """p value against "below the threshold"."""
        return self._error(_share(self.draws >= threshold))

    def _level(self, alpha: float) -> float:
        widening = math.sqrt(self.n_units / (self.n_units - 1))
        return float(special.ndtr(widening * special.stdtrit(self.n_units - 1, alpha)))

    def _error(self, share: float) -> float:
        """The error rate whose widened level is ``share``."""
        widening = math.sqrt(self.n_units / (self.n_units - 1))
        return float(special.stdtr(self.n_units - 1, special.ndtri(share) / widening))


@dataclass(frozen=True, eq=False)
class Pivot:
    """Bootstrap-t: bounds from the resampled distribution of (statistic - value) / error.

    Source: Efron, B. & Tibshirani, R. (1993), An introduction to the bootstrap, chapter 12.
    """

    value: float
    error: float
    """Standard error of the value."""
    pivots: Floats
    """(resamples,) resampled t statistics, without NaN."""
    name: str = "bootstrap-t"

    def lower(self, alpha: float) -> float:
        """Lower bound at error rate ``alpha``."""
        return self.value - self.error * _quantile(self.pivots, 1 - alpha)

    def upper(self, alpha: float) -> float:
        """Upper bound at error rate ``alpha``."""
        return self.value - self.error * _quantile(self.pivots, alpha)

    def p_above(self, threshold: float) -> float:
        """p value against "above the threshold"."""
        return _share(self.pivots >= self._statistic(threshold))

    def p_below(self, threshold: float) -> float:
        """p value against "below the threshold"."""
        return _share(self.pivots <= self._statistic(threshold))

    def _statistic(self, threshold: float) -> float:
        gap = self.value - threshold
        if self.error == 0:
            return math.copysign(math.inf, gap) if gap else 0.0
        return gap / self.error


@dataclass(frozen=True)
class StudentT:
    """Student's t with the standard deviation of the resampled values as standard error.

    Source: Efron, B. & Tibshirani, R. (1993), An introduction to the bootstrap, chapter 12.2.
    """

    value: float
    error: float
    df: float
    name: str = "t bootstrap"

    def lower(self, alpha: float) -> float:
        """Lower bound at error rate ``alpha``."""
        return self.value + self.error * float(special.stdtrit(self.df, alpha))

    def upper(self, alpha: float) -> float:
        """Upper bound at error rate ``alpha``."""
        return self.value - self.error * float(special.stdtrit(self.df, alpha))

    def p_above(self, threshold: float) -> float:
        """p value against "above the threshold"."""
        return float(special.stdtr(self.df, -self._statistic(threshold)))

    def p_below(self, threshold: float) -> float:
        """p value against "below the threshold"."""
        return float(special.stdtr(self.df, self._statistic(threshold)))

    def _statistic(self, threshold: float) -> float:
        gap = self.value - threshold
        if self.error == 0:
            return math.copysign(math.inf, gap) if gap else 0.0
        return gap / self.error


@dataclass(frozen=True)
class Outer:
    """The widest of several methods on either side, where each fails in other circumstances."""

    methods: tuple[Bounds, ...]
    name: str
    noise: float | None = None
    """Standard error of what was seen alone, where a method allows for more than that."""

    @property
    def value(self) -> float:
        """The point estimate, the same in all."""
        return self.methods[0].value

    def lower(self, alpha: float) -> float:
        """Lower bound at error rate ``alpha``."""
        return min(method.lower(alpha) for method in self.methods)

    def upper(self, alpha: float) -> float:
        """Upper bound at error rate ``alpha``."""
        return max(method.upper(alpha) for method in self.methods)

    def p_above(self, threshold: float) -> float:
        """p value against "above the threshold"."""
        return max(method.p_above(threshold) for method in self.methods)

    def p_below(self, threshold: float) -> float:
        """p value against "below the threshold"."""
        return max(method.p_below(threshold) for method in self.methods)


def inverse(gap: Callable[[float], float]) -> float:
    """The error rate at which a bound reaches a threshold: a one-sided p value from a bound.

    ``gap`` is how far the bound at an error rate lies beyond the threshold; it grows with the rate.
    """
    least, most = 1e-9, 0.5 - 1e-9
    if gap(least) >= 0:
        return least
    if gap(most) <= 0:
        return 1.0 if gap(most) < 0 else 0.5
    return float(optimize.brentq(gap, least, most, xtol=1e-9))


def undetermined(alpha: float, method: str) -> Estimate:
    """An estimate of what these data do not determine: NaN throughout."""
    nan = math.nan
    return Estimate(
        value=nan, low=nan, high=nan, lower=nan, upper=nan, level=1 - alpha, method=method
    )


def _quantile(draws: Floats, level: float) -> float:
    """An observed draw, rounded outwards, so that infinite draws need no interpolation."""
    ordered = np.sort(draws)
    position = level * (len(ordered) + 1) - 1
    place = math.floor(position) if level < 0.5 else math.ceil(position)
    return float(ordered[min(max(place, 0), len(ordered) - 1)])


def _share(beyond: np.typing.NDArray[np.bool_]) -> float:
    """Share of draws beyond a value, the value itself counted as one more draw (never 0)."""
    return (int(np.count_nonzero(beyond)) + 1) / (len(beyond) + 1)
