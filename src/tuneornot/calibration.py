"""Judges held against the people who labelled: agreement, errors, and what the errors hang on.

It takes answers with what judges voted and people said, and returns one ``Calibration`` for each
judge. It never asks anybody, and it corrects nothing: that is ``compare``'s business.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tuneornot.metrics.judges.base import Judged, Ruling, Vote
from tuneornot.records import Calibration, Estimate, JudgedArm, OrderBias, Retest, Run
from tuneornot.stats import agreement, paired

Place = tuple[str, int]


class Answered(NamedTuple):
    """One run under one judged metric."""

    run: Run
    rulings: dict[Place, Ruling]
    said: dict[Place, dict[str, float]]
    """What people said, by person."""
    against: Run | None
    """The baseline's run, where answers were judged against it."""


class _Row(NamedTuple):
    """One answer."""

    arm: str
    case_id: str
    group: str
    judge: float
    """NaN where undecided."""
    people: dict[str, float]
    votes: tuple[Vote, ...]
    length: float
    """Characters; of a preference how many more than the baseline's."""

    @property
    def label(self) -> float:
        """Mean over the people; NaN without any."""
        return sum(self.people.values()) / len(self.people) if self.people else math.nan


def of(metric: Judged, answered: Sequence[Answered], *, alpha: float = 0.05) -> list[Calibration]:
    """One calibration for each judge of a metric, and one for all of them together if several.

    Args:
        metric: what was judged.
        answered: every run that was judged by it; a paired baseline is left out.
        alpha: error rate of every interval.
    """
    judged = [each for each in answered if not metric.paired or each.against is not None]
    together = " and ".join(metric.judges)
    found = []
    if len(metric.judges) > 1:
        rows = _rows(judged, lambda ruling: (ruling.mark.value, ruling.votes))
        found.append(_made(metric, together, judged, rows, alpha))
    for judge in metric.judges:
        rows = _rows(judged, lambda ruling, judge=judge: _by(ruling, judge))  # type: ignore[misc]
        found.append(_made(metric, judge, judged, rows, alpha))
    return found


def _by(ruling: Ruling, judge: str) -> tuple[float | None, tuple[Vote, ...]]:
    """One judge's part in a ruling: the mean of its decided votes."""
    votes = tuple(vote for vote in ruling.votes if vote.judge == judge)
    values = [vote.value for vote in votes if vote.value is not None]
    if not votes:
        return ruling.mark.value, ()
    return (sum(values) / len(values) if values else None), votes


Part = Callable[[Ruling], tuple[float | None, tuple[Vote, ...]]]


def _rows(answered: Sequence[Answered], part: Part) -> list[_Row]:
    rows = []
    for one in answered:
        cases = {case.id: case for case in one.run.dataset.cases}
        texts = _texts(one.run)
        others = {} if one.against is None else _texts(one.against)
        for place, ruling in one.rulings.items():
            if place not in texts:
                continue
            value, votes = part(ruling)
            group = cases[place[0]].group
            rows.append(
                _Row(
                    arm=one.run.arm.name,
                    case_id=place[0],
                    group=f"\0{place[0]}" if group is None else group,
                    judge=math.nan if value is None else value,
                    people=one.said.get(place, {}),
                    votes=votes,
                    length=len(texts[place]) - len(others.get(place, "")),
                )
            )
    return rows


def _texts(run: Run) -> dict[Place, str]:
    places = [(case.id, r) for case in run.dataset.cases for r in range(run.n_repeats)]
    pairs = zip(places, run.responses, strict=True)
    return {place: response.text for place, response in pairs if response.text is not None}


def _made(
    metric: Judged, judge: str, answered: Sequence[Answered], rows: list[_Row], alpha: float
) -> Calibration:
    known = [row for row in rows if row.people and not math.isnan(row.judge)]
    people = sorted({name for row in rows for name in row.people})
    table = np.array(
        [[row.judge, *(row.people.get(name, math.nan) for name in people)] for row in known]
    ).reshape(len(known), 1 + len(people))
    groups = [row.group for row in known]
    gaps = [row.judge - row.label for row in known]
    models = {one.run.arm.name: one.run.arm.model for one in answered}
    own = tuple(name for name, model in models.items() if model == judge)
    several = table.shape[1] > 2 and bool(np.any(np.sum(~np.isnan(table[:, 1:]), axis=1) > 1))
    return Calibration(
        metric=metric.name,
        judge=judge,
        n_labelled=len(known),
        n_people=len(people),
        kappa=agreement.kappa(
            [row.judge for row in known], [row.label for row in known], groups=groups, alpha=alpha
        ),
        alpha=agreement.alpha(table, groups=groups, alpha=alpha),
        alpha_of_people=agreement.alpha(table[:, 1:], groups=groups, alpha=alpha)
        if several
        else None,
        arms=tuple(
            _arm(name, [row for row in rows if row.arm == name], metric.scale.binary, alpha)
            for name in models
        ),
        length=agreement.dependence(
            gaps, _standardised([row.length for row in known]), groups=groups, alpha=alpha
        )
        if known
        else None,
        order=_order(rows, alpha) if metric.paired else None,
        retest=_retest(rows, alpha),
        own=own,
        favour=_favour(known, own, alpha) if own and not metric.paired else None,
    )


def _arm(name: str, rows: list[_Row], binary: bool, alpha: float) -> JudgedArm:
    known = [row for row in rows if row.people and not math.isnan(row.judge)]
    labels = [row.label for row in known]
    return JudgedArm(
        arm=name,
        n_answers=len(rows),
        n_undecided=sum(math.isnan(row.judge) for row in rows),
        n_labelled=len(known),
        bias=_gap(labels, [row.judge for row in known], [row.group for row in known], alpha),
        sensitivity=_hits(known, 1.0, alpha) if binary else None,
        specificity=_hits(known, 0.0, alpha) if binary else None,
    )


def _hits(rows: list[_Row], label: float, alpha: float) -> Estimate:
    """Share judged as most people say, among the answers of which most say ``label``."""
    of_kind = [row for row in rows if row.label != 0.5 and round(row.label) == label]
    return agreement.rate(sum(row.judge == label for row in of_kind), len(of_kind), alpha=alpha)


def _gap(
    first: Sequence[float], second: Sequence[float], groups: Sequence[str], alpha: float
) -> Estimate:
    """Mean of second minus first; both from 0 to 1."""
    if not first:
        return paired.NAN
    return paired.difference(
        list(first), list(second), groups=list(groups), scale=(0.0, 1.0), binary=False, alpha=alpha
    )


def _standardised(lengths: list[float]) -> np.typing.NDArray[np.float64]:
    """In standard deviations, so that a slope never speaks of lengths that did not occur."""
    values = np.array(lengths)
    spread = float(values.std())
    return values / spread if spread > 0 else values


def _order(rows: list[_Row], alpha: float) -> OrderBias | None:
    pairs = [vote.orders for row in rows for vote in row.votes if vote.orders is not None]
    if not pairs:
        return None
    changed = [(leading, trailing) for leading, trailing in pairs if leading != trailing]
    return OrderBias(
        n_pairs=len(pairs),
        inconsistent=agreement.rate(len(changed), len(pairs), alpha=alpha),
        first=agreement.against_half(
            sum(leading > trailing for leading, trailing in changed), len(changed), alpha=alpha
        ),
    )


def _retest(rows: list[_Row], alpha: float) -> Retest | None:
    """The judge's repeats on one answer, and what is left of the model's on one case."""
    n_repeats = 1 + max((vote.repeat for row in rows for vote in row.votes), default=0)
    if n_repeats < 2:
        return None
    voted = [row for row in rows if row.votes]
    table = np.full((len(voted), n_repeats), np.nan)
    for place, row in enumerate(voted):
        for repeat in range(n_repeats):
            said = [v.value for v in row.votes if v.repeat == repeat and v.value is not None]
            table[place, repeat] = sum(said) / len(said) if said else math.nan
    noise = _within(list(table))
    by_case: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        by_case.setdefault((row.arm, row.case_id), []).append(row.judge)
    model: float | None = None
    if any(len(values) > 1 for values in by_case.values()):
        both = _within([np.array(values) for values in by_case.values()])
        # A score is the mean of the judge's repeats: so much of its noise is left in it.
        model = math.sqrt(max(both**2 - noise**2 / n_repeats, 0.0))
    return Retest(
        n_answers=len(voted),
        n_repeats=n_repeats,
        alpha=agreement.alpha(table, groups=[row.group for row in voted], alpha=alpha),
        noise=noise,
        model_noise=model,
    )


def _within(rows: Sequence[np.typing.NDArray[np.float64]]) -> float:
    """Pooled standard deviation within rows; NaN where no row has two numbers."""
    squares, freedom = 0.0, 0
    for row in rows:
        values = row[~np.isnan(row)]
        if len(values) > 1:
            squares += float(np.sum((values - values.mean()) ** 2))
            freedom += len(values) - 1
    return math.sqrt(squares / freedom) if freedom else math.nan


def _favour(rows: list[_Row], own: Sequence[str], alpha: float) -> Estimate:
    """How much more a judge overrates its own model's answers than the others', case by case."""
    gaps: dict[str, tuple[list[float], list[float]]] = {}
    groups: dict[str, str] = {}
    for row in rows:
        gaps.setdefault(row.case_id, ([], []))[row.arm in own].append(row.judge - row.label)
        groups[row.case_id] = row.group
    both = [case_id for case_id, (others, ours) in gaps.items() if others and ours]
    means = [[sum(side) / len(side) for side in gaps[case_id]] for case_id in both]
    if not means:
        return paired.NAN
    return paired.difference(
        [others for others, _ in means],
        [ours for _, ours in means],
        groups=[groups[case_id] for case_id in both],
        scale=(-1.0, 1.0),
        binary=False,
        alpha=alpha,
    )
