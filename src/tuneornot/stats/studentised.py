"""Bounds of a mean by a t statistic that allows for skewness, over cases or groups of cases.

One method for graded, bounded and unbounded scores, with and without groups. Three things are
added to Student's t, each a fixed rule that fades as data grow (docs/decisions/0001 has the
simulations that chose them):

- *groups*: variance between groups with the CR2 correction for unequal sizes, and Bell and
  McCaffrey's degrees of freedom; groups of one case give back the usual t;
- *two pseudo-cases*: one at either side of the median, as far away as cases that differ from it
  usually are, count in the variance (not in the mean), so that a handful of differing cases, or
  none, cannot give a narrow interval; where most groups do not differ at all, pseudo-groups;
- *skewness*: the side of the long tail moves out by the second-order term of Johnson's modified t;
  the other side is left alone, because pulling it in costs validity where tails are heavy.

It cannot know of rare large losses that did not occur among the cases seen: a mean over n cases is
blind to what happens in fewer than about 3/n of them. Nothing here knows what a score means.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from tuneornot.stats.cases import Codes, Floats

SKEW_FACTOR = 1.5
"""By how much sample skewness is raised: at 30 to 100 cases it is too small by about a third."""
UNBOUNDED = 2.0
"""By how much more it is raised where values have no bound, for each unit of skewness / sqrt(n):
the longer a tail, the more of it was not drawn. Not for groups: unequal sizes look like a tail."""
FADING = 3.0
"""Differing cases over which the range of the scale fades from the size of the pseudo-cases."""
FADING_GROUPS = 1.0
"""Differing groups over which it fades from that of pseudo-groups: the first shows how they change,
and at three, rare changes in 10 groups would cost 15 to 40% more width and hold no more often."""


@dataclass(frozen=True)
class SkewT:
    """Bounds of the form value +- error q(alpha), longer on the side of the long tail.

    q(alpha) = t + lean (2 t^2 + 1) with t the Student quantile at ``df``; with k = g / sqrt(n) for
    skewness g, lean is ``SKEW_FACTOR`` k / 6, and (1 + ``UNBOUNDED`` |k|) times as much for cases
    without a bound or groups, on the side to which k points and 0 on the other.

    Source: Johnson, N. J. (1978), Modified t tests and confidence intervals for asymmetrical
    populations, Journal of the American Statistical Association 73, 536-544.
    """

    value: float
    error: float
    """Standard error, in units of the value."""
    df: float
    lean: float
    """Size of the skewness term; positive where the long tail lies above."""
    name: str

    def lower(self, alpha: float) -> float:
        """Lower bound at error rate ``alpha``."""
        return self.value - self.error * self._reach(alpha, max(-self.lean, 0.0))

    def upper(self, alpha: float) -> float:
        """Upper bound at error rate ``alpha``."""
        return self.value + self.error * self._reach(alpha, max(self.lean, 0.0))

    def p_above(self, threshold: float) -> float:
        """p value against "above the threshold": the alpha at which ``lower`` reaches it."""
        return self._tail(self.value - threshold, max(-self.lean, 0.0))

    def p_below(self, threshold: float) -> float:
        """p value against "below the threshold": the alpha at which ``upper`` reaches it."""
        return self._tail(threshold - self.value, max(self.lean, 0.0))

    def _reach(self, alpha: float, lean: float) -> float:
        t = -float(special.stdtrit(self.df, alpha))
        return t + lean * (2 * t * t + 1)

    def _tail(self, gap: float, lean: float) -> float:
        if self.error == 0:
            return 0.5 if gap == 0 else float(gap < 0)
        t = gap / self.error - lean
        if t > 0:
            # The root of 2 lean t^2 + t = the gap beyond lean, in the form without cancellation.
            t = 2 * t / (1 + math.sqrt(1 + 8 * lean * t))
        return float(special.stdtr(self.df, -t))


def skew_t(
    values: Floats, codes: Codes | None, *, span: float | None, name: str, ranged: bool = True
) -> SkewT:
    """The mean of ``values`` over cases, with its error between independent units.

    With groups g of n_g cases, h_g = n_g / n and e_g the sum of deviations from the mean in g:
    error^2 = (sum_g e_g^2 / (1 - h_g) + 2 s^2) / n^2, where s is the size of a pseudo-unit.

    Args:
        values: (n,), finite; at least two units.
        codes: (n,) number of each case's group, or ``None``.
        span: the largest possible distance between two values; ``None`` if there is none.
        name: of the plain method, for example ``paired t``.
        ranged: whether ``span`` counts in the size of a pseudo-unit where few units differ.

    Source: Bell, R. M. & McCaffrey, D. F. (2002), Bias reduction in standard errors for linear
    regression with multi-stage samples, Survey Methodology 28, 169-181; the pseudo-cases follow
    Agresti, A. & Min, Y. (2005), Statistics in Medicine 24, 729-740, from counts to grades.
    """
    n = len(values)
    mean = float(values.mean())
    sizes = np.ones(n) if codes is None else np.bincount(codes).astype(np.float64)
    sums = values - mean if codes is None else np.bincount(codes, weights=values - mean)
    parts = sums / np.sqrt(1 - sizes / n)
    total = float(parts @ parts) + 2 * _pseudo_square(values, codes, span if ranged else None)
    k = _skewness(parts, total)
    open_ended = span is None and codes is None
    raised = SKEW_FACTOR * (1 + UNBOUNDED * abs(k) if open_ended else 1)
    return SkewT(
        value=mean,
        error=math.sqrt(total) / n,
        df=_degrees_of_freedom(sizes),
        lean=raised * k / 6,
        name=f"{name}, skewness-adjusted" if codes is None else f"cluster {name} (CR2), adjusted",
    )


def skewness(values: Floats) -> float:
    """Sample skewness of ``values`` over the root of their number; 0 for equal ones."""
    away = values - values.mean()
    return _skewness(away, float(away @ away))


def effective_groups(codes: Codes) -> float:
    """As many groups of equal size as give the same degrees of freedom."""
    return _degrees_of_freedom(np.bincount(codes).astype(np.float64)) + 1


def _skewness(parts: Floats, total: float) -> float:
    """Third moment of what units (at least two) add to a mean, over its ``total`` error."""
    units = len(parts)
    if total == 0:
        return 0.0
    # Unbiased for equal groups; at two units that factor is not defined.
    unbiased = math.sqrt(units * (units - 1)) / (units - 2) if units > 2 else 1.0
    return unbiased * float(np.sum(parts**3)) / float(total**1.5)


def _pseudo_square(values: Floats, codes: Codes | None, span: float | None) -> float:
    """Square of how far a pseudo-unit lies from the median, its cases added up.

    Without groups the unit is a case. With groups it is a case in so far as groups differ from the
    median in some case or other, and a whole group in so far as they do not: where most groups show
    nothing, whatever may still happen may happen to a group at once.
    """
    away = values - np.median(values)
    of_cases = _mean_square(away, int(np.count_nonzero(away)), span, FADING)
    if codes is None:
        return of_cases
    sums = np.bincount(codes, weights=away).astype(np.float64)
    differing = int(np.count_nonzero(np.bincount(codes, weights=away != 0)))
    still = 1 - differing / len(sums)
    sizes = np.bincount(codes).astype(np.float64)
    reach = None if span is None else span * math.sqrt(float(sizes @ sizes) / len(sizes))
    of_groups = _mean_square(sums, differing, reach, FADING_GROUPS)
    return still * of_groups + (1 - still) * of_cases


def _mean_square(deviations: Floats, differing: int, span: float | None, fading: float) -> float:
    """Mean square of the ``differing`` deviations that are not zero.

    A bounded scale adds its span as one more deviation, with a weight that fades as units differ.
    """
    weight = 0.0 if span is None else math.exp(-differing / fading)
    if differing + weight == 0:
        return 0.0
    return (float(deviations @ deviations) + weight * (span or 0.0) ** 2) / (differing + weight)


def _degrees_of_freedom(sizes: Floats) -> float:
    """Of the CR2 variance of a mean, for cases taken as independent within groups.

    With a_g = 1/(1 - h_g) and O the covariance of the sums of deviations (n_g (1 - h_g) on the
    diagonal, -n_g n_h / n off it): df = (sum_g a_g O_gg)^2 / sum_gh a_g a_h O_gh^2. Equal sizes
    give the number of groups less one.
    """
    n = float(sizes.sum())
    weighted = sizes**2 / (1 - sizes / n)
    off_diagonal = (float(weighted.sum()) ** 2 - float(weighted @ weighted)) / n**2
    return n * n / (float(sizes @ sizes) + off_diagonal)
