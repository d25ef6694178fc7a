"""What measuring further cases would take, by what the cases so far took.

An open verdict says how many further cases would probably settle it; here stands what asking every
arm these cases costs. Calls follow from the arms and repeats, tokens and money from the answers of
the eval set, minutes from the phases in which they were asked. Collecting and labelling the cases
is not in it, and neither are questions to judges: what those take depends on the answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from tuneornot.records import Further, Phase, Run


def of(n_cases: int, runs: Sequence[Run], phases: Sequence[Phase]) -> Further:
    """What so many further cases would take.

    Args:
        n_cases: further cases.
        runs: of every arm and training seed on eval.
        phases: where the time went so far; those that measured an arm tell its time.

    Returns:
        Sums over the runs; ``None`` for what one of them does not tell.
    """
    each = [n_cases * run.n_repeats for run in runs]
    currencies = {run.price.currency for run in runs if run.price is not None}
    return Further(
        n_cases=n_cases,
        n_calls=sum(each),
        n_tokens=_sum(each, [_tokens(run) for run in runs]),
        minutes=_sum(each, [_minutes(run, phases) for run in runs]),
        money=_sum(each, [_money(run) for run in runs]) if len(currencies) == 1 else None,
        currency="".join(currencies) if len(currencies) == 1 else "",
    )


def _sum(counts: Sequence[int], means: Sequence[float | None]) -> float | None:
    known = [n * mean for n, mean in zip(counts, means, strict=True) if mean is not None]
    return sum(known) if len(known) == len(means) else None


def _tokens(run: Run) -> float | None:
    """Read and written for one answer."""
    found = [
        one.n_input_tokens + one.n_output_tokens
        for one in run.responses
        if one.n_input_tokens is not None and one.n_output_tokens is not None
    ]
    return fmean(found) if found else None


def _money(run: Run) -> float | None:
    if run.price is None:
        return None
    answers = run.timings if run.price.rates.by_time else run.responses
    found = [cost for one in answers if (cost := run.price.of(one)) is not None]
    return fmean(found) if found else None


def _minutes(run: Run, phases: Sequence[Phase]) -> float | None:
    """For one answer, many at a time."""
    spent = [
        one
        for phase in phases
        if phase.name == f"measure {run.arm.name}"
        for one in phase.spent
        if one.model == run.arm.model
    ]
    n_calls = sum(one.n_calls for one in spent)
    return sum(one.seconds for one in spent) / n_calls / 60 if n_calls else None
