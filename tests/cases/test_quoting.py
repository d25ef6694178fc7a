from __future__ import annotations

import pytest

from tuneornot.cases.quoting import quotes
from tuneornot.records import Case

LONG = "the tenant may end the lease by written notice of three months before the term is over"


def judged(asked: str, expected: str | None = "x", **more: str) -> Case:
    return Case(id="e", input=asked, expected=expected, **more)


def test_a_whole_question_is_a_quote_whatever_its_case_and_marks() -> None:
    case = judged("How do I close my account?")
    [found] = quotes("For example:\nHOW DO I CLOSE MY ACCOUNT - answer: closing", [case], ())
    assert found == ("e", "how do i close my account")
    assert quotes("How do I close an account?", [case], ()) == []


@pytest.mark.parametrize("place", ["question", "context", "answer"])
def test_a_long_run_from_any_part_is_a_quote(place: str) -> None:
    text = f"Know this: {LONG[4:75]}, and so on."
    case = {
        "question": judged(f"Is it so that {LONG} in all cases?"),
        "context": judged("May he?", context=f"First. {LONG}. Last."),
        "answer": judged("What may he do?", f"He knows: {LONG}"),
    }[place]
    [found] = quotes(text, [case], ())
    assert "may end the lease by written notice" in found.span
    assert quotes("The tenant may end the lease by notice.", [case], ()) == []


def test_a_short_question_is_a_quote_with_its_answer_in_one_line() -> None:
    case = judged("acute bronchitis", "J20.9")
    assert quotes("Codes: acute bronchitis -> J20.9; others differ.", [case], ())
    assert quotes("Say acute bronchitis\nor J20.9", [case], ()) == []
    assert quotes("acute bronchitis has a code", [case], ()) == []


def test_labels_and_single_words_are_no_quotes() -> None:
    label = [Case(id=f"t{k}", input=f"where is it {k}", expected="lost card") for k in range(5)]
    text = "Labels: my card -> lost card, hello -> greeting."
    assert quotes(text, [judged("my card", "lost card"), judged("hello", "greeting")], label) == []
    assert quotes(text, [judged("my card", "lost card")], ())


def test_what_teaches_as_well_is_no_quote() -> None:
    text = f"Rule: {LONG}."
    case = judged("May he?", context=LONG)
    taught = Case(id="t", input="Or she?", expected="y", context=f"Again, {LONG}")
    assert quotes(text, [case], [taught]) == []
    assert quotes(text, [case], [Case(id="t", input="Or she?", expected="y")])


def test_every_case_is_told_once_in_its_order() -> None:
    cases = [
        Case(id=str(k), input=f"what does item number {k} cost?", expected=f"{k} francs")
        for k in range(30)
    ]
    text = "\n".join(f"what does item number {k} cost? {k} francs" for k in (21, 4))
    assert [found.case_id for found in quotes(text, cases, ())] == ["4", "21"]
    assert quotes("", cases, ()) == []
