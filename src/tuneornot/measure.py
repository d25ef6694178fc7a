"""Steps 3 and 5: ask every case, score every answer.

The same step for every arm, so that nothing but the arm can differ. It asks only what is not known
already, hands on each response as soon as it exists, and turns a failed call into scores of
``None`` with the reason. It does not know where responses are kept, what the scores mean, or which
arm is the better one.

    in_turns   let several arms answer, so that a busy hour hits all alike
    run        one arm: ask what is still missing, score every answer
    timings    for latency alone: with many requests in flight it tells the queue, not the arm
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from tuneornot.errors import BudgetExceeded, ModelError
from tuneornot.metrics.base import Metric
from tuneornot.models.base import Model, Reply, Request
from tuneornot.records import Arm, Case, Dataset, Prompt, Purpose, Response, Run
from tuneornot.retrieval.lookup import Lookup
from tuneornot.scoring import judge, prepare

Key = tuple[str, str, int, str]
"""What identifies a response: ``Response.key``."""

Known = Callable[[Sequence[Key]], Mapping[Key, Response]] | Mapping[Key, Response]
"""The responses that exist already, as a mapping or as a function that looks keys up."""

Keep = Callable[[Response], None]
"""What is called with each response as soon as it exists, before the next one is waited for."""

OnAnswer = Callable[[int, int], None]
"""What is told after each answer: how many of the asked ones are there, and of how many."""


TURN = 32
"""Answers in one turn: twice what a server may have in flight at once."""


class Entrant(NamedTuple):
    """An arm with the opened model that answers for it."""

    model: Model
    arm: Arm
    lookup: Lookup | None = None
    """Where its passages come from."""

    def shown(self, dataset: Dataset) -> Dataset:
        """The cases as they are asked: with their passages."""
        return dataset if self.lookup is None else self.lookup.grounded(dataset)


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
        answered, failures = _found(known, list(wanted))
        old |= failures
        missing.append(
            {k: case for k, case in wanted.items() if k not in answered and k not in seen}
        )
        seen.update(missing[-1])
    pairs = sorted(zip(entrants, missing, strict=True), key=lambda pair: -len(pair[1]))
    streams = [_responses(*pair, old) for pair in pairs]
    failed = {}
    for n, response in enumerate(_turns(streams, turn), start=1):
        keep(response)
        seen.discard(response.key)
        if response.text is None:
            failed[response.key] = response
        if on_answer:
            on_answer(n, sum(map(len, missing)))
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
    found, old = _found(known, list(cases))
    answered = {**(failed or {}), **found}
    missing = {key: case for key, case in cases.items() if key not in answered}
    for n, response in enumerate(_responses(entrant, missing, old), start=1):
        keep(response)
        answered[response.key] = response
        if on_answer:
            on_answer(n, len(missing))
    _check_complete(arm, [key for key in missing if key not in answered])
    made = _joined(arm, (dataset, asked), metrics, repeats, answered)
    if lookup is not None:
        made = msgspec.structs.replace(made, retrieved=lookup.told(dataset))
    return made


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
        entrants: the arms, with names that differ, and their models; finding an arm's passages is
            part of its latency.
        dataset: where the cases come from.
        n: cases, evenly spaced over the dataset's different questions; all if there are fewer.
        known, keep, on_answer: as in ``run``; the responses have the purpose ``latency``.

    Returns:
        By arm's name its responses, in the same order of cases for every arm.

    Raises:
        ModelError: a model cannot answer at all.
    """
    cases = _spaced(dataset, n)
    keys = [[_key(one.arm, case, 0, "latency") for one in entrants] for case in cases]
    answered, _ = _found(known, [key for row in keys for key in row])
    todo = [i for i, row in enumerate(keys) if not all(key in answered for key in row)]
    if todo:
        for entrant in entrants:
            _ask_alone(entrant, cases[todo[0]])
    n_done = 0
    for i in todo:
        for turn in range(len(entrants)):
            entrant = entrants[(i + turn) % len(entrants)]
            response = _ask_alone(entrant, cases[i])
            keep(response)
            answered[response.key] = response
            n_done += 1
            if on_answer:
                on_answer(n_done, len(todo) * len(entrants))
    return {
        one.arm.name: tuple(answered[row[place]] for row in keys)
        for place, one in enumerate(entrants)
    }


def _key(arm: Arm, case: Case, repeat: int, purpose: Purpose = "answer") -> Key:
    return (arm.fingerprint, case.question, repeat, purpose)


def _wanted(entrant: Entrant, dataset: Dataset, shown: Dataset, repeats: int) -> dict[Key, Case]:
    """Every question to an arm, with the first case that asks it, as it is asked."""
    cases: dict[Key, Case] = {}
    for repeat in range(repeats):
        for case, asked in zip(dataset.cases, shown.cases, strict=True):
            cases.setdefault(_key(entrant.arm, case, repeat), asked)
    return cases


def _responses(
    entrant: Entrant, missing: Mapping[Key, Case], old: Mapping[Key, Response]
) -> Generator[Response]:
    """What an arm answers to the questions that are missing, as it comes.

    What failed before comes last: by then answers have shown whether it was the questions or the
    model. Where only such questions are left and the model gives up, their failures stand.
    """
    arm, keys = entrant.arm, sorted(missing, key=old.__contains__)
    left = dict.fromkeys(keys)
    requests = (_request(arm, missing[key], key[2]) for key in keys)
    try:
        for position, reply in entrant.model.ask(requests, adapter=arm.adapter):
            left.pop(keys[position], None)
            yield _response(keys[position], reply, arm.prompt)
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


def _found(known: Known, keys: Sequence[Key]) -> tuple[dict[Key, Response], dict[Key, Response]]:
    """The known answers, which need not be asked for again, and the known failures."""
    found = known(keys) if callable(known) else known
    answers: dict[Key, Response] = {}
    failures: dict[Key, Response] = {}
    for key in keys:
        if (response := found.get(key)) is not None:
            (failures if response.text is None else answers)[key] = response
    return answers, failures


def _request(arm: Arm, case: Case, repeat: int) -> Request:
    sampling = arm.sampling
    if repeat:
        sampling = msgspec.structs.replace(sampling, seed=sampling.seed + repeat)
    return Request(messages=arm.prompt.messages(case), sampling=sampling)


def _response(key: Key, reply: Reply, prompt: Prompt) -> Response:
    """What is kept of a reply: its answer apart from the thinking, here and for every arm."""
    arm, question, repeat, purpose = key
    said = msgspec.structs.asdict(reply)
    said |= {name: _writable(said[name]) for name in ("text", "error")}
    if reply.text is not None and prompt.reasoning is not None:
        said["reasoning"], said["text"] = prompt.read(said["text"])
        said |= {"logprobs": None, "alternatives": None}
    why: Purpose = "latency" if purpose == "latency" else "answer"
    return Response(arm=arm, question=question, repeat=repeat, purpose=why, **said)


def _writable(text: str | None) -> str | None:
    """The text with each half of a surrogate pair as U+FFFD.

    JSON can carry such halves, UTF-8 cannot: no file, database or report could hold the answer.
    """
    if text is None or text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


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
        (shown, repeat, answered[_key(arm, case, repeat)])
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


def _spaced(dataset: Dataset, n: int) -> list[Case]:
    different = list({case.question: case for case in reversed(dataset.cases)}.values())[::-1]
    n = min(n, len(different))
    return [different[i * len(different) // n] for i in range(n)]


def _ask_alone(entrant: Entrant, case: Case) -> Response:
    model, arm, lookup = entrant
    shown, waited_s = (case, 0.0) if lookup is None else lookup.timed(case)
    request = _request(arm, shown, 0)
    replies = [reply for _, reply in model.ask([request], adapter=arm.adapter, one_by_one=True)]
    reply = replies[0] if replies else Reply(error="the model ended without an answer")
    later = _later(reply, waited_s)
    return _response(_key(arm, case, 0, "latency"), later, arm.prompt)


def _later(reply: Reply, waited_s: float) -> Reply:
    """The reply as seen by who waited for its passages first: finding them is part of the arm."""
    return msgspec.structs.replace(
        reply,
        latency_s=None if reply.latency_s is None else reply.latency_s + waited_s,
        first_token_s=None if reply.first_token_s is None else reply.first_token_s + waited_s,
    )
