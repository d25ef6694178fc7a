"""Steps 3 and 5: ask every case, score every answer.

The same step for every arm, so that nothing but the arm can differ. It asks only what is not known
already, hands on each response as soon as it exists, and turns a failed call into scores of
``None`` with the reason. It does not know where responses are kept, what the scores mean, or which
arm is the better one.

    in_turns   let several arms answer, so that a busy hour hits all alike
    run        one arm: ask what is still missing, score every answer
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from tuneornot import asking
from tuneornot.asking import Entrant, Keep, Key, Known, OnAnswer
from tuneornot.errors import BudgetExceeded, ModelError
from tuneornot.metrics.base import Metric
from tuneornot.models.base import Model
from tuneornot.records import Arm, Case, Dataset, Response, Run
from tuneornot.retrieval.lookup import Lookup
from tuneornot.scoring import judge, prepare

TURN = 32
"""Answers in one turn: twice what a server may have in flight at once."""
BLOCK = 4 * TURN
"""Questions that take their steps together."""


def in_turns(
    entrants: Sequence[Entrant],
    datasets: Sequence[Dataset],
    *,
    repeats: int = 1,
    turn: int = TURN,
    known: Known,
    keep: Keep,
    on_answer: OnAnswer | None = None,
) -> dict[Key, Response]:
    """Let several arms answer every question, in turns; nothing is scored.

    In each round every arm gives ``turn`` answers, and the next round begins with the next arm
    (A B, B A, A B for two); the first round begins with the arm that has most left to answer, so
    that work that was interrupted evens out again. A server goes on with what it was sent while
    another arm has its turn, so taking turns costs no time.

    Args:
        entrants: the arms with the models that answer for them. Two arms that are the same but for
            the name share their answers.
        datasets: the cases, one set after the other.
        repeats: answers to each case.
        turn: answers of one arm until the next one has its turn.
        known, keep, on_answer: as in ``run``.

    Returns:
        The failed calls, so that ``run`` need not try again at once what was just tried.

    Raises:
        ModelError: a model cannot answer at all, or ended early; what was answered is kept.
        BudgetExceeded: once every arm has handed back what it was sent.
    """
    missing: list[dict[Key, Case]] = []
    old: dict[Key, Response] = {}
    seen: set[Key] = set()
    for entrant in entrants:
        wanted: dict[Key, Case] = {}
        for dataset in datasets:
            wanted |= _wanted(entrant, dataset, entrant.shown(dataset), repeats)
        answered, failures = asking.looked_up(known, list(wanted))
        old |= failures
        missing.append(
            {k: case for k, case in wanted.items() if k not in answered and k not in seen}
        )
        seen.update(missing[-1])
    pairs = sorted(zip(entrants, missing, strict=True), key=lambda pair: -len(pair[1]))
    streams = [_responses(*pair, old, known) for pair in pairs]
    failed = {}
    for response in _turns(streams, turn):
        keep(response)
        if response.key not in seen:
            continue  # to a step
        seen.discard(response.key)
        if response.text is None:
            failed[response.key] = response
        if on_answer:
            n_all = sum(map(len, missing))
            on_answer(n_all - len(seen), n_all)
    for entrant, cases in pairs:
        _check_complete(entrant.arm, [key for key in cases if key in seen])
    return failed


def run(
    model: Model,
    arm: Arm,
    dataset: Dataset,
    metrics: Sequence[Metric],
    *,
    repeats: int = 1,
    lookup: Lookup | None = None,
    failed: Mapping[Key, Response] | None = None,
    known: Known,
    keep: Keep,
    on_answer: OnAnswer | None = None,
) -> Run:
    """Measure one arm on one dataset.

    Repeat r samples with the arm's seed + r. With temperature 0 a deterministic model gives the
    same answer in every repeat: that is allowed, costs the calls, and shows no spread.

    Args:
        model: answers the questions; its adapter is the arm's.
        arm: what is measured.
        dataset: the cases; two that ask the same question share one answer, each judged against
            what it expects itself.
        metrics: how each answer is judged; names must differ.
        repeats: answers to each case.
        lookup: where the arm's passages come from. They are shown with each question, and metrics
            judge the answer to the case with its passages.
        failed: what failed just now (see ``in_turns``) and is not asked again at once.
        known: what was answered before. A failure among them is asked again, after everything
            else; it stands if the model gives up.
        keep: called with every new response, failures too, as soon as it exists.
        on_answer: called after each with (answers so far, answers asked for in this call).

    Returns:
        The run: responses case by case, repeats in order, and a score for each metric of each.

    Raises:
        ModelError: the model cannot answer at all, or ended early; what it did answer is kept.
            Or the arm's retriever failed, before anything is asked, or what a metric rests on.
    """
    entrant = Entrant(model, arm, lookup)
    asked = entrant.shown(dataset)
    cases = _wanted(entrant, dataset, asked, repeats)
    found, old = asking.looked_up(known, list(cases))
    answered = {**(failed or {}), **found}
    missing = {key: case for key, case in cases.items() if key not in answered}
    n = 0
    for response in _responses(entrant, missing, old, known):
        keep(response)
        if response.key not in missing:
            continue  # to a step
        answered[response.key] = response
        n += 1
        if on_answer:
            on_answer(n, len(missing))
    _check_complete(arm, [key for key in missing if key not in answered])
    made = _joined(arm, (dataset, asked), metrics, repeats, answered)
    if lookup is not None:
        made = msgspec.structs.replace(made, retrieved=lookup.told(dataset))
    return made


def _wanted(entrant: Entrant, dataset: Dataset, shown: Dataset, repeats: int) -> dict[Key, Case]:
    """Every question to an arm, with the first case that asks it, as it is asked."""
    cases: dict[Key, Case] = {}
    for repeat in range(repeats):
        for case, asked in zip(dataset.cases, shown.cases, strict=True):
            cases.setdefault(asking.key_of(entrant.arm, case, repeat), asked)
    return cases


def _responses(
    entrant: Entrant, missing: Mapping[Key, Case], old: Mapping[Key, Response], known: Known
) -> Generator[Response]:
    """What an arm answers to the questions that are missing, as it comes, and to their steps.

    What failed before comes last: by then answers have shown whether it was the questions or the
    model.
    """
    keys = sorted(missing, key=old.__contains__)
    first = entrant.before
    if first is None:
        yield from _last(entrant, {key: _Asked(missing[key]) for key in keys}, old)
        return
    for start in range(0, len(keys), BLOCK):
        steps = {
            (first.arm.fingerprint, *key[1:]): (key, missing[key])
            for key in keys[start : start + BLOCK]
        }
        answered, failures = asking.looked_up(known, list(steps))
        unasked = {step: case for step, (_, case) in steps.items() if step not in answered}
        for response in _responses(first, unasked, failures, known):
            answered[response.key] = response
            yield response
        asked = {}
        for step, (key, case) in steps.items():
            before = answered.get(step)
            if before is not None and before.text is None:
                yield asking.unanswered(key, before)
            elif before is not None:
                asked[key] = _Asked(case, before)
        yield from _last(entrant, asked, old)


class _Asked(NamedTuple):
    """A case as it is asked, and the answer to the last step before."""

    case: Case
    before: Response | None = None


def _last(
    entrant: Entrant, asked: Mapping[Key, _Asked], old: Mapping[Key, Response]
) -> Generator[Response]:
    """What an arm answers in its last call.

    Where only questions are left that failed before and the model gives up, their failures stand.
    """
    arm, keys = entrant.arm, [*asked]
    left = dict.fromkeys(keys)
    requests = (asking.request_of(arm, *asked[key], key[2]) for key in keys)
    try:
        for position, reply in entrant.model.ask(requests, adapter=arm.adapter):
            key = keys[position]
            left.pop(key, None)
            yield asking.response_of(key, reply, arm.prompt, asked[key].before)
    except ModelError:
        if any(key not in old for key in left):
            raise
        yield from (old[key] for key in left)


def _turns(streams: Sequence[Generator[Response]], turn: int) -> Iterator[Response]:
    """A turn of each stream, again and again until all have ended; each round begins one later."""
    going, exceeded = list(streams), None
    try:
        while going:
            for stream in tuple(going):
                n_left = turn
                try:
                    for response in islice(stream, turn):
                        n_left -= 1
                        yield response
                except BudgetExceeded as error:  # what the others were sent is paid for
                    exceeded = error
                if n_left:
                    going.remove(stream)
            going = [*going[1:], *going[:1]]
    finally:
        # Where one arm ends it all, what the others were sent is called back.
        for stream in streams:
            stream.close()
    if exceeded is not None:
        raise exceeded


def _check_complete(arm: Arm, missing: Sequence[Key]) -> None:
    if missing:
        raise ModelError(
            f"a model must answer every question that it is asked, got no answer to "
            f"{len(missing)} of them from {arm.model!r} (arm {arm.name!r}); what was answered is "
            "kept, so run the same command again"
        )


def _joined(
    arm: Arm,
    datasets: tuple[Dataset, Dataset],
    metrics: Sequence[Metric],
    repeats: int,
    answered: Mapping[Key, Response],
) -> Run:
    """The run; ``datasets`` are the cases and, in the same order, the cases as they were asked."""
    dataset, asked = datasets
    rows = [
        (shown, repeat, answered[asking.key_of(arm, case, repeat)])
        for case, shown in zip(dataset.cases, asked.cases, strict=True)
        for repeat in range(repeats)
    ]
    prepare(metrics, [(shown, response) for shown, _, response in rows])
    return Run(
        arm=arm,
        dataset=dataset,
        metrics={metric.name: metric.scale for metric in metrics},
        n_repeats=repeats,
        responses=tuple(response for _, _, response in rows),
        scores=tuple(
            score
            for case, repeat, response in rows
            for score in judge(metrics, case, response, repeat=repeat)
        ),
    )
