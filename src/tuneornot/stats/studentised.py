"""Bounds of a mean by the t statistic, over independent cases or over groups of them.

The unit is the independent one: a case, or a group of cases. It knows nothing of ranges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from tuneornot.stats.cases import Codes, Floats


@dataclass(frozen=True)
class StudentT:
    """Mean over cases with Student's t, the variance taken between independent units.

    se^2 = G/(G-1) sum_g (sum_{i in g} (x_i - mean))^2 / n^2 over G groups; with groups of one case
    this is the usual standard error, and the interval the usual t interval.

    Source: Student (1908); for groups Cameron, A. C. & Miller, D. L. (2015), A practitioner's
    guide to cluster-robust inference, Journal of Human Resources 50, 317-372.
    """

    value: float
    error: float
    df: int
    name: str

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


def student_t(values: Floats, codes: Codes | None, *, name: str = "t") -> StudentT:
    """The t statistic of the mean of ``values`` (n,), by groups where ``codes`` are given."""
    mean = float(values.mean())
    residuals = values - mean if codes is None else np.bincount(codes, weights=values - mean)
    units = len(residuals)
    variance = float(residuals @ residuals) * units / (units - 1) if units > 1 else math.nan
    return StudentT(
        value=mean,
        error=math.sqrt(variance) / len(values),
        df=units - 1,
        name=name if codes is None else f"cluster-robust {name}",
    )
