"""How many cases: which difference n cases can show, how many show a difference, how many more.

Normal approximations, meant for deciding what to collect, not for deciding from what was
collected. They know nothing of prices, and take cases to be independent: with groups read "cases"
as cases' worth of information, n divided by the design effect.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy import optimize, special

from tuneornot.records import Estimate
from tuneornot.stats import paired
from tuneornot.stats.cases import Scale

TINY = 1e-12
"""Stands for no noise at all, where a chance is then 0 or 1."""
MOST = 20
"""Times the present n: more further cases than this are not a plan."""


def detectable(
    n: int,
    *,
    sd: float | None = None,
    disagreement: float | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float:
    """Smallest true mean difference that n paired cases show with the given power.

    Shown means: the one-sided bound at ``alpha`` lies above zero. Say either the standard
    deviation of the differences of cases, or, for binary scores, the share of cases on which the
    arms disagree.

    d = (z_alpha sd_0 + z_power sd_d) / sqrt(n), where for binary scores sd_0^2 = disagreement and
    sd_d^2 = disagreement - d^2; capped at ``disagreement``, which is the most there can be.

    Source: Connor, R. J. (1987), Sample size for testing differences in proportions for the
    paired-sample design, Biometrics 43, 207-211.
    """
    if n < 1:
        raise ValueError(f"n is a number of cases, at least 1, not {n!r}")
    if sd is not None and disagreement is None:
        return (_z(alpha) + _z(1 - power)) * sd / math.sqrt(n)
    if disagreement is None or sd is not None:
        raise ValueError("Say one of sd and disagreement: it is what the answer depends on.")

    def excess(found: float) -> float:
        return found - _needed(found, disagreement, alpha, power) / math.sqrt(n)

    if excess(disagreement) <= 0:
        return disagreement
    return float(optimize.brentq(excess, 0.0, disagreement))


def cases_needed(
    difference: float,
    *,
    sd: float | None = None,
    disagreement: float | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
) -> int:
    """Paired cases that show a true mean difference with the given power; see ``detectable``.

    For a claim "better than a margin" give the true difference less the margin.
    """
    if not difference > 0:
        raise ValueError(f"A difference to show must be above 0, not {difference!r}.")
    if sd is not None and disagreement is None:
        total = (_z(alpha) + _z(1 - power)) * sd
    elif disagreement is not None and sd is None:
        # Arms that differ by d in rate disagree on at least d of the cases.
        total = _needed(difference, max(disagreement, difference), alpha, power)
    else:
        raise ValueError("Say one of sd and disagreement: it is what the answer depends on.")
    return max(2, math.ceil((total / difference) ** 2 - 1e-9))


def n_more(
    estimate: Estimate,
    n: int,
    *,
    threshold: float,
    side: Literal["above", "below", "either"] = "either",
    alpha: float = 0.05,
    power: float = 0.8,
) -> int | None:
    """Further cases after which a one-sided bound would probably have cleared the threshold.

    Given the n cases seen, the truth is taken to be spread as Normal(value, se^2), with se the
    estimate's noise or, where it names none, read off the two-sided interval. After k more the
    estimate is then Normal(value, se^2 k/(n + k)) and its standard error se sqrt(n/(n + k)). What
    a bound is further away than this noise explains (scores that may have stayed unseen, mostly)
    adds to it in squares and falls with n/(n + k), if the further cases show nothing new. The
    answer is the least k for which the chance that the bound at ``alpha`` lies beyond the
    threshold, on the side asked for, reaches ``power``.

    Returns:
        ``None`` where ``MOST`` times n further cases would not do (so for a value at the
        threshold, and where the side asked for is the unlikely one), and for an estimate that is
        NaN or without error.
    """
    error = estimate.noise
    if error is None:
        error = (estimate.high - estimate.low) / 2 / _z((1 - estimate.level) / 2)
    hidden = _hidden(estimate, error, alpha)
    if n < 1 or not max(error, *hidden) > 0 or math.isinf(error):
        return None
    gap = estimate.value - threshold

    def chance(more: float) -> float:
        share = more / (n + more)
        left = 1 - share
        own = _z(alpha) * error * math.sqrt(left)
        moving = max(error, TINY) * math.sqrt(share)
        above = special.ndtr((gap - math.hypot(own, hidden[0] * left)) / moving)
        below = special.ndtr((-gap - math.hypot(own, hidden[1] * left)) / moving)
        return float({"above": above, "below": below, "either": above + below}[side])

    if chance(1e-9) >= power:
        return 1
    if chance(MOST * n) < power:
        return None
    more = float(optimize.brentq(lambda k: chance(k) - power, 1e-9, MOST * n))
    return max(1, math.ceil(more))


def _hidden(estimate: Estimate, error: float, alpha: float) -> tuple[float, float]:
    """How far the lower and the upper bound lie out beside the noise, at error rate ``alpha``.

    0 where the estimate names no noise: all of its width is then taken for noise.
    """
    if estimate.noise is None:
        return 0.0, 0.0
    rate = 1 - estimate.level
    # A share of which none was seen is about -log(alpha) / n.
    scale = math.log(alpha) / math.log(rate)
    reaches = (estimate.value - estimate.lower, estimate.upper - estimate.value)
    down, up = (scale * math.sqrt(max(r * r - (_z(rate) * error) ** 2, 0.0)) for r in reaches)
    return down, up


def excluded(
    n: int, *, scale: Scale = (0.0, 1.0), binary: bool = True, alpha: float = 0.05
) -> float:
    """The loss that n cases exclude at best: where the arms do not differ on a single one.

    Minus the lower bound of ``paired.difference`` of equal scores. 0 without a closed range, where
    nothing tells how large a difference may be that has not been seen.

    Args:
        n: cases with a score from both arms, at least 2.
        scale: least and greatest possible score, ``None`` where there is none.
        binary: whether each case has one score of 0 or 1.
        alpha: error rate of the one-sided claim.
    """
    same = np.full((n, 1), 0.0 if scale[0] is None else scale[0])
    return -paired.difference(same, same, scale=scale, binary=binary, alpha=alpha).lower


def cases_to_exclude(
    loss: float, *, scale: Scale = (0.0, 1.0), binary: bool = True, alpha: float = 0.05
) -> int | None:
    """The fewest cases that can exclude a loss; ``None`` if 100,000 cannot (a loss of 0)."""
    return _fewest(lambda n: excluded(n, scale=scale, binary=binary, alpha=alpha) < loss)


def cases_to_gain(
    gain: float, *, scale: tuple[float, float] = (0.0, 1.0), binary: bool = True, alpha: float
) -> int | None:
    """The fewest cases that can show more than a gain, each gaining the whole range of the scale.

    ``None`` if 100,000 cannot: a gain of the whole range, or more.
    """

    def enough(n: int) -> bool:
        worst, best = (np.full((n, 1), end) for end in scale)
        made = paired.difference(worst, best, scale=scale, binary=binary, alpha=alpha)
        return made.lower > gain

    return _fewest(enough)


def _fewest(enough: Callable[[int], bool]) -> int | None:
    """The least number of cases, from 2 to 100,000, that is enough; ``None`` if the most is not."""
    most, least = 100_000, 2
    if not enough(most):
        return None
    while least < most:
        middle = (least + most) // 2
        if enough(middle):
            most = middle
        else:
            least = middle + 1
    return least


def _needed(difference: float, disagreement: float, alpha: float, power: float) -> float:
    spread = math.sqrt(max(disagreement - difference * difference, 0.0))
    return _z(alpha) * math.sqrt(disagreement) + _z(1 - power) * spread


def _z(tail: float) -> float:
    return -float(special.ndtri(tail))
