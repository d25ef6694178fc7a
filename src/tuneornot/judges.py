"""A study's judges held against its people: from runs and labels to calibrations.

What ``judging`` asked, ``labelling`` matched and ``calibration`` computes meets here. Every answer
of a judge is known by now, so nothing new is asked where a run is complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tuneornot import calibration, judging, labelling
from tuneornot.metrics.judges.base import Judged
from tuneornot.records import Calibration, Label, Run


def calibrations(
    metrics: Iterable[object],
    arms: Mapping[str, Sequence[Run]],
    labels: Sequence[Label],
    ask: judging.Ask,
    *,
    baseline: str,
) -> tuple[Calibration, ...]:
    """Every judge of every judged metric.

    Args:
        metrics: the study's; others than judged ones are passed over.
        arms: by arm its runs on one set.
        labels: every label there is.
        ask: puts questions to judges.
        baseline: name of the baseline arm.
    """
    found: list[Calibration] = []
    for metric in metrics:
        if isinstance(metric, Judged):
            answered = []
            for name, runs in arms.items():
                against = None if name == baseline else arms[baseline][0]
                for run in runs:
                    ruled = judging.rulings(run, metric, ask, against=against)
                    said = labelling.by_person(run, metric, labels, against=against)
                    answered.append(calibration.Answered(run, ruled, said, against))
            found += calibration.of(metric, answered)
    return tuple(found)
