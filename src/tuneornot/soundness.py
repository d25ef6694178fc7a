"""What the answers of a tuned model show of its state, whoever tuned it and wherever it stands.

Whether they differ from those of the model that it was tuned from, whether they end by themselves,
and whether they end in repeating themselves. It asks nothing, and says nothing of how good the
answers are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tuneornot.records import Check

ENDING = 0.95
"""Least share of answers that end by themselves."""
BROKEN = 0.5
"""Share of answers broken in one way from which no comparison is to be believed: whatever such a
training does to the scores, it says nothing about tuning done well."""
LOOPS = 4
"""So many times the same words in a row at an answer's end are a loop."""


class Answered(Protocol):
    """What is looked at of an answer."""

    @property
    def text(self) -> str | None:
        """``None`` where the question failed."""
        ...

    @property
    def finish(self) -> str | None:
        """``stop`` where it ended by itself."""
        ...


def n_changed(tuned: Sequence[Answered], plain: Sequence[Answered]) -> tuple[int, int]:
    """How many answers to the same questions differ, and how many there are to compare."""
    pairs = [
        (one.text, two.text)
        for one, two in zip(tuned, plain, strict=True)
        if one.text is not None and two.text is not None
    ]
    return sum(one != two for one, two in pairs), len(pairs)


def answers_end(tuned: Sequence[Answered]) -> Check:
    """A model that never learnt to stop is not the one that its training meant."""
    n_ended = sum(answer.finish == "stop" for answer in tuned)
    n_failed = sum(answer.text is None for answer in tuned)
    share = n_ended / len(tuned)
    detail = f"{n_ended} of {len(tuned)} answers end by themselves"
    if n_failed:
        detail += f"; {n_failed} failed"
    return Check(
        name="answers-end",
        passed=share >= ENDING,
        detail=f"{detail}.",
        blocking=share < BROKEN,
    )


def no_loops(tuned: Sequence[Answered]) -> Check:
    """Answers that end in the same words over and over."""
    n_looping = sum(loops(answer.text or "") for answer in tuned)
    return Check(
        name="no-loops",
        passed=n_looping == 0,
        detail=f"{n_looping} of {len(tuned)} answers end in repeating themselves.",
        blocking=n_looping >= BROKEN * len(tuned),
    )


def loops(text: str) -> bool:
    """Whether a text ends in the same words (or, in one long word, letters) over and over."""
    # A row of dots or zeros is ordinary writing, so letters must repeat for longer than words.
    for pieces, n_times in ((text.split(), LOOPS), (list(text[-400:]), 5 * LOOPS)):
        for width in range(1, len(pieces) // n_times + 1):
            if pieces[-width * n_times :] == pieces[-width:] * n_times:
                return True
    return False
