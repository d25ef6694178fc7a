from __future__ import annotations

import pytest

from tests.metrics.marking import mark, value
from tuneornot.errors import StudyError
from tuneornot.metrics import registry
from tuneornot.records import Json

MOODS: dict[str, Json] = {
    "positive": ["pos", "good"],
    "negative": ["neg", "not good", "bad"],
    "neutral": [],
}


@pytest.mark.parametrize(
    ("answer", "expected", "whole", "anywhere"),
    [
        ("positive", "positive", 1, 1),
        (" Good! ", "positive", 1, 1),
        ("bad", "NEG", 1, 1),
        ("It was good", "positive", 0, 1),
        ("It was not good", "negative", 0, 1),
        ("It was not good", "positive", 0, 0),
        ("good or bad", "positive", 0, 0),
        ("good, really good", "positive", 0, 1),
        ("goodness", "positive", 0, 0),
        ("", "neutral", 0, 0),
    ],
)
def test_labels_and_aliases(answer: str, expected: str, whole: float, anywhere: float) -> None:
    assert value({"choice": {"labels": MOODS}}, answer, expected) == whole
    assert value({"choice": {"labels": MOODS, "anywhere": True}}, answer, expected) == anywhere


def test_a_boolean_is_a_label() -> None:
    assert value({"choice": {"labels": {"true": ["yes"], "false": ["no"]}}}, "Yes.", True) == 1


def test_a_case_that_expects_no_label_has_no_score() -> None:
    found = mark({"choice": {"labels": ["a", "b"]}}, "a", "c")
    assert found.value is None
    assert found.reason == "the expected answer 'c' is none of the labels"
    assert mark({"choice": {"labels": ["a", "b"]}}, "a").reason == "the case has no expected answer"


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (["a"], "at least two, got \\['a'\\]"),
        ({"a": ["x"], "b": ["X!"]}, "got 'X!' for 'a' and 'b'; remove it"),
        (["a", "..."], "must hold a letter or digit, got '...'"),
    ],
)
def test_labels_that_cannot_be_told_apart_are_refused(labels: Json, sentence: str) -> None:
    with pytest.raises(StudyError, match=sentence):
        registry.build({"choice": {"labels": labels}})


def test_one_of_the_values_and_nothing_else() -> None:
    entry = {"one_of": {"values": ["A", "B"]}}
    assert [value(entry, answer) for answer in ("A", " B\n", "a", "A.", "")] == [1, 1, 0, 0, 0]
    assert value({"one_of": {"values": ["A", "B"], "ignore_case": True}}, "a") == 1
    assert mark(entry, "A or B").reason == "'A or B' is not among the values"
    with pytest.raises(StudyError, match="must name what is allowed"):
        registry.build({"one_of": {"values": []}})
