"""What cases that were not drawn may hold: scores at the end of the scale that nobody saw.

A share p of total failures shows none among n independent cases with probability (1 - p)^n. At an
error rate alpha, none seen therefore says nothing against shares up to 1 - alpha^(1/n): 5.8% at 50
cases and 3.0% at 100. No method that looks at the cases alone can tell; these take the worst that
they leave possible:

    UnseenMean    the mean of a difference, where one arm has scores that nobody saw
    NoisyMean     the same, and the noise of what was seen beside it
    UnseenTail    the difference of worst tenths, which such a share moves by ten times its size

``UnseenMean`` and ``UnseenTail`` know nothing of the noise in what was seen: take them together
with a method that does, means by ``outer``. What may happen to whole groups at once is not covered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tuneornot.stats.bounds import Bounds
from tuneornot.stats.cases import Floats, Scale
from tuneornot.stats.resampled import Outer, inverse
from tuneornot.stats.studentised import SkewT

FURTHER, FURTHER_OF_FEW = 1.6, 12.0
"""How far an unseen value without a bound is taken to lie from the mean, in distances of the
furthest value seen: 1.6 + 12 / n, that is 2 at 30 cases. Chosen by the simulations of
docs/decisions/0002."""


def share(n_units: int, alpha: float) -> float:
    """The greatest share of units of a kind of which none is seen with probability ``alpha``."""
    return -math.expm1(math.log(alpha) / n_units)


@dataclass(frozen=True)
class UnseenMean:
    """Mean difference, with a share of cases that nobody saw where they move it furthest.

    With u = ``share(n, alpha)`` the bounds are value - u ``fall`` and value + u ``rise``. For 0/1
    scores of which none failed this is the exact bound of a rate.
    """

    value: float
    n: int
    """Cases."""
    fall: float
    """By how much the mean falls for each unit of the unseen share, at worst; at least 0."""
    rise: float
    """By how much it rises."""
    further_down: float = 0.0
    """Which part of ``fall`` the cases seen do not reach."""
    further_up: float = 0.0
    """Which part of ``rise``."""
    name: str = "unseen scores"

    def lower(self, alpha: float) -> float:
        """Lower bound at error rate ``alpha``."""
        return self.value - share(self.n, alpha) * self.fall

    def upper(self, alpha: float) -> float:
        """Upper bound at error rate ``alpha``."""
        return self.value + share(self.n, alpha) * self.rise

    def p_above(self, threshold: float) -> float:
        """p value against "above the threshold"."""
        return self._tail(self.value - threshold, self.fall)

    def p_below(self, threshold: float) -> float:
        """p value against "below the threshold"."""
        return self._tail(threshold - self.value, self.rise)

    def _tail(self, gap: float, reach: float) -> float:
        """Chance that no case shows of the share that closes the gap."""
        if gap <= 0:
            return 1.0
        return max(1 - gap / reach, 0.0) ** self.n if reach > 0 else 0.0


@dataclass(frozen=True)
class NoisyMean:
    """Mean difference, with the noise of what was seen and a share that nobody saw at once.

    The two come from different cases, so their distances add in squares. With r(alpha) the
    distance of the bound of ``seen`` and u = ``share(n, alpha)`` the bounds are
    value -+ sqrt(r(alpha)^2 + (u further)^2), where ``further`` is how much further out than the
    cases seen an unseen score lies: what they reach themselves is in r(alpha) already.

    Source: Zou, G. Y. & Donner, A. (2008), Construction of confidence limits about effect
    measures: a general approach, Statistics in Medicine 27, 1693-1702.
    """

    seen: Bounds
    hidden: UnseenMean
    name: str = "noise and unseen scores"

    @property
    def value(self) -> float:
        """The point estimate, the same in both."""
        return self.hidden.value

    def lower(self, alpha: float) -> float:
        """Lower bound at error rate ``alpha``."""
        own = self.value - self.seen.lower(alpha)
        return self.value - math.hypot(own, self._share(alpha) * self.hidden.further_down)

    def upper(self, alpha: float) -> float:
        """Upper bound at error rate ``alpha``."""
        own = self.seen.upper(alpha) - self.value
        return self.value + math.hypot(own, self._share(alpha) * self.hidden.further_up)

    def p_above(self, threshold: float) -> float:
        """p value against "above the threshold"."""
        if self.hidden.further_down <= 0:
            return self.seen.p_above(threshold)
        return inverse(lambda alpha: self.lower(alpha) - threshold)

    def p_below(self, threshold: float) -> float:
        """p value against "below the threshold"."""
        if self.hidden.further_up <= 0:
            return self.seen.p_below(threshold)
        return inverse(lambda alpha: threshold - self.upper(alpha))

    def _share(self, alpha: float) -> float:
        return share(self.hidden.n, alpha)


def outer(seen: SkewT, noise: SkewT, hidden: UnseenMean) -> Outer:
    """The furthest bounds of what was seen, of what nobody saw, and of both at once.

    Args:
        seen: the method for what was seen.
        noise: the same without the range of the scale in its pseudo-cases, which stands for what
            nobody saw itself.
        hidden: what nobody saw.
    """
    return Outer(
        (seen, hidden, NoisyMean(noise, hidden)),
        name=f"{seen.name}, with unseen scores",
        noise=noise.error,
    )


def mean(arms: Floats, gains: Floats, value: float, scale: Scale) -> UnseenMean:
    """What unseen scores of one arm may do to a mean difference, the other arm scoring as usual.

    On a closed scale the mean falls most where the candidate scores ``low`` or the baseline
    ``high``, and rises most where the baseline scores ``low`` or the candidate ``high``: by the
    distance of that arm's mean from that end. Without one an unseen difference is taken to lie
    further out than the furthest one seen (``FURTHER``), which leaves nothing for ``NoisyMean``.

    Args:
        arms: (n, 2) scores of baseline and candidate.
        gains: (n,) their differences, or what stands for them.
        value: the estimate of the mean difference.
        scale: least and greatest possible score, ``None`` where there is none.
    """
    low, high = scale
    if low is None or high is None:
        further = FURTHER + FURTHER_OF_FEW / len(gains)
        centre = float(gains.mean())
        fall, rise = centre - float(gains.min()), float(gains.max()) - centre
        return UnseenMean(value, len(gains), fall=further * fall, rise=further * rise)
    baseline, candidate = arms.mean(axis=0).tolist()
    return reaching(
        gains,
        value,
        fall=max(candidate - low, high - baseline),
        rise=max(baseline - low, high - candidate),
    )


def reaching(values: Floats, value: float, *, fall: float, rise: float) -> UnseenMean:
    """What unseen scores may do that lie ``fall`` below or ``rise`` above the mean.

    How far the cases seen reach themselves is the mean of the two furthest on that side: a single
    case out there has not shown how often there are such (docs/decisions/0002).

    Args:
        values: (n,) at least two, whose mean the estimate is or rests on.
        value: the estimate.
        fall, rise: as in ``UnseenMean``, at least 0.
    """
    centre = float(values.mean())
    ordered = np.partition(values, (1, len(values) - 2))
    down, up = centre - float(ordered[:2].mean()), float(ordered[-2:].mean()) - centre
    return UnseenMean(
        value,
        len(values),
        fall=fall,
        rise=rise,
        further_down=max(fall - down, 0.0),
        further_up=max(rise - up, 0.0),
    )


@dataclass(frozen=True, eq=False)
class UnseenTail:
    """Difference of the means of the worst share s, with unseen failures in the arm they hurt.

    For the lower bound the candidate, for the upper bound the baseline scores ``floor`` on a share
    u = ``share(n_units, alpha)`` of cases. Its tail is then (u floor + (s - u) m) / s, with m the
    mean of the lowest (s - u)/(1 - u) of the scores that were seen; ``floor`` where u is s or more.
    """

    baseline: Floats
    """(n,) ascending."""
    candidate: Floats
    """(n,) ascending."""
    floor: float
    n_units: int
    share: float
    name: str = "unseen failures"

    @property
    def value(self) -> float:
        """Candidate's mean less the baseline's, as seen."""
        return _lowest(self.candidate, self.share) - _lowest(self.baseline, self.share)

    def lower(self, alpha: float) -> float:
        """Lower bound at error rate ``alpha``."""
        return self._failing(self.candidate, alpha) - _lowest(self.baseline, self.share)

    def upper(self, alpha: float) -> float:
        """Upper bound at error rate ``alpha``."""
        return _lowest(self.candidate, self.share) - self._failing(self.baseline, alpha)

    def p_above(self, threshold: float) -> float:
        """p value against "above the threshold"."""
        return inverse(lambda alpha: self.lower(alpha) - threshold)

    def p_below(self, threshold: float) -> float:
        """p value against "below the threshold"."""
        return inverse(lambda alpha: threshold - self.upper(alpha))

    def _failing(self, ordered: Floats, alpha: float) -> float:
        unseen = share(self.n_units, alpha)
        if unseen >= self.share:
            return self.floor
        left = self.share - unseen
        return (unseen * self.floor + left * _lowest(ordered, left / (1 - unseen))) / self.share


def _lowest(ordered: Floats, share: float) -> float:
    """Mean of the lowest ``share``, the last case counted by the part of it that is needed."""
    wanted = share * len(ordered)
    whole = min(math.ceil(wanted), len(ordered))
    return float((ordered[:whole].sum() - (whole - wanted) * ordered[whole - 1]) / wanted)
