"""Figures of whole runs beside the verdict: what was retrieved, and confidence against being right.

    recall           share of cases whose passages hold the expected answer
    overconfidence   mean confidence less the share of right answers
    calibration      expected calibration error, beside what chance makes of true confidences
    risk_area        area under risk against coverage; a declined answer is taken last

The last three are made for every way in which the study's metrics read confidence. They are told,
never decided on: none of them is a mean over cases whose error rates are shown. Answers of one case
(repeats, training seeds) and cases of one group are one unit in every interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from tuneornot.metrics.base import Metric
from tuneornot.metrics.confidence import Confident, Reading, Unreadable
from tuneornot.records import Aside, Case, Dataset, Response, Run
from tuneornot.stats import calibration, paired
from tuneornot.stats.calibration import Answers


class _Said(NamedTuple):
    """One answer as it was read."""

    case_id: str
    unit: int
    reading: Reading


class _Side(NamedTuple):
    """The answers of one arm on one set."""

    arm: str
    dataset: str
    metric: str
    said: list[_Said]

    @property
    def claims(self) -> list[_Said]:
        """Those that do not decline."""
        return [one for one in self.said if one.reading.declines is None]


def of(
    runs: Mapping[str, Sequence[Run]],
    metrics: Sequence[Metric],
    *,
    baseline: str,
    alpha: float = 0.05,
) -> tuple[Aside, ...]:
    """Every figure of every arm on every set.

    Args:
        runs: by arm its runs, one for each set and training seed.
        metrics: those of the study.
        baseline: the arm that differences are taken from.
        alpha: error rate of each interval.
    """
    found = [
        recall
        for own in runs.values()
        for run in _firsts(own)
        if (recall := _recall(run, alpha)) is not None
    ]
    for metric in _readers(metrics):
        found += _of_confidence(runs, metric, baseline, alpha)
    return tuple(found)


def _readers(metrics: Sequence[Metric]) -> list[Confident]:
    """The metrics that read confidence; of those that read it in the same way the first."""
    found: dict[str, Confident] = {}
    for metric in metrics:
        if isinstance(metric, Confident):
            found.setdefault(metric.reads, metric)
    return list(found.values())


def _firsts(runs: Sequence[Run]) -> list[Run]:
    """One run of each set: training seeds are shown the same passages."""
    return list({run.dataset.name: run for run in reversed(runs)}.values())[::-1]


def _recall(run: Run, alpha: float) -> Aside | None:
    found = {} if run.retrieved is None else run.retrieved.answered
    cases = [case for case in run.dataset.cases if case.id in found]
    if not cases:
        return None
    held = [float(found[case.id]) for case in cases]
    units = _units(run.dataset)
    groups = [units[case.id] for case in cases]
    estimate = paired.level(held, groups=groups, binary=True, scale=(0, 1), alpha=alpha)
    return Aside(
        figure="recall",
        metric=None,
        dataset=run.dataset.name,
        arm=run.arm.name,
        n=len(cases),
        value=sum(held) / len(held),
        estimate=estimate,
    )


def _of_confidence(
    runs: Mapping[str, Sequence[Run]], metric: Confident, baseline: str, alpha: float
) -> list[Aside]:
    found: list[Aside] = []
    for name in [run.dataset.name for run in _firsts(runs[baseline])]:
        sides = {arm: _side(own, metric, name) for arm, own in runs.items()}
        for arm, side in sides.items():
            other = sides[baseline] if arm != baseline else None
            if side.claims:
                found += [_overconfidence(side, other, alpha), _calibration(side)]
            if side.said:
                found.append(_risk_area(side, other, alpha))
    return found


def _side(runs: Sequence[Run], metric: Confident, dataset: str) -> _Side:
    side = _Side(runs[0].arm.name, dataset, metric.name, [])
    for run in runs:
        if run.dataset.name != dataset:
            continue
        units = _units(run.dataset)
        cases = [case for case in run.asked for _ in range(run.n_repeats)]
        for case, response in zip(cases, run.responses, strict=True):
            reading = _read(metric, case, response)
            if reading is not None:
                side.said.append(_Said(case.id, units[case.id], reading))
    return side


def _read(metric: Confident, case: Case, response: Response) -> Reading | None:
    """The reading, or ``None`` where there is none: the metric's own scores tell why."""
    if response.text is None:
        return None
    try:
        return metric.read(case, response)
    except Unreadable:
        return None


def _overconfidence(side: _Side, other: _Side | None, alpha: float) -> Aside:
    own = _excess(side)
    units = {one.case_id: one.unit for one in side.claims}
    estimate = paired.level(
        list(own.values()), groups=[units[case] for case in own], scale=(-1, 1), alpha=alpha
    )
    difference = None
    if other is not None:
        theirs = _excess(other)
        both = [case for case in own if case in theirs]
        difference = paired.difference(
            [theirs[case] for case in both],
            [own[case] for case in both],
            groups=[units[case] for case in both],
            alpha=alpha,
        )
    made = _aside("overconfidence", side, len(side.claims), fmean(own.values()))
    return msgspec.structs.replace(made, estimate=estimate, difference=difference)


def _excess(side: _Side) -> dict[str, float]:
    """Mean of confidence - right of each case."""
    found: dict[str, list[float]] = {}
    for one in side.claims:
        excess = one.reading.confidence - one.reading.right
        found.setdefault(one.case_id, []).append(excess)
    return {case: fmean(values) for case, values in found.items()}


def _calibration(side: _Side) -> Aside:
    answers = _answers(side.claims)
    made = _aside("calibration", side, len(side.claims), calibration.expected_error(answers))
    return msgspec.structs.replace(
        made,
        chance=calibration.by_chance(answers),
        debiased=calibration.debiased_error(answers),
    )


def _risk_area(side: _Side, other: _Side | None, alpha: float) -> Aside:
    answers = _answers(side.said)
    difference = None
    if other is not None and other.said:
        difference = calibration.area_difference(_answers(other.said), answers, alpha=alpha)
    made = _aside("risk_area", side, len(side.said), calibration.risk_area(answers))
    return msgspec.structs.replace(
        made,
        estimate=calibration.area(answers, alpha=alpha),
        difference=difference,
        curve=tuple(calibration.risk_curve(answers)),
    )


def _answers(said: Sequence[_Said]) -> Answers:
    """As arrays; a declined answer is the least sure of all."""
    return Answers(
        confidence=np.array(
            [one.reading.confidence if one.reading.declines is None else 0.0 for one in said]
        ),
        right=np.array([float(one.reading.right) for one in said]),
        units=np.array([one.unit for one in said], dtype=np.intp),
    )


def _aside(
    figure: Literal["overconfidence", "calibration", "risk_area"],
    side: _Side,
    n: int,
    value: float,
) -> Aside:
    return Aside(
        figure=figure,
        metric=side.metric,
        dataset=side.dataset,
        arm=side.arm,
        n=n,
        value=value,
    )


def _units(dataset: Dataset) -> dict[str, int]:
    """By case id the number of its group, or of itself where it has none."""
    names = [case.group or f"case {case.id}" for case in dataset.cases]
    numbers = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return {case.id: numbers[name] for case, name in zip(dataset.cases, names, strict=True)}
