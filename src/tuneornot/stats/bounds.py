"""The seam between a method of inference and the ``Estimate`` that it becomes.

A method knows one quantity from one set of data and answers four questions about it: a lower and
an upper bound at any error rate, and the p values of "above" and "below" any threshold. Interval,
one-sided bounds and tests are made from the same four answers, so they can never contradict each
other. Nothing here knows what the quantity is.
"""

from __future__ import annotations

import math
from typing import Literal, Protocol

from tuneornot.records import Estimate

Side = Literal["above", "below"]


class Bounds(Protocol):
    """Confidence bounds and one-sided tests of one quantity."""

    @property
    def name(self) -> str:
        """The standard name of the method."""
        ...

    @property
    def value(self) -> float:
        """The point estimate."""
        ...

    def lower(self, alpha: float) -> float:
        """A bound that is above the truth with probability of at most about ``alpha``."""
        ...

    def upper(self, alpha: float) -> float:
        """A bound that is below the truth with probability of at most about ``alpha``."""
        ...

    def p_above(self, threshold: float) -> float:
        """p value of "the quantity is at most ``threshold``" against "above"."""
        ...

    def p_below(self, threshold: float) -> float:
        """p value of "the quantity is at least ``threshold``" against "below"."""
        ...


def estimate(
    bounds: Bounds, *, alpha: float, null: float | None, noise: float | None = None
) -> Estimate:
    """Two-sided interval at ``1 - alpha``, one-sided bounds each at ``1 - alpha``, and the test.

    Args:
        bounds: the method, already holding its data.
        alpha: error rate of the interval, and of each one-sided bound.
        null: the value that the two-sided p value speaks of; ``None`` for no test. The p value is
            twice the smaller one-sided one, so that it is below alpha just when the interval
            excludes ``null``.
        noise: standard error of what was seen alone, where the bounds allow for more than that.
    """
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is an error rate between 0 and 0.5, not {alpha!r}; 0.05 is usual")
    p_value = None
    if null is not None:
        p_value = min(1.0, 2 * min(bounds.p_above(null), bounds.p_below(null)))
    return Estimate(
        value=bounds.value,
        low=bounds.lower(alpha / 2),
        high=bounds.upper(alpha / 2),
        lower=bounds.lower(alpha),
        upper=bounds.upper(alpha),
        level=1 - alpha,
        method=bounds.name,
        p_value=p_value,
        noise=noise,
    )


def within(made: Estimate, least: float | None, most: float | None) -> Estimate:
    """The same estimate with value and bounds cut to what is possible; ``None``: no such end."""
    low = -math.inf if least is None else least
    high = math.inf if most is None else most
    cut = {
        name: min(max(getattr(made, name), low), high)
        for name in ("value", "low", "high", "lower", "upper")
    }
    kept = {name: getattr(made, name) for name in made.__struct_fields__}
    return Estimate(**{**kept, **cut})
