"""Judged metrics: what is asked, how replies are read, how votes become a value."""

from __future__ import annotations

import math

import pytest

from tests.judge import HELPFUL, judged, part, rule, said
from tuneornot.errors import StudyError
from tuneornot.metrics import registry
from tuneornot.metrics.judges import replies
from tuneornot.metrics.judges.base import Question
from tuneornot.metrics.registry import Entry
from tuneornot.records import Case, Json, Response


def graded(**settings: Json) -> Entry:
    levels: Json = ["wrong", "half right", "right"]
    return {"judge": {"model": "m", "ask": "Is it right?", "levels": levels, **settings}}


def preferring(**settings: Json) -> Entry:
    return {"prefer": {"model": "m", "ask": "Which is clearer?", **settings}}


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ('{"reason": "fine", "level": 3}', 1.0),
        ('```json\n{"level": 2}\n```', 0.5),
        ('I think so.\n{"level": "1"} Thanks!', 0.0),
        ("Level: 2", 0.5),
        ("**Level:** 3, because it is right.", 1.0),
        ("3.", 1.0),
        ('{"level": 3.0}', 1.0),
    ],
)
def test_a_level_is_read_from_whatever_stands_around_it(reply: str, value: float) -> None:
    assert rule(graded(), lambda _: said(reply)).mark.value == value


@pytest.mark.parametrize(
    "reply",
    [
        "It is good.",
        '{"level": 4}',
        '{"level": 0}',
        '{"level": true}',
        '{"level": 2.5}',
        '{"level": null}',
        '{"score": 2}',
        "Level 2 or level 3, hard to say",
        "Between 1 and 3",
        "",
        "[1, 2]",
        None,
    ],
)
def test_what_names_no_level_is_undecided_and_never_zero(reply: str | None) -> None:
    found = rule(graded(), lambda _: said(reply))
    assert found.mark.value is None
    assert (found.mark.reason or "").startswith("undecided: the judge")


def test_the_judge_sees_the_rubric_and_the_material_and_no_arm() -> None:
    case = Case(id="c", input="What is it?", expected="42", context="Notes.")
    asked: list[Question] = []

    def reply(question: Question) -> tuple[Response, ...]:
        asked.append(question)
        return said('{"level": 2}')

    rule(graded(reference=True), reply, answer="41", case=case)
    rule(graded(context=False), reply, answer="41", case=case)
    first, second = asked
    assert "Is it right?" in first.prompt.instructions
    assert "2: half right" in first.prompt.instructions
    shown = [part(first.text, tag) for tag in ("question", "context", "reference", "answer")]
    assert shown == ["What is it?", "Notes.", "42", "41"]
    assert "Notes." not in second.text
    assert "42" not in second.text
    assert isinstance(first.sampling.form, dict)


def test_means_and_majorities_leave_the_undecided_out() -> None:
    three: Json = ["a", "b", "c"]
    replied = {"a": '{"level": 1}', "b": '{"level": 3}', "c": '{"level": 3}'}

    def reply(question: Question) -> tuple[Response, ...]:
        return said(replied[question.model])

    mean = graded(model=None, models=three)
    most = graded(model=None, models=three, vote="majority")
    assert rule(mean, reply).mark.value == pytest.approx(2 / 3)
    assert rule(most, reply).mark.value == 1
    replied["b"] = "dunno"
    assert rule(mean, reply).mark.value == pytest.approx(1 / 2)
    split = rule(most, reply).mark
    assert split.value is None
    assert "split" in (split.reason or "")


def test_two_levels_are_binary_unless_votes_are_averaged() -> None:
    two: Json = ["no", "yes"]
    pair: Json = ["a", "b"]
    assert judged(graded(levels=two)).scale.binary
    assert judged(graded(levels=two, model=None, models=pair, vote="majority")).scale.binary
    assert not judged(graded(levels=two, model=None, models=pair)).scale.binary
    assert not judged(graded(levels=two, repeats=3)).scale.binary
    assert not judged(graded(levels=two, probabilities=True)).scale.binary
    assert not judged(graded()).scale.binary


def test_probabilities_weigh_the_levels() -> None:
    tokens = {" 3": math.log(0.5), "3": math.log(0.1), "2": math.log(0.2), "no": math.log(0.2)}
    reply = Response(arm="j", question="q", text="3", alternatives=({"\n": 0.0}, tokens))
    found = rule(graded(probabilities=True), lambda _: [reply])
    # Levels 3 and 2 in the ratio 6 to 2: the mean level is 2.75.
    assert found.mark.value == pytest.approx((2.75 - 1) / 2)
    none = rule(graded(probabilities=True), lambda _: said("3")).mark
    assert none.value is None
    assert "log-probabilities" in (none.reason or "")


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [("A", "B", 1.0), ("B", "A", 0.0), ("tie", "tie", 0.5), ("A", "A", 0.5), ("A", "tie", 0.5)],
)
def test_a_preference_must_survive_the_other_order(first: str, second: str, value: float) -> None:
    def reply(question: Question) -> tuple[Response, ...]:
        leads = part(question.text, "answer_A") == "new"
        return said(f'{{"better": "{first if leads else second}"}}')

    found = rule(preferring(), reply, answer="new", other="old")
    assert found.mark.value == value
    [vote] = found.votes
    assert ((vote.orders or (0, 0))[0] == (vote.orders or (0, 1))[1]) == (
        {first, second} != {"A"} and {first, second} != {"A", "tie"}
    )


def test_the_baseline_and_the_same_answer_are_ties_without_asking() -> None:
    def reply(question: Question) -> tuple[Response, ...]:
        raise AssertionError("nothing is to be asked")

    assert rule(preferring(), reply, answer="old", other=None).mark.value == 0.5
    assert rule(preferring(), reply, answer="same", other="same").mark.value == 0.5


def test_an_unreadable_preference_is_undecided() -> None:
    found = rule(preferring(), lambda _: said("both are fine"), answer="new", other="old")
    assert found.mark.value is None


def claiming(question: Question) -> tuple[Response, ...]:
    if "take an answer apart" in question.prompt.instructions:
        return said('{"claims": ["It is 42.", "It is blue.", " "]}')
    assert "1. It is 42.\n2. It is blue." in question.text
    return said('{"verdicts": [true, false]}')


def test_faithfulness_is_the_share_of_supported_claims() -> None:
    found = rule({"faithfulness": {"model": "m"}}, claiming)
    assert found.mark.value == 0.5
    assert "It is blue." in (found.mark.reason or "")
    bare = Case(id="c", input="q")
    assert rule({"faithfulness": {"model": "m"}}, claiming, case=bare).mark.value is None


def test_relevancy_holds_claims_against_the_question_and_shares_the_first_one() -> None:
    asked: list[Question] = []

    def reply(question: Question) -> tuple[Response, ...]:
        asked.append(question)
        return claiming(question)

    assert rule({"answer_relevancy": {"model": "m"}}, reply).mark.value == 0.5
    rule({"faithfulness": {"model": "m"}}, reply)
    first, second, third, fourth = asked
    assert first == third
    assert part(second.text, "question") == "What is it?"
    assert part(fourth.text, "context") == "It is 42."


@pytest.mark.parametrize(
    ("claims", "verdicts"),
    [
        ('{"claims": []}', ""),
        ("none", ""),
        ('{"claims": "It is 42."}', ""),
        ('{"claims": ["a", "b"]}', '{"verdicts": [true]}'),
        ('{"claims": ["a"]}', '{"verdicts": ["yes"]}'),
    ],
)
def test_claims_that_cannot_be_read_or_counted_give_no_score(claims: str, verdicts: str) -> None:
    def reply(question: Question) -> tuple[Response, ...]:
        return said(claims if "take an answer" in question.prompt.instructions else verdicts)

    assert rule({"faithfulness": {"model": "m"}}, reply).mark.value is None


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (graded(model=None), "give `model`"),
        (graded(models=["x"]), "give `model`"),
        (graded(model=None, models=["x", "x"]), "must differ"),
        (graded(levels=["only"]), "2 to 9 descriptions"),
        (graded(levels=["a", " "]), "each level must be described"),
        (graded(ask=" "), "what is judged"),
        (graded(repeats=0), "repeats must be 1"),
        (graded(vote="median"), "vote"),
        (graded(probabilities=True, vote="majority"), "vote: mean"),
        (graded(rubrik="x"), "there is no setting 'rubrik'"),
        (preferring(ask=""), "what is better"),
        (preferring(temperature=-1.0), "temperature must be 0"),
        (preferring(max_tokens=0), "max_tokens must be 1"),
        ({"judge": {"model": "m", "levels": ["a", "b"]}}, "ask"),
        ("judge", "ask"),
    ],
)
def test_wrong_settings_are_told_with_what_to_do(entry: Entry, sentence: str) -> None:
    with pytest.raises(StudyError) as told:
        registry.build(entry)
    assert sentence in str(told.value)


def test_an_exhibit_is_the_same_for_the_same_words_and_another_for_another_rubric() -> None:
    case = Case(id="c", input="q")
    one = judged(HELPFUL).exhibit(case, "42", None)
    moved = judged(HELPFUL).exhibit(Case(id="d", input="q"), "42", None)
    assert one.item == moved.item
    assert one.item != judged(HELPFUL).exhibit(case, "43", None).item
    assert one.item != judged(graded()).exhibit(case, "42", None).item


def test_a_judged_metric_without_its_judge_says_so() -> None:
    mark = judged(HELPFUL).score(Case(id="c", input="q"), said("42")[0])
    assert mark.value is None


def test_reasons_are_kept_and_cut() -> None:
    long = "x" * 1000
    found = rule(graded(), lambda _: said(f'{{"reason": "{long}", "level": 1}}'))
    assert found.mark.reason == long[: replies.LONGEST_REASON]
