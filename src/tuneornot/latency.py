"""Latency alone: several arms, each asked one question at a time, side by side.

With many requests in flight latency tells the queue, not the arm. What an arm waits for before its
answer, its passages and the steps of its prompt, is part of its latency.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tuneornot import asking
from tuneornot.asking import Entrant, Keep, Known, OnAnswer
from tuneornot.models.base import Reply
from tuneornot.records import Case, Dataset, Response


def timings(
    entrants: Sequence[Entrant],
    dataset: Dataset,
    *,
    n: int = 12,
    known: Known,
    keep: Keep,
    on_answer: OnAnswer | None = None,
) -> dict[str, tuple[Response, ...]]:
    """Time every arm on the same cases, one request at a time.

    Arms take turns on each case, and who begins changes from case to case, so that a machine that
    slows down slows all of them. Before the first timing each arm answers one case that is not
    counted: the first answer pays for loading. A case's earlier timings are used again only if
    every arm has one, since only those were taken side by side.

    Args:
        entrants: the arms, with names that differ, and their models.
        dataset: where the cases come from.
        n: cases, evenly spaced over the dataset's different questions; all if there are fewer.
        known, keep, on_answer: as in ``measure.run``; the responses have the purpose ``latency``.

    Returns:
        By arm's name its responses, in the same order of cases for every arm.

    Raises:
        ModelError: a model cannot answer at all.
    """
    cases = _spaced(dataset, n)
    keys = [[asking.key_of(one.arm, case, 0, "latency") for one in entrants] for case in cases]
    answered, _ = asking.looked_up(known, [key for row in keys for key in row])
    todo = [i for i, row in enumerate(keys) if not all(key in answered for key in row)]
    if todo:
        for entrant in entrants:
            _timed(entrant, cases[todo[0]])
    n_done = 0
    for i in todo:
        for turn in range(len(entrants)):
            entrant = entrants[(i + turn) % len(entrants)]
            response = _timed(entrant, cases[i])
            keep(response)
            answered[response.key] = response
            n_done += 1
            if on_answer:
                on_answer(n_done, len(todo) * len(entrants))
    return {
        one.arm.name: tuple(answered[row[place]] for row in keys)
        for place, one in enumerate(entrants)
    }


def _spaced(dataset: Dataset, n: int) -> list[Case]:
    different = list({case.question: case for case in reversed(dataset.cases)}.values())[::-1]
    n = min(n, len(different))
    return [different[i * len(different) // n] for i in range(n)]


def _timed(entrant: Entrant, case: Case) -> Response:
    lookup = entrant.lookup
    shown, waited_s = (case, 0.0) if lookup is None else lookup.timed(case)
    answered = _alone(entrant, case, shown)
    return msgspec.structs.replace(
        answered,
        latency_s=asking.plus(answered.latency_s, waited_s),
        first_token_s=asking.plus(answered.first_token_s, waited_s),
    )


def _alone(entrant: Entrant, case: Case, shown: Case) -> Response:
    """What an arm answers to a case as it is shown, each of its calls alone."""
    key = asking.key_of(entrant.arm, case, 0, "latency")
    first = entrant.before
    before = None if first is None else _alone(first, case, shown)
    if before is not None and before.text is None:
        return asking.unanswered(key, before)
    request = asking.request_of(entrant.arm, shown, before, 0)
    asked = entrant.model.ask([request], adapter=entrant.arm.adapter, one_by_one=True)
    replies = [reply for _, reply in asked]
    reply = replies[0] if replies else Reply(error="the model ended without an answer")
    return asking.response_of(key, reply, entrant.arm.prompt, before)
