"""The difference of two means of different cases: how another set differs from the eval set.

Nothing is paired here: the two samples are independent. Each mean has the error of
``studentised.skew_t``; errors add up, degrees of freedom are Satterthwaite's, and what the longer
tails add goes by the third moments, which add up too.
"""

from __future__ import annotations

import math

from numpy.typing import ArrayLike

from tuneornot.records import Estimate
from tuneornot.stats import bounds, cases
from tuneornot.stats.paired import NAN
from tuneornot.stats.studentised import SkewT, skew_t


def difference(
    first: ArrayLike,
    second: ArrayLike,
    *,
    first_groups: ArrayLike | None = None,
    second_groups: ArrayLike | None = None,
    span: float | None = None,
    alpha: float = 0.05,
) -> Estimate:
    """Mean of the second sample minus mean of the first, with its interval, bounds and test.

    Args:
        first: (n,) or (n, repeats), NaN for unscored.
        second: (m,) or (m, repeats), of other cases.
        first_groups: (n,) labels; cases of one group are not independent of each other.
        second_groups: (m,) likewise; a group that is in both samples is taken for two.
        span: the largest possible distance between two values; ``None`` if there is none.
        alpha: error rate of the interval, and of each one-sided bound.

    Returns:
        All NaN where a sample has fewer than two independent cases.

    Source: Satterthwaite, F. E. (1946), An approximate distribution of estimates of variance
    components, Biometrics Bulletin 2, 110-114.
    """
    samples = [cases.one(first, first_groups), cases.one(second, second_groups)]
    if min(sample.n_groups for sample in samples) < 2:
        return NAN
    before, after = (skew_t(sample.values, sample.codes, span=span, name="t") for sample in samples)
    return bounds.estimate(_between(before, after), alpha=alpha, null=0.0)


def _between(before: SkewT, after: SkewT) -> SkewT:
    square = before.error**2 + after.error**2
    error = math.sqrt(square)
    df = math.inf
    lean = 0.0
    if error > 0:
        df = square**2 / (before.error**4 / before.df + after.error**4 / after.df)
        lean = (after.lean * after.error**3 - before.lean * before.error**3) / error**3
    return SkewT(
        value=after.value - before.value,
        error=error,
        df=df,
        lean=lean,
        name="Welch's t, skewness-adjusted",
    )
