from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.marking import mark, value
from tuneornot.metrics.reference import fold
from tuneornot.records import Json


@pytest.mark.parametrize(
    ("answer", "expected", "score"),
    [
        ("Paris", "Paris", 1),
        ("  Paris\n", "Paris ", 1),
        ("paris", "Paris", 0),
        ("Paris.", "Paris", 0),
        ("", "Paris", 0),
        ('{"b": 2, "a": 1.0}', {"a": 1, "b": 2}, 1),
        ('{"a": 1}\n', {"a": 1}, 1),
        ('{"a": "1"}', {"a": 1}, 0),
        ('{"a": 1, "b": 2}', {"a": 1}, 0),
        ('```json\n{"a": 1}\n```', {"a": 1}, 0),
        ("42", 42, 1),
        ("42.0", 42, 1),
        ("true", 1, 0),
        ("forty-two", 42, 0),
        # A text that looks like JSON is a text: it must come back as it stands.
        ('{"a":1}', '{"a": 1}', 0),
        ("anything", None, None),
    ],
)
def test_exact_match(answer: str, expected: Json, score: float | None) -> None:
    assert value("exact_match", answer, expected) == score


def test_exact_match_says_why_json_failed() -> None:
    assert (
        mark("exact_match", "oops", {"a": 1}).reason == "not JSON: Expecting value at character 0"
    )


def test_lenient_exact_match_takes_the_fenced_value() -> None:
    entry = {"exact_match": {"lenient": True}}
    assert value(entry, 'Sure!\n```json\n{"a": 1}\n```', {"a": 1}) == 1
    assert value(entry, 'Sure!\n```json\n{"a": 2}\n```', {"a": 1}) == 0


@pytest.mark.parametrize(
    ("answer", "expected", "score"),
    [
        ("the  QUICK, brown-fox!", "The quick brown fox", 1),
        ("ＡＢＣ①", "abc1", 1),
        ("Straße", "STRASSE", 1),
        ("ﬁne", "fine", 1),
        ("3.5", "35", 0),
        ("-5", "5", 0),
        ("−5", "-5", 1),
        ("5%", "5", 0),
        ("(5)", "5", 1),
        ("page 5.", "Page 5", 1),
        ("$5", "5", 0),
        ("12:30", "1230", 0),
        ("1,000", "1000", 0),
        ("«Bonjour»", "bonjour", 1),
        ("dog", "cat", 0),
        ('{"a": "X. Y."}', {"a": "x y"}, 1),
        ('{"A": "x"}', {"a": "x"}, 0),
        ('{"a": 1}', {"a": "1"}, 0),
        ("not json", {"a": "x"}, 0),
        ("anything", None, None),
    ],
)
def test_normalised_match(answer: str, expected: Json, score: float | None) -> None:
    assert value("normalised_match", answer, expected) == score


def test_folding_can_be_left_out() -> None:
    assert value({"normalised_match": {"case": False}}, "paris.", "Paris") == 0
    assert value({"normalised_match": {"case": False}}, "Paris.", "Paris") == 1
    assert value({"normalised_match": {"punctuation": False}}, "Paris.", "paris") == 0
    assert value({"normalised_match": {"punctuation": False}}, "PARIS", "paris") == 1


@settings(deadline=None)
@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_folding_forgets_case_and_spacing(text: str) -> None:
    assert fold(f" {text.casefold()} \n") == fold(text)


@pytest.mark.parametrize(
    ("settings", "answer", "score"),
    [
        ({"texts": ["b", "a"]}, "a, b", 1),
        ({"texts": ["b", "a"]}, "a, c", 0),
        ({"texts": ["b", "a"], "need": "any"}, "a, c", 1),
        ({"texts": ["b", "a"], "need": "any"}, "d, c", 0),
        ({"texts": ["X"]}, "x", 0),
        ({"texts": ["X"], "ignore_case": True}, "x", 1),
    ],
)
def test_contains(settings: dict[str, Json], answer: str, score: float) -> None:
    assert value({"contains": settings}, answer) == score


def test_contains_without_texts_looks_for_the_expected_answer() -> None:
    assert value("contains", "It is Paris, of course", " Paris ") == 1
    assert mark("contains", "It is Rome", "Paris").reason == "missing: 'Paris'"
    assert value("contains", "It is Rome", None) is None
    assert value("contains", "It is Rome", "") is None
