"""What training cases teach, and that nothing else is taught: told without asking the model.

It looks at questions and answers as they are written, and at the batches as training lays them out;
that an answer is wrong it cannot know.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from tuneornot.records import Case, Check
from tuneornot.training.examples import Example, Examples

TEACHING = 0.5
"""Least share of the cases that must teach; with fewer, it was not these that were trained on."""
BATCH = 16
"""Examples that are laid out together to be looked at."""


def rows_teach(cases: Sequence[Case], built: Examples) -> Check:
    """Whether the cases that were given are those that taught.

    A case teaches nothing if it was left out (no answer, too long) or if its answer is blank; two
    cases that ask the same and answer otherwise teach against each other. Repeated ones are only
    told: to give a case more weight is a choice.
    """
    left_out = {*built.too_long, *built.unanswered}
    rows = [case for case in cases if case.id not in left_out]
    blank = [case for case in rows if not case.answer.strip()]
    answers: dict[str, Counter[str]] = {}
    for case in rows:
        answers.setdefault(case.question, Counter())[case.answer] += 1
    n_against = sum(sum(said.values()) for said in answers.values() if len(said) > 1)
    n_repeated = sum(n - 1 for said in answers.values() for n in said.values())
    n_idle = len(left_out) + len(blank)
    counts = {
        "were left out": len(left_out),
        "have a blank answer": len(blank),
        "ask the same as another and answer otherwise": n_against,
        "repeat another word for word": n_repeated,
    }
    detail = "; ".join(f"{n} {what}" for what, n in counts.items() if n)
    return Check(
        name="rows-teach",
        passed=n_idle == 0 and n_against == 0,
        detail=f"of {len(cases)} train cases {detail or 'every one teaches something of its own'}.",
        blocking=n_idle > math.floor((1 - TEACHING) * len(cases)),
    )


def nothing_truncated(built: Examples) -> Check:
    """Whether every case was trained on, and whole."""
    longest = max(len(row) for row in built.kept)
    detail = f"{len(built.kept)} examples trained whole, the longest of {longest} tokens"
    if built.too_long:
        detail += f"; {len(built.too_long)} left out as too long ({_some(built.too_long)})"
    if built.unanswered:
        detail += (
            f"; {len(built.unanswered)} left out for want of an answer ({_some(built.unanswered)})"
        )
    passed = not built.too_long and not built.unanswered
    return Check(name="nothing-truncated", passed=passed, detail=f"{detail}.", blocking=False)


def loss_on_answers_only(kept: Sequence[Example]) -> Check:
    """Whether the loss counts exactly the answers, as batches lay examples out."""
    from tuneornot.training import verify

    seen = verify.masked(kept, batch_size=BATCH)
    return Check(
        name="loss-on-answers-only",
        passed=seen.n_wrong == 0 and seen.n_idle == 0,
        detail=f"{seen.n_trained} of {seen.n_tokens} tokens count in the loss; in {seen.n_wrong} "
        f"examples they are not exactly the answer, {seen.n_idle} train nothing.",
    )


def _some(ids: Sequence[str]) -> str:
    return ", ".join(map(repr, ids[:3])) + (", ..." if len(ids) > 3 else "")
