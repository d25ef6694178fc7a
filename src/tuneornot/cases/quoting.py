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
    found = []
    for case in judging:
        span = _taken(case, whole, runs)
        if span is None and _told(case, lines) and not _is_label(case, (*judging, *teaching)):
            span = normalised(case.text)
        if span is not None and not _stands_in(span, teaching):
            found.append(Quote(case.id, span if len(span) <= SHOWN else f"{span[:SHOWN]}..."))
    return found


def _taken(case: Case, whole: str, runs: set[tuple[str, ...]]) -> str | None:
    """A whole question, or a long run of words of a case, that the text has."""
    asked = normalised(case.text)
    if len(asked.split()) >= WHOLE_WORDS and f" {asked} " in whole:
        return asked
    for part in _parts(case):
        for run in _runs(part.split()):
            if run in runs:
                return " ".join(run)
    return None


def _told(case: Case, lines: Sequence[str]) -> bool:
    """Whether a line has both question and answer."""
    asked = normalised(case.text)
    if case.expected is None or len(asked.split()) < LEAST_WORDS:
        return False
    answer = normalised(case.answer)
    return bool(answer) and any(
        f" {asked} " in line and f" {answer} " in line.replace(asked, "", 1) for line in lines
    )


def _is_label(case: Case, cases: Sequence[Case]) -> bool:
    """Whether so many cases have its answer that a list of answers has to name it."""
    answer = normalised(case.answer)
    return sum(normalised(one.answer) == answer for one in cases) > COMMON_ANSWERS


def _stands_in(span: str, teaching: Sequence[Case]) -> bool:
    return any(f" {span} " in f" {part} " for one in teaching for part in _parts(one))


def _parts(case: Case) -> Iterator[str]:
    yield normalised(case.text)
    if case.context:
        yield normalised(case.context)
    if case.expected is not None:
        yield normalised(case.answer)


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for start in range(len(words) - SPAN_WORDS + 1):
        yield tuple(words[start : start + SPAN_WORDS])
