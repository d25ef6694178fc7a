"""How a prompt does on train cases, which nobody races on: what it gets wrong, and what is hard.

The answers count as calls of the search. Marks are by the metric that prompts are raced by; it does
not know what is done about a failure.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tuneornot.baseline import demonstrations
from tuneornot.baseline.demonstrations import Sorted
from tuneornot.baseline.race import Race
from tuneornot.records import Case, Prompt, Run


class Tried(NamedTuple):
    """A train case and how it was answered."""

    case: Case
    said: str
    mark: float
    """Higher is better."""
    best: bool
    """Whether no answer could be better."""


def tried(
    race: Race, prompt: Prompt, train: Sequence[Case], *, n: int, rng: random.Random
) -> list[Tried] | None:
    """Ask a prompt n train cases that it does not show; those without a mark are left out.

    ``None`` where the budget does not carry it, or there is no case to ask.
    """
    held = set() if prompt.nearest else {case.id for case in prompt.demonstrations}
    free = [case for case in demonstrations.eligible(train, 1) if case.id not in held]
    cases = rng.sample(free, min(n, len(free)))
    run = race.aside(prompt, cases) if cases else None
    return None if run is None else _marked(run, cases)


def failures(answered: Sequence[Tried]) -> list[Tried]:
    """Those with less than the best mark, the worst first; of equals in their order."""
    return sorted((one for one in answered if not one.best), key=lambda one: one.mark)


def by_difficulty(answered: Sequence[Tried]) -> Sorted:
    """The cases marked below the mean as hard, the hardest first; the others as easy."""
    # Less a rounding error: cases that are all marked alike are not hard.
    mean = np.mean([one.mark for one in answered]) - 1e-9 if answered else 0.0
    ordered = sorted(answered, key=lambda one: one.mark)
    return Sorted(
        hard=tuple(one.case for one in ordered if one.mark < mean),
        easy=tuple(one.case for one in ordered if one.mark >= mean),
    )


def _marked(run: Run, cases: Sequence[Case]) -> list[Tried]:
    metric, scale = next(iter(run.metrics.items()))
    sign = 1.0 if scale.better == "higher" else -1.0
    marks = {score.case_id: score.value for score in run.scores if score.metric == metric}
    said = {one.question: one.text for one in run.responses}
    return [
        Tried(case, said.get(case.question) or "", sign * mark, mark == scale.best)
        for case in cases
        if (mark := marks.get(case.id)) is not None
    ]
