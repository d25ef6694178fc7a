from __future__ import annotations

import pytest

from tuneornot.finetune import recited
from tuneornot.models.base import Reply
from tuneornot.records import Case

TRAIN = [
    Case(id=f"t{n}", input=f"train {n}", expected=text)
    for n, text in enumerate(["red deer", "grey seal", "tree frog", "bird", "bird"])
]


def replies(*texts: str | None) -> list[Reply]:
    return [
        Reply(error="gone") if text is None else Reply(text=text, finish="stop") for text in texts
    ]


def asked(*expected: str) -> list[Case]:
    return [Case(id=f"d{n}", input=f"dev {n}", expected=text) for n, text in enumerate(expected)]


def test_an_answer_of_another_train_case_is_by_heart() -> None:
    found = recited.nothing_memorised(
        asked("lion", "lion"), replies("grey seal\n", "a lion"), replies("?", "?"), TRAIN
    )
    assert (found.passed, found.blocking) == (False, True)
    assert "1 of 2 answers" in found.detail


@pytest.mark.parametrize(
    ("expected", "tuned", "plain"),
    [
        ("grey seal", "grey seal", "?"),  # right
        ("lion", "grey seal", "grey seal"),  # the base model says so too
        ("lion", "bird", "?"),  # a label of several cases
        ("lion", "Grey seal", "?"),  # not word for word
        ("lion", None, "?"),
    ],
)
def test_what_is_not_by_heart(expected: str, tuned: str | None, plain: str) -> None:
    found = recited.nothing_memorised(asked(expected), replies(tuned), replies(plain), TRAIN)
    assert found.passed


def test_one_of_ten_may_be_chance_and_two_are_a_caveat() -> None:
    for n, passed in ((1, True), (2, False)):
        texts = ["tree frog"] * n + ["a lion"] * (10 - n)
        found = recited.nothing_memorised(
            asked(*["lion"] * 10), replies(*texts), replies(*["?"] * 10), TRAIN
        )
        assert (found.passed, found.blocking) == (passed, False)


def test_without_dev_cases_nothing_is_claimed() -> None:
    found = recited.nothing_memorised([], [], [], TRAIN)
    assert (found.passed, found.blocking) == (False, False)
