from __future__ import annotations

import math

import pytest

from tuneornot.errors import StudyError
from tuneornot.metrics import confidence, registry
from tuneornot.metrics.base import Mark
from tuneornot.metrics.confidence import Confident
from tuneornot.metrics.registry import Entry
from tuneornot.records import Case, Response, Sampling

CASE = Case(id="c", input="q", expected="Paris")


def mark(entry: Entry, text: str, logprobs: tuple[float, ...] | None = None) -> Mark:
    response = Response(arm="a", question="q", text=text, logprobs=logprobs)
    return registry.build(entry).score(CASE, response)


def stated(kind: str, **more: object) -> Entry:
    return {kind: {"source": "stated", **more}}  # type: ignore[dict-item]


SURE, UNSURE = (math.log(0.9),) * 2, (math.log(0.5),) * 2


@pytest.mark.parametrize(
    ("text", "logprobs", "value"),
    [("Rome", SURE, 1), ("Rome", UNSURE, 0), ("Paris", SURE, 0), ("I don't know", SURE, 0)],
)
def test_sure_and_wrong(text: str, logprobs: tuple[float, ...], value: float) -> None:
    assert mark("confident_wrong", text, logprobs).value == value


def test_the_threshold_is_the_study_s() -> None:
    assert mark({"confident_wrong": {"threshold": 0.95}}, "Rome", SURE).value == 0
    assert mark({"confident_wrong": {"threshold": 0.5}}, "Rome", UNSURE).value == 1


@pytest.mark.parametrize(
    ("by", "wanted"), [("mean", math.sqrt(0.8 * 0.5)), ("sum", 0.4), ("least", 0.5)]
)
def test_confidence_from_log_probabilities(by: str, wanted: float) -> None:
    made = registry.build({"brier": {"by": by}})
    assert isinstance(made, Confident)
    both = Response(arm="a", question="q", text="Paris", logprobs=(math.log(0.8), math.log(0.5)))
    assert made.read(CASE, both).confidence == pytest.approx(wanted)


@pytest.mark.parametrize("logprobs", [None, ()])
def test_without_log_probabilities_there_is_no_score(logprobs: tuple[float, ...] | None) -> None:
    found = mark("brier", "Paris", logprobs)
    assert found.value is None
    assert "sampling: {logprobs: 0}" in str(found.reason)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Paris\nConfidence: 80%", 0.04),
        ("Paris (confidence 0.8)", None),
        ("Paris. My confidence is 0.8", None),
        ("Paris\nconfidence = 80", 0.04),
        ("Paris\nCONFIDENCE: 0,8", 0.04),
        ("Rome\nConfidence: 1", 1),
        ("Rome\nConfidence: 1%", 0.0001),
    ],
)
def test_stated_confidence_is_no_part_of_the_answer(text: str, value: float | None) -> None:
    found = mark(stated("brier"), text).value
    if value is None:
        # What stands around the number is left, so the answer is not exactly the expected one.
        assert found == pytest.approx(0.64)
        assert mark(stated("brier", of="contains"), text).value == pytest.approx(0.04)
    else:
        assert found == pytest.approx(value)


@pytest.mark.parametrize("text", ["Paris", "Paris\nconfidence: high", "Paris\nConfidence: 800"])
def test_no_confidence_no_score(text: str) -> None:
    assert mark(stated("confident_wrong"), text).value is None


def test_the_last_statement_counts() -> None:
    text = "My confidence is 10% at first.\nConfidence: 90%"
    assert mark(stated("brier", of="contains"), text).value == pytest.approx(0.81)


def test_a_pattern_of_the_study() -> None:
    entry = stated("brier", pattern=r"\[sure: (\d+)\]")
    assert mark(entry, "Paris [sure: 60]").value == pytest.approx(0.16)


def test_a_declined_answer_has_no_brier_score() -> None:
    assert mark("brier", "I don't know", SURE).value is None


def test_a_metric_where_less_is_better_says_what_is_right() -> None:
    entry: Entry = {"brier": {"of": {"declines": {"forms": ["rome"]}}}}
    assert mark(entry, "Paris", SURE).value == pytest.approx(0.01)
    assert mark(entry, "Rome", SURE).value == pytest.approx(0.81)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"of": "token_f1"}, "a metric of 0 and 1, got 'token_f1'"),
        ({"of": "gone"}, "no metric 'gone'"),
        ({"pattern": "("}, "must be a regular expression"),
        ({"pattern": "x"}, "must have a group"),
        ({"threshold": 0}, "threshold must be above 0"),
    ],
)
def test_faults_of_the_settings(settings: dict[str, object], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        registry.build({"confident_wrong": settings})  # type: ignore[dict-item]


def test_arms_must_be_asked_for_log_probabilities() -> None:
    metrics = [registry.build("brier"), registry.build("exact_match")]
    with_them, without = Sampling(logprobs=0), Sampling()
    [fault] = confidence.faults(metrics, {"a": with_them, "b": without})
    assert "['b']" in fault
    assert confidence.faults(metrics, {"a": with_them}) == []
    assert confidence.faults([registry.build(stated("brier"))], {"b": without}) == []
