"""What more training data would bring: a tuned arm after shares of the train split, on dev cases.

Each size is compared with the baseline on the same dev cases, and a power law through the gains
says what twice the data may bring. It is a forecast from dev, told beside the verdict and never
part of it: no eval case is seen. It trains nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tuneornot.records import Adapter, Estimate, Learning, LearningPoint, Rule, Run
from tuneornot.stats import power_law

FEW = 50
"""Below so many dev cases even a gain that is there is hard to see."""

Floats = NDArray[np.float64]


Ask = Callable[[Adapter | None, Run | None], Run]
"""Measures the primary metric on dev: of the arm with an adapter, or (``None``) of the baseline;
against the baseline's run, where it is there."""


def of(
    ask: Ask,
    sizes: Sequence[tuple[float, int]],
    trained: Sequence[Sequence[Adapter]],
    rule: Rule,
    *,
    searched: bool,
) -> Learning | None:
    """Measure an arm on dev after each size, and what twice the data may bring.

    Args:
        ask: measures.
        sizes: shares of the train split, each with its number of cases.
        trained: for each of them an adapter for each training seed.
        rule: names the primary metric and what is worthwhile.
        searched: whether the baseline's prompt was chosen on these dev cases.

    Returns:
        ``None`` where fewer than two dev cases were scored for every size, or two sizes are the
        same number of cases.
    """
    baseline = ask(None, None)
    runs = [[ask(adapter, baseline) for adapter in adapters] for adapters in trained]
    metric, scale = rule.primary, baseline.metrics[rule.primary]
    sign = 1.0 if scale.better == "higher" else -1.0
    before = _means(baseline, metric)
    after = [[_means(run, metric) for run in each] for each in runs]
    every = [before, *(one for each in after for one in each)]
    cases = [case for case in before if all(case in one for one in every)]
    counts = [n for _, n in sizes]
    if len(cases) < 2 or sorted(set(counts)) != counts:
        return None
    plain = np.array([before[case] for case in cases])
    tables = [np.array([[one[case] for case in cases] for one in each]) for each in after]
    gains = sign * (np.array([table.mean(axis=0) for table in tables]) - plain)
    best = scale.high if sign > 0 else scale.low
    most = np.inf if best is None else sign * (best - float(plain.mean()))
    now, twice = (
        power_law.forecast(
            counts,
            gains.mean(axis=1),
            _covariance(gains, tables),
            at=counts[-1] * factor,
            most=most,
            alpha=rule.alpha,
        )
        for factor in (1, 2)
    )
    return Learning(
        metric=metric,
        n_dev=len(cases),
        n_seeds=len(tables[0]),
        baseline_mean=float(plain.mean()),
        points=tuple(
            LearningPoint(share=share, n=n, mean=float(table.mean()), gain=float(gain.mean()))
            for (share, n), table, gain in zip(sizes, tables, gains, strict=True)
        ),
        now=now,
        twice=twice,
        worthwhile=rule.worthwhile,
        answer=_answer(now, twice, rule.worthwhile),
        caveats=_caveats(len(cases), len(tables[0]), searched=searched),
    )


def _means(run: Run, metric: str) -> dict[str, float]:
    """By case the mean score over its repeats, where there is one."""
    found: dict[str, list[float]] = {}
    for score in run.scores:
        if score.metric == metric and score.value is not None:
            found.setdefault(score.case_id, []).append(score.value)
    return {case: fmean(values) for case, values in found.items()}


def _covariance(gains: Floats, tables: Sequence[Floats]) -> Floats:
    """Of the errors of the mean gains: which dev cases were drawn, and which training came out."""
    n_sizes, n_cases = gains.shape
    drawn: Floats = np.cov(gains) / n_cases
    # A gain that is the same on all cases would otherwise be known without any error.
    drawn += np.eye(n_sizes) / (4 * n_cases**2) * max(1.0, float(np.ptp(gains)) ** 2)
    n_seeds = len(tables[0])
    if n_seeds < 2:
        return drawn
    trained = fmean(float(table.mean(axis=1).var(ddof=1)) for table in tables)
    return drawn + np.eye(n_sizes) * trained / n_seeds


def _answer(
    now: Estimate, twice: Estimate, worthwhile: float
) -> Literal["enough", "probably", "probably-not", "open"]:
    if now.lower > worthwhile:
        return "enough"
    if twice.lower > worthwhile:
        return "probably"
    return "probably-not" if twice.upper < worthwhile else "open"


def _caveats(n_cases: int, n_seeds: int, *, searched: bool) -> tuple[str, ...]:
    told = []
    if n_cases < FEW:
        told.append(f"only {n_cases} dev cases")
    if n_seeds < 2:
        told.append("one training for each size: how much trainings vary by chance is not in it")
    if searched:
        told.append(
            "the baseline's prompt was chosen on these dev cases, so its level there is flattered"
        )
    return tuple(told)
