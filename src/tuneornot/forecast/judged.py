"""What judges will be asked about answers that are still to come.

A judge's first questions are known before there is an answer; they are taken as if the expected
answer had been given. Judges that ask on, for each claim that they find, will ask more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from tuneornot.forecast.basis import TOKENISED, Guess, spaced, spent_of
from tuneornot.forecast.outlay import Outlay
from tuneornot.forecast.ready import Ready
from tuneornot.metrics.judges.base import Judged, Question, judges
from tuneornot.protocol import Protocol
from tuneornot.records import Case
from tuneornot.spending.metered import CHARACTERS_PER_TOKEN


def asked(
    protocol: Protocol, arm: Ready, n_answers: int
) -> Iterator[tuple[Outlay, tuple[Guess, Guess, Guess]]]:
    """For each judge what is left of its work on an arm, with what one question takes.

    Args:
        protocol: the study.
        arm: whose answers are judged.
        n_answers: that are still to come.
    """
    cases = spaced(arm.judging, TOKENISED)
    first = arm.name == protocol.study.baseline
    for model in judges(protocol.metrics):
        questions = [
            one
            for case in cases
            for metric in protocol.metrics
            if isinstance(metric, Judged)
            for one in _first(metric, case, first=first)
            if one.model == model
        ]
        n_each = sum(one.repeats for one in questions) / len(cases)
        yield (
            Outlay(
                step=f"judge {arm.name}",
                arm=arm.name,
                model=model,
                n_calls=round(n_answers * n_each),
            ),
            each(protocol, model, questions),
        )


def _first(metric: Judged, case: Case, *, first: bool) -> tuple[Question, ...]:
    """The questions that a metric begins with, if the answer were the expected one."""
    text = "" if case.expected is None else case.answer
    return next(metric.judging(case, text, None if first else text), ())


def each(
    protocol: Protocol, model: str, questions: Sequence[Question], *, who: str = "judges"
) -> tuple[Guess, Guess, Guess]:
    """What one question takes, by earlier ones to the model or else by these questions."""
    known = spent_of(protocol, model)
    if known.n_calls:
        n = known.n_calls
        basis = f"{who}: {n} earlier questions to {model}"
        return (
            Guess(known.n_input_tokens / n, basis),
            Guess(known.n_output_tokens / n, ""),
            Guess(known.seconds / n, ""),
        )
    if not questions:
        return (Guess(0.0, ""), Guess(0.0, ""), Guess(0.0, ""))
    characters = fmean(
        len(message.content)
        for one in questions
        for message in one.prompt.messages(Case(id="judged", input=one.text))
    )
    per_question = len(questions[0].prompt.messages(Case(id="judged", input="")))
    basis = f"{who}: {CHARACTERS_PER_TOKEN:g} characters a token, the longest reply allowed"
    return (
        Guess(per_question * characters / CHARACTERS_PER_TOKEN, basis),
        Guess(fmean(one.sampling.max_tokens for one in questions), ""),
        Guess(None, ""),
    )
