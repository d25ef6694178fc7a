"""What cases that were not drawn may hold: scores at the end of the scale that nobody saw.

A share p of total failures shows none among n independent cases with probability (1 - p)^n. At an
error rate alpha, none seen therefore says nothing against shares up to 1 - alpha^(1/n): 5.8% at 50
cases and 3.0% at 100. No method that looks at the cases alone can tell; this one takes the worst
that they leave possible. It is for the worst tenth, which such a share moves by ten times its size,
and needs a scale with an end. It knows nothing of the noise in what was seen: take it together with
a method that does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tuneornot.stats.cases import Floats
from tuneornot.stats.resampled import inverse


def share(n_units: int, alpha: float) -> float:
    """The greatest share of units of a kind of which none is seen with probability ``alpha``."""
    return -math.expm1(math.log(alpha) / n_units)


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
