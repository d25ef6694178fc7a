from __future__ import annotations

import pytest

from tuneornot.metrics import registry
from tuneornot.metrics.base import Mark
from tuneornot.metrics.registry import Entry
from tuneornot.records import Case, Response

CONTEXT = "In 1903 Marie Curie shared the prize of 1,200 crowns with Henri Becquerel in Stockholm."


def mark(entry: Entry, answer: str, context: str | None = CONTEXT) -> Mark:
    case = Case(id="c", input="Who won it?", context=context)
    response = Response(arm="a", question="q", text=answer)
    return registry.build(entry).score(case, response)


NAMES = ("lexical_support", "number_support", "name_support")


@pytest.mark.parametrize("name", NAMES)
def test_without_a_context_there_is_no_score(name: str) -> None:
    assert mark(name, "Marie Curie", None).value is None


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_claims_nothing_is_supported(name: str) -> None:
    assert mark(name, "I don't know, sorry about that.").value == 1
    assert mark(name, "").value == 1


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("Marie Curie shared the prize.", 1),
        ("Marie Curie refused the medal.", 2 / 4),
        ("It was won.", 1),
        ("SHARED with crowns", 1),
        ("prizes prizes shared shared", 1 / 2),
    ],
)
def test_lexical_support(answer: str, value: float) -> None:
    assert mark("lexical_support", answer).value == pytest.approx(value)


def test_shorter_words_count_if_the_study_says_so() -> None:
    assert mark({"lexical_support": {"least": 2}}, "he won it").value == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("1200 crowns in 1903", 1),
        ("1200.0", 1),
        ("1200 crowns in 1904", 0),
        ("12 crowns", 0),
        ("twelve crowns", 1),
    ],
)
def test_number_support(answer: str, value: float) -> None:
    assert mark("number_support", answer).value == value


def test_missing_numbers_are_named() -> None:
    assert mark("number_support", "5, 1903 and 7").reason == "not in the context: '5', '7'"


@pytest.mark.parametrize(
    ("answer", "value", "missing"),
    [
        ("It was Marie Curie.", 1, ""),
        ("Marie Curie and Pierre Curie.", 1 / 2, "'Pierre Curie'"),
        ("Perhaps it was Lise Meitner in Stockholm.", 1 / 2, "'Lise Meitner'"),
        ("Perhaps. Nobody knows. The end.", 1, ""),
        ("Henri, I think, or I’m wrong", 1, ""),
        ("the NSF paid", 0, "'NSF'"),
        ("Meitner won.", 1, ""),
        ("the prize went to curie", 1, ""),
        ("Curie, Becquerel, Bohr", 1 / 2, "'Bohr'"),
    ],
)
def test_name_support(answer: str, value: float, missing: str) -> None:
    found = mark("name_support", answer)
    assert found.value == pytest.approx(value)
    assert (found.reason or "").removeprefix("not in the context: ") == missing


def test_what_the_question_says_is_supported() -> None:
    case = Case(id="c", input="What happened in 1911 to Rutherford?", context=CONTEXT)
    response = Response(arm="a", question="q", text="In 1911, Rutherford happened.")
    for name in NAMES:
        assert registry.build(name).score(case, response).value == 1
