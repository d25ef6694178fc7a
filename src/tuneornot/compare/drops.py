"""How much each arm loses when the same cases are asked in another way, and who loses more.

For a case and an arm the change is its score on the changed case minus its mean score on the plain
one; the difference is the candidate's change minus the baseline's, paired by case. Over several
perturbations a case's change is its mean over those that both arms have scores for: the case stays
the unit, however many ways it was asked in. What changed the cases, and whether that kept their
meaning, is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from tuneornot.compare.apart import Apart
from tuneornot.compare.contrasts import statistic
from tuneornot.compare.parts import without
from tuneornot.compare.sides import Rng, Sides, sides
from tuneornot.compare.tables import Floats, Table, tables
from tuneornot.records import POOLED, Drop, Estimate, Perturbed, Run, Scale
from tuneornot.stats import multiplicity, paired

FEW_CHANGED = 50
"""Changed cases below which only large drops show."""


class Pair(NamedTuple):
    """The baseline's run and the candidate's, by training seed, on one set."""

    baseline: Run
    candidates: tuple[Run, ...]

    def without(self, part: str) -> Pair:
        """The same without the cases of one slice."""
        return Pair(without(self.baseline, part), tuple(without(r, part) for r in self.candidates))


class Drops:
    """Two arms on the plain cases and on sets of changed ones."""

    def __init__(
        self,
        plain: Pair,
        changed: Sequence[tuple[Perturbed, Pair]] = (),
        *,
        others: Sequence[Pair] = (),
        pooled: str = POOLED,
    ) -> None:
        """Pair the runs by case.

        Args:
            plain: on the eval set.
            changed: on each set of changed cases; each is a part of the eval set, by case id.
            others: on sets with cases of their own.
            pooled: what all perturbations at the study's strength are called together.
        """
        self._plain = plain
        self._changed = tuple(changed)
        self._others = tuple(others)
        self._pooled = pooled
        # What a figure of a whole run loses is no mean of what cases lose.
        self._tables = {table.metric: table for table in tables(*plain) if not table.scale.whole}
        self._shifted = [
            {table.metric: table for table in tables(*pair)} for _, pair in self._changed
        ]
        self._apart = {
            (table.metric, name): Apart(name, self._tables[table.metric], table)
            for pair in self._others
            for name in [pair.baseline.dataset.name]
            for table in tables(*pair)
            if table.metric in self._tables
        }

    def without(self, part: str) -> Drops:
        """The same without the cases of one slice."""
        left = [(told, pair.without(part)) for told, pair in self._changed]
        others = [pair.without(part) for pair in self._others]
        return Drops(self._plain.without(part), left, others=others, pooled=self._pooled)

    def estimate(self, metric: str, dataset: str, *, alpha: float, rng: Rng = 0) -> Estimate | None:
        """The difference of the drops on one set, or on all together.

        Returns:
            ``None`` where it was not measured.
        """
        if (metric, dataset) in self._apart:
            return self._apart[metric, dataset].difference(alpha)
        own = self._sides(metric, dataset)
        if own is None:
            return None
        return statistic(own, _of_changes(self._tables[metric].scale), "mean", alpha=alpha, rng=rng)

    def all(self, *, alpha: float) -> tuple[Drop, ...]:
        """Every metric on every set and on all together, with p values adjusted by Holm."""
        judged = dict.fromkeys(name for _, pair in self._changed for name in pair.baseline.metrics)
        paired_by_case = [drop for metric in judged for drop in self._of_metric(metric, alpha)]
        beside = [
            each.drop(self._levels(metric, each.plain.case_ids), alpha)
            for (metric, _), each in self._apart.items()
            if metric in self._plain.baseline.metrics
        ]
        return (*paired_by_case, *beside)

    def _of_metric(self, metric: str, alpha: float) -> list[Drop]:
        found = [self._drop(metric, told.name, told, alpha) for told, _ in self._changed]
        found.append(self._drop(metric, self._pooled, None, alpha))
        made = [each for each in found if each is not None]
        claims = [each for each in made if each.main and each.perturbation]
        p_values = [each.difference.p_value for each in claims]
        adjusted = multiplicity.holm([np.nan if p is None else p for p in p_values])
        held: Mapping[str, float] = {
            each.dataset: float(p) for each, p in zip(claims, adjusted, strict=True) if p == p
        }
        return [msgspec.structs.replace(each, p_holm=held.get(each.dataset)) for each in made]

    def _drop(self, metric: str, dataset: str, told: Perturbed | None, alpha: float) -> Drop | None:
        own = self._sides(metric, dataset)
        if own is None:
            return None
        scale = self._tables[metric].scale
        difference = statistic(own, _of_changes(scale), "mean", alpha=alpha)
        assert difference is not None, "a mean exists for all scores"
        grouped = own.groups is not None and own.n_units < own.n
        return Drop(
            metric=metric,
            dataset=dataset,
            perturbation="" if told is None else told.perturbation,
            strength=None if told is None else told.strength,
            main=told is None or told.main,
            scale=scale,
            n=own.n,
            n_groups=own.n_units if grouped else None,
            plain=self._levels(metric, own.case_ids),
            baseline=_level(own, own.baseline, alpha),
            candidate=_level(own, own.answers, alpha),
            difference=difference,
            caveats=_caveats(own),
        )

    def _levels(self, metric: str, case_ids: Sequence[str]) -> tuple[float, float]:
        """Both arms' means on the plain cases."""
        table = self._tables[metric]
        rows = {case_id: row for row, case_id in enumerate(table.case_ids)}
        taken = [rows[case_id] for case_id in case_ids]
        arms = (table.baseline[taken], _by_case(table.candidate)[taken])
        first, second = (float(np.nanmean(_means(arm))) if taken else float("nan") for arm in arms)
        return first, second

    def _sides(self, metric: str, dataset: str) -> Sides | None:
        """Both arms' changes; with several sets one after the other, as a case's repeats are."""
        if metric not in self._tables:
            return None
        together = dataset == self._pooled
        wanted = [
            shifted[metric]
            for (told, _), shifted in zip(self._changed, self._shifted, strict=True)
            if metric in shifted and (told.main if together else told.name == dataset)
        ]
        return sides(_changes(self._tables[metric], wanted)) if wanted else None


def _changes(plain: Table, shifted: Sequence[Table]) -> Table:
    """Changed minus plain for every case that at least one of the sets holds."""
    baselines, candidates = zip(*(_change(plain, each) for each in shifted), strict=True)
    kept = np.array(sorted(_asked(plain, shifted)), dtype=np.intp)
    return Table(
        metric=plain.metric,
        scale=_of_changes(plain.scale),
        case_ids=tuple(plain.case_ids[row] for row in kept),
        baseline=np.concatenate(baselines, axis=1)[kept],
        candidate=np.concatenate(candidates, axis=2)[:, kept],
        groups=None if plain.groups is None else tuple(plain.groups[row] for row in kept),
        slices=None if plain.slices is None else tuple(plain.slices[row] for row in kept),
    )


def _asked(plain: Table, shifted: Sequence[Table]) -> set[int]:
    """Rows of the plain table whose cases were changed."""
    rows = {case_id: row for row, case_id in enumerate(plain.case_ids)}
    return {rows[case_id] for each in shifted for case_id in each.case_ids}


def _change(plain: Table, shifted: Table) -> tuple[Floats, Floats]:
    """Both arms' changes on one set, (n, repeats) and (seeds, n, repeats) over the plain cases.

    A case that lacks a score of either arm is NaN for both, so that over several sets both arms'
    means are of the same ways of asking.
    """
    rows = {case_id: row for row, case_id in enumerate(plain.case_ids)}
    places = [rows[case_id] for case_id in shifted.case_ids]
    baseline = np.full((len(plain.case_ids), shifted.baseline.shape[1]), np.nan)
    baseline[places] = shifted.baseline - _means(plain.baseline)[places, np.newaxis]
    n_seeds, _, n_repeats = shifted.candidate.shape
    candidate = np.full((n_seeds, len(plain.case_ids), n_repeats), np.nan)
    usual = np.stack([_means(layer) for layer in plain.candidate])
    candidate[:, places] = shifted.candidate - usual[:, places, np.newaxis]
    gone = np.all(np.isnan(baseline), axis=1) | np.all(np.isnan(candidate), axis=(0, 2))
    baseline[gone], candidate[:, gone] = np.nan, np.nan
    return baseline, candidate


def _by_case(candidate: Floats) -> Floats:
    """(n, seeds * repeats) of (seeds, n, repeats)."""
    n_seeds, n, n_repeats = candidate.shape
    return np.moveaxis(candidate, 0, 1).reshape(n, n_seeds * n_repeats)


def _means(table: Floats) -> Floats:
    """(n,) mean of each row over what is scored, NaN where nothing is."""
    there = ~np.isnan(table)
    n = there.sum(axis=1)
    total = np.where(there, table, 0.0).sum(axis=1)
    mean: Floats = np.where(n > 0, total / np.maximum(n, 1), np.nan)
    return mean


def _of_changes(scale: Scale) -> Scale:
    """Of a difference of two scores on one scale."""
    span = None if scale.low is None or scale.high is None else scale.high - scale.low
    low = None if span is None else -span
    return Scale(better=scale.better, low=low, high=span, unit=scale.unit)


def _level(own: Sides, changes: Floats, alpha: float) -> Estimate:
    return paired.level(changes, groups=own.groups, scale=own.scale, binary=False, alpha=alpha)


def _caveats(own: Sides) -> tuple[str, ...]:
    said = []
    if own.n < FEW_CHANGED:
        said.append(f"{own.n} changed cases show large drops only")
    first, second = own.n_unscored
    if first or second:
        said.append(
            f"{max(first, second)} changed cases lack a score of one arm, changed or plain, and are"
            " left out"
        )
    return tuple(said)
