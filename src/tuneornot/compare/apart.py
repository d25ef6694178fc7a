"""How much each arm loses on a set of other cases, and who loses more.

The cases of the two sets have nothing to do with each other, so that it is means that are compared:
an arm's drop is its mean on the other set minus its mean on eval; the difference of the drops is
the candidate's mean gain there minus its mean gain on eval. Within each set the arms are paired.
"""

from __future__ import annotations

from collections.abc import Callable

from tuneornot.compare.sides import Sides, sides
from tuneornot.compare.tables import Floats, Table
from tuneornot.records import Drop, Estimate
from tuneornot.stats import apart

FEW = 50
"""Cases of either set below which only large drops show."""


class Apart:
    """Both arms on one metric, on the eval set and on another one."""

    def __init__(self, dataset: str, plain: Table, other: Table) -> None:
        """Turn both tables; ``dataset`` is the name of the other set."""
        self._dataset = dataset
        self._table = other
        self.plain, self.other = sides(plain), sides(other)

    def difference(self, alpha: float) -> Estimate:
        """The candidate's drop minus the baseline's."""
        return self._change(lambda own: own.gains, alpha, doubled=True)

    def drop(self, levels: tuple[float, float], alpha: float) -> Drop:
        """Both arms' drops and their difference; ``levels`` are their means on eval."""
        grouped = self.other.groups is not None and self.other.n_units < self.other.n
        least = min(self.plain.n, self.other.n)
        return Drop(
            metric=self._table.metric,
            dataset=self._dataset,
            perturbation="",
            strength=None,
            main=False,
            other_cases=True,
            scale=self._table.scale,
            n=self.other.n,
            n_groups=self.other.n_units if grouped else None,
            plain=levels,
            baseline=self._change(lambda own: own.baseline, alpha),
            candidate=self._change(lambda own: own.answers, alpha),
            difference=self.difference(alpha),
            caveats=(f"a set of {least} cases shows large drops only",) if least < FEW else (),
        )

    def _change(
        self, figure: Callable[[Sides], Floats], alpha: float, *, doubled: bool = False
    ) -> Estimate:
        """The mean figure on the other set minus that on eval.

        ``doubled``: a difference of two scores, which can lie twice as far apart as one.
        """
        low, high = self.plain.scale
        span = None if low is None or high is None else (1 + doubled) * (high - low)
        return apart.difference(
            figure(self.plain),
            figure(self.other),
            first_groups=self.plain.groups,
            second_groups=self.other.groups,
            span=span,
            alpha=alpha,
        )
