"""Quotes: cases that judge, and stand in what a prompt says.

Demonstrations are cases and are compared as cases (``overlap``). Here it is about running text:
instructions and format hints, written by a person or by a model that may know a public test set by
heart. What stands in a case that teaches as well says nothing: it may have come from there.

Three things are a quote: a whole question of so many words; a run of so many words from a
question, its context or its answer; and a shorter question in one line with an answer of its own.

Not covered: a paraphrase, and an answer that stands there without its question, since a list of
labels or terms has to name right answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tuneornot.cases.likeness import normalised
from tuneornot.cases.nearness import COMMON_ANSWERS
from tuneornot.cases.searches import SPAN_WORDS
from tuneornot.records import Case

WHOLE_WORDS = 5
"""A question of so many words that stands whole in a text was taken from there."""
LEAST_WORDS = 2
"""A question of fewer words (a name, a sign) stands in a text by chance."""
SHOWN = 160
"""Characters of a quote that are shown."""


class Quote(NamedTuple):
    """A case that stands in a text."""

    case_id: str
    span: str
    """What both have in common, normalised, cut to a readable length."""


def quotes(text: str, judging: Sequence[Case], teaching: Sequence[Case]) -> list[Quote]:
    """The cases that judge and are quoted by a text, each once, in their order.

    Args:
        text: of a prompt.
        judging: cases that must not stand in it.
        teaching: cases that may.
    """
    lines = [f" {plain} " for line in text.splitlines() if (plain := normalised(line))]
    whole = f" {normalised(text)} "
    runs = {tuple(run) for run in _runs(whole.split())}
    answers = Counter(normalised(case.answer) for case in (*judging, *teaching))
    taught: list[str] | None = None
    found = []
    for case in judging:
        span = _quoted(case, whole, lines, runs, answers)
        if span is None:
            continue
        if taught is None:
            taught = [f" {part} " for one in teaching for part in _parts(one)]
        if not any(f" {span} " in part for part in taught):
            found.append(Quote(case.id, span if len(span) <= SHOWN else f"{span[:SHOWN]}..."))
    return found


def _quoted(
    case: Case,
    whole: str,
    lines: Sequence[str],
    runs: set[tuple[str, ...]],
    answers: Counter[str],
) -> str | None:
    """What the text has of a case, or ``None``."""
    asked = normalised(case.text)
    n_words = len(asked.split())
    if n_words >= WHOLE_WORDS and f" {asked} " in whole:
        return asked
    for part in _parts(case):
        for run in _runs(part.split()):
            if run in runs:
                return " ".join(run)
    if n_words < LEAST_WORDS or case.expected is None:
        return None
    answer = normalised(case.answer)
    if not answer or answers[answer] > COMMON_ANSWERS:
        return None
    for line in lines:
        if f" {asked} " in line and f" {answer} " in line.replace(asked, "", 1):
            return asked
    return None


def _parts(case: Case) -> Iterator[str]:
    yield normalised(case.text)
    if case.context:
        yield normalised(case.context)
    if case.expected is not None:
        yield normalised(case.answer)


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for start in range(len(words) - SPAN_WORDS + 1):
        yield tuple(words[start : start + SPAN_WORDS])
