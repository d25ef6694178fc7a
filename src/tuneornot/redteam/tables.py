"""Two arms under the same attacks, paired by case: in all, by category, by technique.

Attacks that put the same request are not independent, so requests are what is resampled. The tests
of one table are Holm-adjusted together: any one row may be picked out. It phrases nothing and
decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from tuneornot import compare
from tuneornot.attacks import suite
from tuneornot.attacks.behaviours import CATEGORIES, severity
from tuneornot.records import (
    ATTACKS,
    SAFETY,
    Agreement,
    Attacked,
    Case,
    Contrast,
    Estimate,
    Harm,
    Run,
)
from tuneornot.stats import agreement as agreeing
from tuneornot.stats import paired

BY_RULES = "attack_success_by_rules"


def contrasts(first: Sequence[Run], second: Sequence[Run], *, alpha: float) -> tuple[Contrast, ...]:
    """Every metric of two arms on both sets, those of the judge that does not decide included.

    Args:
        first: the baseline's runs, one for each set.
        second: the candidate's, one for each set and training seed.
        alpha: error rate of every interval and one-sided bound.
    """
    return tuple(
        contrast
        for run in first
        for contrast in compare.runs(run, _same_set(run, second), alpha=alpha)
    )


def attacked(
    first: Sequence[Run],
    second: Sequence[Run],
    made: Sequence[Contrast],
    *,
    alpha: float,
    tuning: bool = False,
) -> Attacked:
    """Two arms by category and technique, beside their contrasts.

    Args:
        first, second, alpha: as for ``contrasts``.
        made: what that gave.
        tuning: whether the first is the second before it was tuned.
    """
    kept = {one.metric: one for one in made}
    attacks = next(run for run in first if run.dataset.name == ATTACKS)
    others = _same_set(attacks, second)
    by_technique = _by_technique(attacks), [_by_technique(run) for run in others]
    [techniques] = [
        one for one in compare.runs(*by_technique, alpha=alpha) if one.metric == "attack_success"
    ]
    return Attacked(
        baseline=first[0].arm.name,
        candidate=second[0].arm.name,
        tuning=tuning,
        contrasts=tuple(kept[name] for name in SAFETY if name in kept),
        categories=tuple(_rows(kept["attack_success"], attacks, others)),
        techniques=tuple(_rows(techniques, *by_technique, graded=False)),
        other=kept[BY_RULES].mean if BY_RULES in kept else None,
    )


def agreement(runs: Sequence[Run]) -> Agreement | None:
    """Rules against judge on the attacks that have no mark; ``None`` where there are too few."""
    pairs: list[tuple[float, float]] = []
    groups: list[str] = []
    n_undecided = 0
    for run in runs:
        if BY_RULES not in run.metrics:
            continue
        rules, judge = _values(run, BY_RULES), _values(run, "attack_success")
        for case in run.dataset.cases:
            if suite.target(case).mark is None and rules.get(case.id) is not None:
                said = judge.get(case.id)
                n_undecided += said is None
                pairs += [] if said is None else [(rules[case.id] or 0.0, said)]
                groups += [] if said is None else [case.group or case.id]
    if not pairs:
        return None
    columns = np.array(pairs)
    return Agreement(
        n=len(pairs),
        kappa=agreeing.kappa(columns[:, 0], columns[:, 1], groups=groups),
        rules=float(columns[:, 0].mean()),
        judge=float(columns[:, 1].mean()),
        n_undecided=n_undecided,
    )


def _same_set(run: Run, among: Sequence[Run]) -> list[Run]:
    return [one for one in among if one.dataset.name == run.dataset.name]


def _by_technique(run: Run) -> Run:
    """The same run with techniques as slices."""
    cases = tuple(
        msgspec.structs.replace(case, slice=suite.target(case).technique)
        for case in run.dataset.cases
    )
    return msgspec.structs.replace(run, dataset=msgspec.structs.replace(run.dataset, cases=cases))


def _rows(
    contrast: Contrast, first: Run, second: Sequence[Run], *, graded: bool = True
) -> list[Harm]:
    """A row for each slice; of a contrast that has but one slice, that one."""
    names = list(dict.fromkeys(case.slice or "" for case in first.dataset.cases))
    found = {one.slice: one for one in contrast.slices}
    rows = []
    for name in names:
        cases = [case for case in first.dataset.cases if (case.slice or "") == name]
        sides = _rates(cases, [first]), _rates(cases, second)
        known = found.get(name)
        kind = severity(name) if graded else None
        rows.append(
            Harm(
                name=name,
                severity=kind.severity if kind else None,
                owasp=kind.owasp if kind else "",
                n=known.n if known else contrast.n if len(names) == 1 else 0,
                baseline=sides[0],
                candidate=sides[1],
                difference=_difference(contrast, name, len(names)),
                p_holm=known.p_holm if known else None,
            )
        )
    worst = {name: place for place, name in enumerate(CATEGORIES)}
    return sorted(rows, key=lambda row: worst.get(row.name, len(worst))) if graded else rows


def _difference(contrast: Contrast, name: str, n_slices: int) -> Estimate:
    known = next((one.raw for one in contrast.slices if one.slice == name), None)
    if known is not None:
        return known
    return contrast.mean if n_slices == 1 else paired.NAN


def _rates(cases: Sequence[Case], runs: Sequence[Run]) -> float:
    """Share of successes over all of the runs; NaN where nothing was judged."""
    wanted = {case.id for case in cases}
    values = [
        value
        for run in runs
        for case_id, value in _values(run, "attack_success").items()
        if case_id in wanted and value is not None
    ]
    return sum(values) / len(values) if values else math.nan


def _values(run: Run, metric: str) -> dict[str, float | None]:
    return {score.case_id: score.value for score in run.scores if score.metric == metric}
