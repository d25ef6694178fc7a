"""Whether a model recites: train answers, word for word, to questions that they do not answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tuneornot.models.base import Reply
from tuneornot.records import Case, Check
from tuneornot.soundness import BROKEN

BY_HEART = 0.1
"""Share of answers that may be a train answer by chance: near cases have near answers."""


def nothing_memorised(
    asked: Sequence[Case],
    tuned: Sequence[Reply],
    plain: Sequence[Reply],
    train: Sequence[Case],
) -> Check:
    """Whether dev questions are answered with what belongs to other questions of train.

    Counted is an answer that is wrong, that the base model does not give, and that is word for word
    the answer of exactly one train case: a label that many cases share is known, not recited.

    Args:
        asked: dev cases, none of which is a train case.
        tuned: the answers with the adapter, in the same order.
        plain: those without.
        train: the cases that were trained on.
    """
    name = "nothing-memorised"
    if not asked:
        detail = "there are no dev cases to tell it by."
        return Check(name=name, passed=False, detail=detail, blocking=False)
    answers = Counter(case.answer.strip() for case in train if case.expected is not None)
    recited = 0
    for case, reply, before in zip(asked, tuned, plain, strict=True):
        said = (reply.text or "").strip()
        known = {case.answer.strip(), (before.text or "").strip()}
        recited += answers[said] == 1 and said not in known
    return Check(
        name=name,
        passed=recited <= BY_HEART * len(asked),
        detail=f"{recited} of {len(asked)} answers to dev cases are, word for word, the answer of "
        "another train case.",
        blocking=recited >= BROKEN * len(asked),
    )
