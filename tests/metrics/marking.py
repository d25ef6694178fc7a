"""Judging one answer to one case, for the tests of metrics."""

from __future__ import annotations

from tuneornot.metrics import registry
from tuneornot.metrics.base import Mark
from tuneornot.metrics.registry import Entry
from tuneornot.records import Case, Json, Response


def mark(
    entry: Entry, answer: str, expected: Json = None, *, n_output_tokens: int | None = None
) -> Mark:
    case = Case(id="c", input="q", expected=expected)
    response = Response(arm="a", question="q", text=answer, n_output_tokens=n_output_tokens)
    return registry.build(entry).score(case, response)


def value(entry: Entry, answer: str, expected: Json = None) -> float | None:
    return mark(entry, answer, expected).value
