"""What a plan may not ask of judged metrics, told before anything is asked.

It knows names and quantities, not the study file; nothing is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tuneornot.metrics.judges.base import Judged, judges
from tuneornot.models import registry
from tuneornot.records import Sampling


def faults(
    metrics: Iterable[object],
    *,
    raced: Mapping[str, str],
    guarded: Mapping[str, str],
) -> list[str]:
    """A sentence for each fault.

    Args:
        metrics: the study's metrics, built.
        raced: by arm the metric that its prompts are raced by.
        guarded: by guardrail the metric of whose distribution it guards a quantity.
    """
    known = list(metrics)
    paired = {one.name for one in known if isinstance(one, Judged) and one.paired}
    told = [
        f"metrics: the judge {name!r}: {fault}"
        for name in judges(known)
        for fault in registry.faults(name, Sampling())
    ]
    told += [
        f"arms.{arm}.search.metric: {metric!r} compares with the baseline, whose prompt is not "
        "there yet; name another metric"
        for arm, metric in raced.items()
        if metric in paired
    ]
    return told + [
        f"decide.guardrails.{name}: of {metric!r} the baseline has 0.5 everywhere, so there is "
        "nothing to compare; name another metric in brackets"
        for name, metric in guarded.items()
        if metric in paired
    ]
