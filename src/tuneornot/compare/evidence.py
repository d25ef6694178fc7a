"""What two arms' runs say of one claim at one error rate: computed when asked for, and once.

A ``Comparison`` holds every statistic of every metric at one error rate, for reading. A verdict
asks for a few of them, each at the error rate that its claim needs; so does the question what the
verdict were without a slice. This is the short way to those few: the same statistics, corrected by
labels and adjusted for covariates where the whole comparison is. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tuneornot.compare import whole as whole_run
from tuneornot.compare.contrasts import statistic
from tuneornot.compare.drops import Drops
from tuneornot.compare.known import adjust
from tuneornot.compare.labelled import corrected
from tuneornot.compare.pairs import Candidate
from tuneornot.compare.parts import without
from tuneornot.compare.sides import Rng, Sides, sides
from tuneornot.compare.tables import Table, tables
from tuneornot.metrics.base import Whole
from tuneornot.records import Case, Claim, Contrast, Covariate, Estimate, Quantity, Run
from tuneornot.stats import paired

ADJUSTED = ("primary", "equivalence")
"""Roles of the claims that a study adjusts: those of the primary's difference on eval."""


class _Place(NamedTuple):
    """One metric on one set: its scores, and the runs that they are of."""

    table: Table
    sides: Sides
    baseline: Run
    candidates: tuple[Run, ...]


class Evidence:
    """The runs of one candidate and the baseline on every set."""

    def __init__(
        self,
        pairs: Sequence[tuple[Run, Candidate]],
        *,
        by: Sequence[Covariate] = (),
        pool: Sequence[Case] = (),
        drops: Drops | None = None,
        whole: Mapping[str, Whole] | None = None,
        rng: Rng = 0,
    ) -> None:
        """Pair the runs by case.

        Args:
            pairs: as ``comparison`` takes them.
            by: what the primary's difference is adjusted for.
            pool: the cases that the eval cases were drawn from, themselves included.
            drops: the same arms on changed cases; ``None`` where there are none.
            whole: the whole-run metrics by name, which know their figures.
            rng: seed or generator of all resampling.

        Raises:
            DataError: as ``runs``.
        """
        self._pairs = [
            (first, (second,) if isinstance(second, Run) else tuple(second))
            for first, second in pairs
        ]
        self._by, self._pool, self._rng = tuple(by), tuple(pool), rng
        self._drops = drops
        self._whole = whole or {}
        self._places = {
            (table.metric, first.dataset.name): _Place(table, sides(table), first, second)
            for first, second in self._pairs
            for table in tables(first, second)
        }
        self._known: dict[tuple[str, str, Quantity, bool, float], Estimate | None] = {}

    def __call__(self, claim: Claim, alpha: float) -> Estimate | None:
        """The quantity that a claim is about, with its bounds at an error rate.

        Returns:
            ``None`` where it was not measured or does not exist for such scores.
        """
        if claim.quantity != "drop" and (claim.metric, claim.dataset) not in self._places:
            return None
        adjusted = bool(self._by) and claim.role in ADJUSTED
        key = (claim.metric, claim.dataset, claim.quantity, adjusted, alpha)
        if key not in self._known:
            self._known[key] = self._found(claim, alpha, adjusted=adjusted)
        return self._known[key]

    def without(self, part: str) -> Evidence:
        """The same without the cases of one slice (``""``: those of none)."""
        return Evidence(
            [
                (without(first, part), [without(run, part) for run in second])
                for first, second in self._pairs
            ],
            by=self._by,
            pool=[case for case in self._pool if (case.slice or "") != part],
            drops=None if self._drops is None else self._drops.without(part),
            whole=self._whole,
            rng=self._rng,
        )

    def plain(self) -> Evidence:
        """The same without adjusting."""
        return Evidence(self._pairs, drops=self._drops, whole=self._whole, rng=self._rng)

    def _found(self, claim: Claim, alpha: float, *, adjusted: bool) -> Estimate | None:
        if claim.quantity == "drop":
            if self._drops is None:
                return None
            return self._drops.estimate(claim.metric, claim.dataset, alpha=alpha, rng=self._rng)
        place = self._places[claim.metric, claim.dataset]
        scale = place.table.scale
        if scale.whole:
            if claim.quantity != "mean":
                return None
            return whole_run.difference(place.table, self._whole, alpha=alpha, rng=self._rng)
        made = statistic(place.sides, scale, claim.quantity, alpha=alpha, rng=self._rng)
        if claim.quantity != "mean" or made is None:
            return made
        bare = Contrast(
            metric=claim.metric,
            dataset=claim.dataset,
            baseline=place.baseline.arm.name,
            candidate=place.candidates[0].arm.name,
            scale=scale,
            n=place.sides.n,
            baseline_mean=paired.NAN,
            candidate_mean=paired.NAN,
            mean=made,
        )
        bare = corrected(bare, place.baseline, place.candidates, alpha=alpha)
        if adjusted:
            bare = adjust(
                bare, place.baseline, place.candidates, by=self._by, pool=self._pool, alpha=alpha
            )
        return bare.mean
