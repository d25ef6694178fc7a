"""Two estimates from different cases: how far they are apart.

Paired scores stand elsewhere. The two must not share cases or groups.
"""

from __future__ import annotations

import math

from scipy import stats

from tuneornot.records import Estimate


def apart(first: Estimate, second: Estimate) -> Estimate:
    """The first minus the second, with an interval made from both intervals.

    With d the difference, and each estimate's own ends (l, u), the lower end is
    d - sqrt((v1 - l1)^2 + (u2 - v2)^2) and the upper one d + sqrt((u1 - v1)^2 + (v2 - l2)^2): the
    errors of independent estimates add up in squares, each on the side on which it matters. So a
    skewed interval stays skewed. The p value is that of a normal statistic whose standard error is
    the distance to the end towards 0 over the interval's own quantile; it is below 1 - level just
    when the interval excludes 0.

    Args:
        first, second: of independent cases, at the same level.

    Returns:
        All NaN where either is not determined.

    Source: Zou, G. Y. and Donner, A. (2008), Construction of confidence limits about effect
    measures: a general approach, Statistics in Medicine 27, 1693-1702 (MOVER).
    """
    if first.level != second.level:
        raise ValueError(f"levels must be the same, not {first.level!r} and {second.level!r}")
    value = first.value - second.value
    down, up = _distances(first, second, ("low", "high"))
    one_down, one_up = _distances(first, second, ("lower", "upper"))
    towards = down if value > 0 else up
    quantile = stats.norm.isf((1 - first.level) / 2)
    p_value = math.nan
    if towards > 0:
        p_value = float(2 * stats.norm.sf(abs(value) / towards * quantile))
    return Estimate(
        value=value,
        low=value - down,
        high=value + up,
        lower=value - one_down,
        upper=value + one_up,
        level=first.level,
        method="MOVER",
        p_value=p_value,
    )


def _distances(first: Estimate, second: Estimate, ends: tuple[str, str]) -> tuple[float, float]:
    """From the difference to its lower and its upper end."""
    (l1, u1), (l2, u2) = (tuple(getattr(each, end) for end in ends) for each in (first, second))
    down = math.hypot(first.value - l1, u2 - second.value)
    up = math.hypot(u1 - first.value, second.value - l2)
    return down, up
