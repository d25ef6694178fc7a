"""A run without a part of its cases: to see what a verdict would be without a slice."""

from __future__ import annotations

import msgspec

from tuneornot.records import Run


def without(run: Run, part: str) -> Run:
    """A run without the cases of one slice (``""``: those of none)."""
    left = {case.id for case in run.dataset.cases if (case.slice or "") != part}
    places = [i for i, case in enumerate(run.dataset.cases) if case.id in left]
    kept = [run.dataset.cases[i] for i in places]
    asked = {case.question for case in kept}
    per_case = run.n_repeats
    return msgspec.structs.replace(
        run,
        dataset=msgspec.structs.replace(run.dataset, cases=tuple(kept)),
        responses=tuple(
            response
            for i in places
            for response in run.responses[i * per_case : (i + 1) * per_case]
        ),
        scores=tuple(score for score in run.scores if score.case_id in left),
        timings=tuple(timing for timing in run.timings if timing.question in asked),
        labels=tuple(label for label in run.labels if label.case_id in left),
    )
