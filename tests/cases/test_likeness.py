from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneornot.cases.likeness import (
    Answers,
    Near,
    likeness,
    misspelt,
    normalised,
    repeats,
    runs,
    shingles,
)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("What's  the BALANCE?", "whats the balance"),
        ("Don’t stop…", "don't stop"),
        ("top-up now", "Top up, now!"),
        ("ﬁne １２", "fine 12"),
        ("Straße", "STRASSE"),
    ],
)
def test_what_does_not_change_a_question_is_normalised_away(left: str, right: str) -> None:
    assert normalised(left) == normalised(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("pay 1.5", "pay 15"),
        ("at 10:30", "at 1030"),
        ("3 - 2", "3 + 2"),
        ("[ { ( <", "( ( ( ("),
        ("f(x)", "f[x]"),
        ("café", "cafe"),
        ("x * y", "x y"),
    ],
)
def test_what_may_change_a_question_stays(left: str, right: str) -> None:
    assert normalised(left) != normalised(right)


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@given(st.text("ab c1", max_size=30), st.text("ab c1", max_size=30))
def test_likeness_is_symmetric_and_bounded(left: str, right: str) -> None:
    assert likeness(left, right) == likeness(right, left)
    assert 0 <= likeness(left, right) <= 1
    assert likeness(left, left) == 1


def test_shingles_are_those_of_the_padded_text() -> None:
    text = "a cab a cab"
    padded = f" {text} "
    assert len(shingles(text)) == len({padded[i : i + 4] for i in range(len(padded) - 3)})
    assert len(shingles("")) == 1


def test_runs_depend_on_order_and_length() -> None:
    hashes = shingles("some words to take numbers from")[:6]
    assert len(runs(hashes, 3)) == 4
    assert len(runs(hashes, 7)) == 0
    assert set(runs(hashes, 3)).isdisjoint(runs(hashes[::-1], 3))


def test_moved_parts_are_seen_by_shingles() -> None:
    left = "how many upper level classes have labs in the coming term"
    right = "in the coming term how many upper level classes have labs"
    assert likeness(left, right) > 0.85


RULE: list[tuple[str, str, Answers, bool]] = [
    # a typo counts whatever the answers say
    ("how do i locate my card", "how do i locaet my card", "told", True),
    ("how do i locate my card", "how do i locaete my card", "differ", True),
    # another word: a repeat only where the answer did not mind
    ("what is the weather now in samoa", "what is the weather now in nauru", "told", True),
    ("what is the weather now in samoa", "what is the weather now in nauru", "differ", False),
    ("how can i gut a fish", "how can i hurt a human", "common", False),
    # numbers are what is asked about, unless the answer is the same
    ("410 u.s 113 (1973)", "411 u.s 113 (1973)", "differ", False),
    ("410 u.s 113 (1973)", "410 u s 113 (1973)", "told", True),
    ("give 4 points to this long novel", "give 5 points to this long novel", "common", False),
    # other questions
    ("where is my card", "why was i charged", "told", False),
]


@pytest.mark.parametrize(("left", "right", "answers", "expected"), RULE)
def test_the_rule_for_near_repeats(left: str, right: str, answers: Answers, expected: bool) -> None:
    assert (repeats(left, right, answers, Near()) is not None) is expected
    assert (repeats(right, left, answers, Near()) is not None) is expected


def test_long_questions_with_answers_in_prose_need_not_agree_on_the_answer() -> None:
    left = " ".join(f"word{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(60))
    right = left.replace("wordca", "another")
    assert repeats(left, right, "prose", Near()) is not None
    assert repeats(left, right, "differ", Near()) is None
    assert repeats(left + " 5", right + " 6", "prose", Near()) is None


def test_misspelt_wants_every_word_near_its_twin() -> None:
    assert misspelt("transfer the money today", "tranfer the money today")
    assert misspelt("check my account now", "checkmy account now")
    assert not misspelt("transfer the money today", "transfer money today")
    assert not misspelt("gut a fish here", "gut a dish here now")
    assert not misspelt("the cat sat", "the bat sat")
