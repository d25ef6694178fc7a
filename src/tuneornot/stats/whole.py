"""Figures of a whole run that are no means over cases, for two arms, with paired intervals.

Macro-F1 or corpus BLEU of a run is a function of sums over its cases. Cases (or groups of cases)
are taken out one by one and drawn again, always with both arms together, and the function is
applied to the changed sums: one matrix product for a block of resamples, no matter what the
function is.

The interval is the outer of two. The *jackknife* turns the figure into one pseudo-value for each
unit, whose mean has the skewness-adjusted t interval of ``studentised``; what one failed case could
change stands in for the range of the scale, so that arms without a difference do not give an
interval of width zero. The *expanded percentile* of the resampled figures follows functions that
bend within the interval. docs/concepts/whole-run.md has the coverage.

It knows neither answers nor classes. A figure that jumps when one case is taken out (a median, a
maximum) is not covered.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from tuneornot.records import Estimate
from tuneornot.stats import bounds, units
from tuneornot.stats.cases import Cases, Floats
from tuneornot.stats.resampled import Outer, Percentile, undetermined
from tuneornot.stats.studentised import skew_t
from tuneornot.stats.units import Rng

Figure = Callable[[Floats], Floats]
"""From sums of parts, (..., k), to a figure, (...); NaN where they determine none."""

Limits = tuple[float | None, float | None]
METHOD = "widest of percentile bootstrap and jackknife t"


class Paired:
    """The parts of two arms on the same cases, ready for any figure made from their sums.

    Args:
        baseline: (n, k) finite parts of each case; repeats are averaged beforehand.
        candidate: the same cases in the same order.
        missed: parts, (..., k), to those of the same cases had the answers been worth nothing.
        groups: (n,) labels; cases of one group are not independent of each other.
        alpha: error rate of every interval and of every one-sided bound.
        rng: seed or generator of the resampling.
    """

    def __init__(
        self,
        baseline: Floats,
        candidate: Floats,
        missed: Callable[[Floats], Floats],
        *,
        groups: ArrayLike | None = None,
        alpha: float = 0.05,
        rng: Rng = 0,
    ) -> None:
        self.alpha = alpha
        both = np.stack([baseline, candidate], axis=1)
        n, random = len(both), np.random.default_rng(rng)
        codes = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        flat = both.reshape(n, -1)
        own = units.of(Cases(values=flat, codes=codes, n_unscored=0, n_repeats=1), random)
        shape = (own.count, *both.shape[1:])
        self._by_unit = own.sums(flat).reshape(shape)  # (units, 2, k)
        self._failed = own.sums(missed(both).reshape(n, -1)).reshape(shape)
        drawn = [
            (weights @ self._by_unit.reshape(own.count, -1)).reshape(-1, *both.shape[1:])
            for weights in units.weights(own.count, units.n_resamples(alpha), random)
        ]
        self._drawn = np.concatenate(drawn)  # (resamples, 2, k)

    def difference(self, figure: Figure, *, within: Limits = (None, None)) -> Estimate:
        """Candidate minus baseline; ``p_value`` is of no difference.

        Args:
            figure: of the sums.
            within: the least and greatest difference that are possible.
        """

        def apart(sums: Floats) -> Floats:
            found: Floats = figure(sums[..., 1, :]) - figure(sums[..., 0, :])
            return found

        return self._estimate(apart, null=0.0, within=within)

    def level(self, figure: Figure, arm: int, *, within: Limits = (None, None)) -> Estimate:
        """The figure of the baseline (arm 0) or the candidate (arm 1), without a test."""
        return self._estimate(lambda sums: figure(sums[..., arm, :]), null=None, within=within)

    def deviation(self, figure: Figure) -> float:
        """Standard deviation of the difference between cases: its error times sqrt(units)."""
        value, pseudo = self._pseudo(lambda sums: figure(sums[..., 1, :]) - figure(sums[..., 0, :]))
        return float(np.std(pseudo, ddof=1)) if math.isfinite(value) else math.nan

    def _estimate(self, figure: Figure, *, null: float | None, within: Limits) -> Estimate:
        count = len(self._by_unit)
        value, pseudo = self._pseudo(figure) if count > 2 else (math.nan, np.empty(0))
        draws = figure(self._drawn)
        draws = draws[~np.isnan(draws)]
        if math.isnan(value) or not len(draws):
            return undetermined(self.alpha, METHOD)
        method = Outer(
            (
                Percentile(value, draws, count),
                # The pseudo-values' own mean differs from the value by the jackknife's estimate
                # of its bias, which is left in: taking it out costs more variance than it saves.
                skew_t(
                    pseudo - pseudo.mean() + value,
                    None,
                    span=self._span(figure, value),
                    name="jackknife t",
                ),
            ),
            name=METHOD,
        )
        return bounds.within(bounds.estimate(method, alpha=self.alpha, null=null), *within)

    def _pseudo(self, figure: Figure) -> tuple[float, Floats]:
        """The figure, and for each unit units * figure - (units - 1) * figure without it.

        A unit without which the figure is not determined counts as one that changes nothing.

        Source: Efron, B. & Tibshirani, R. (1993), An introduction to the bootstrap, chapter 11.
        """
        total, count = self._by_unit.sum(axis=0), len(self._by_unit)
        value = float(figure(total))
        left = figure(total - self._by_unit)
        left = np.where(np.isnan(left), value, left)
        pseudo: Floats = count * value - (count - 1) * left
        return value, pseudo

    def _span(self, figure: Figure, value: float) -> float | None:
        """How far a unit's pseudo-value would move if one arm failed on all of it.

        The root mean square over units, of the arm where it is greater: failures that did not
        happen are likelier where there are more cases.
        """
        total, count = self._by_unit.sum(axis=0), len(self._by_unit)
        moved = []
        for arm in range(2):
            changed = np.repeat(total[np.newaxis], count, axis=0)
            changed[:, arm] += self._failed[:, arm] - self._by_unit[:, arm]
            found = figure(changed)
            change = np.where(np.isnan(found), 0.0, count * (value - found))
            moved.append(math.sqrt(float(np.mean(change**2))))
        return max(moved)
