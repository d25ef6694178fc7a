"""One answer to its scores: every metric asked, whatever it does.

A failed call, a metric that raises and a value that its scale excludes all end as ``None`` with the
reason. It knows neither models nor runs; judges, which are asked many answers at a time, are
``judging``'s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tuneornot.metrics.base import Batched, Mark, Metric, Whole
from tuneornot.records import Case, Response, Score


def prepare(metrics: Sequence[Metric], answers: Sequence[tuple[Case, Response]]) -> None:
    """Show the answers that are about to be judged to the metrics that judge many at a time.

    Raises:
        ModelError: what a metric rests on does not work at all; the answers are kept.
    """
    there = [(case, response) for case, response in answers if response.text is not None]
    for metric in metrics:
        if isinstance(metric, Batched) and there:
            metric.prepare(there)


def judge(
    metrics: Sequence[Metric], case: Case, response: Response, *, repeat: int = 0
) -> tuple[Score, ...]:
    """Score one response to one case by every metric.

    A failed call is ``None`` with the call's error. So is a value that a metric's scale does not
    allow, and a metric that raises: one odd answer must not end a measurement of thousands.
    """
    return tuple(
        Score(
            metric=metric.name,
            case_id=case.id,
            repeat=repeat,
            value=mark.value,
            reason=mark.reason,
            parts=parts,
        )
        for metric in metrics
        for mark, parts in [_judged(metric, case, response)]
    )


def _judged(
    metric: Metric, case: Case, response: Response
) -> tuple[Mark, tuple[float, ...] | None]:
    """The mark, and what a whole-run metric adds to its sums where there is a value."""
    mark = _mark(metric, case, response)
    if mark.value is None or not isinstance(metric, Whole):
        return mark, None
    try:
        parts = tuple(map(float, metric.parts(case, response)))
    except Exception as failure:
        return _raised(metric, failure), None
    if not all(map(math.isfinite, parts)):
        said = f"the metric {metric.name!r} gave the parts {parts!r}, which are not all finite"
        return Mark(None, said), None
    return mark, parts


def _mark(metric: Metric, case: Case, response: Response) -> Mark:
    if response.text is None:
        return Mark(None, response.error or "the call failed without saying why")
    try:
        mark = metric.score(case, response)
    except Exception as failure:
        return _raised(metric, failure)
    if mark.value is None:
        return Mark(None, mark.reason or f"the metric {metric.name!r} could not judge the answer")
    value, scale = float(mark.value), metric.scale
    allowed = (
        math.isfinite(value)
        and (scale.low is None or value >= scale.low)
        and (scale.high is None or value <= scale.high)
        and (not scale.binary or value in (scale.low, scale.high))
    )
    if not allowed:
        return Mark(None, f"the metric {metric.name!r} gave {value!r}, which its scale excludes")
    return Mark(value, mark.reason)


def _raised(metric: Metric, failure: Exception) -> Mark:
    return Mark(None, f"the metric {metric.name!r} raised {failure!r}"[:300])
