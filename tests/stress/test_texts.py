"""What perturbations do to a text, and what they must not."""

from __future__ import annotations

import json
import random
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from tuneornot.records import Case, Message
from tuneornot.stress import surface, wording
from tuneornot.stress.base import Material
from tuneornot.stress.catalogue import BUILT_IN
from tuneornot.stress.surroundings import NOTICES

PROSE = (
    "Please tell me what is the usual color of the theater curtain in London, because you are "
    "going to order 12 new ones for the Globe, item A-17, at https://globe.example/shop."
)
OF_PROSE = ["typos", "casing", "punctuation", "filler", "casual", "dialect"]


def changed(
    kind: str, case: Case, strength: float, *, seed: int = 1, others: tuple[Case, ...] = ()
) -> Case:
    return BUILT_IN[kind].change(Material(case, others, random.Random(seed)), strength)


def said(kind: str, text: str, strength: float, *, expected: str | None = None) -> str:
    return wording.asked(changed(kind, Case(id="a", input=text, expected=expected), strength))


@pytest.mark.parametrize("kind", OF_PROSE)
def test_each_changes_prose_and_the_same_way_each_time(kind: str) -> None:
    assert said(kind, PROSE, 0.5) != PROSE
    assert said(kind, PROSE, 0.5) == said(kind, PROSE, 0.5)


@pytest.mark.parametrize("kind", OF_PROSE)
def test_numbers_codes_and_addresses_stay(kind: str) -> None:
    for seed in range(20):
        case = changed(kind, Case(id="a", input=PROSE), 1.0, seed=seed)
        for fixed in ("12", "A-17", "https://globe.example/shop"):
            assert fixed in wording.asked(case)


@given(
    st.sampled_from(OF_PROSE),
    st.lists(st.text(string.ascii_letters, min_size=1, max_size=9), min_size=1, max_size=12),
    st.floats(0.01, 1.0),
    st.integers(0, 5),
)
@settings(max_examples=150, deadline=None)
def test_words_of_the_answer_stay(kind: str, words: list[str], strength: float, at: int) -> None:
    answer = words[min(at, len(words) - 1)]
    text = " ".join([*words, answer])
    after = said(kind, text, strength, expected=answer)
    alone = rf"(?<![A-Za-z]){re.escape(answer)}(?![A-Za-z])"
    assert len(re.findall(alone, after)) >= len(re.findall(alone, text))


@pytest.mark.parametrize("kind", OF_PROSE)
def test_json_is_no_prose(kind: str) -> None:
    text = json.dumps({"note": PROSE, "please": ["tell", "you"]})
    assert said(kind, text, 1.0) == text


def test_a_slip_is_one_slip_and_spares_the_first_letter() -> None:
    words = ["chair", "tables", "window", "curtains", "light", "stairs"]
    for seed in range(30):
        case = changed("typos", Case(id="a", input=" ".join(words)), 1.0, seed=seed)
        for before, after in zip(words, wording.asked(case).split(), strict=True):
            assert OSA.distance(before, after) == 1
            assert after[0] == before[0]


def test_neighbours_are_the_keys_around() -> None:
    assert set(surface.NEIGHBOURS["g"]) == set("ftyhvb")
    assert set(surface.NEIGHBOURS["q"]) == set("wa")
    for letter, near in surface.NEIGHBOURS.items():
        assert all(letter in surface.NEIGHBOURS[other] for other in near)


@given(st.floats(0.01, 0.99), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_the_strength_is_the_share_and_a_greater_one_holds_the_lesser(
    strength: float, seed: int
) -> None:
    words = [f"word{letter}" for letter in string.ascii_lowercase[:20]]
    text = " ".join(words)

    def at(share: float) -> list[str]:
        case = changed("typos", Case(id="a", input=text), share, seed=seed)
        return wording.asked(case).split()

    lesser, greater = at(strength), at(min(1.0, strength + 0.2))
    moved = [i for i, word in enumerate(lesser) if word != words[i]]
    assert len(moved) == max(1, round(strength * 20))
    assert all(greater[i] == lesser[i] for i in moved)


def test_capitals_change_and_letters_do_not() -> None:
    after = said("casing", "Where does the NEXT train stop", 1.0)
    assert after == "where DOES THE next TRAIN STOP"


def test_marks_are_left_out_or_multiplied_and_words_stay() -> None:
    for seed in range(20):
        case = changed(
            "punctuation", Case(id="a", input="Well, who came? Ann did."), 1.0, seed=seed
        )
        assert re.findall(r"\w+", wording.asked(case)) == ["Well", "who", "came", "Ann", "did"]
    assert said("punctuation", "Who came", 1.0)[:8] == "Who came"
    assert len(said("punctuation", "Who came", 1.0)) > 8


def test_dialect_goes_both_ways() -> None:
    assert said("dialect", "The color of the theater", 1.0) == "The colour of the theatre"
    assert said("dialect", "The colour of the theatre", 1.0) == "The color of the theater"
    assert said("dialect", "Nothing of the kind", 1.0) == "Nothing of the kind"


def test_fields_change_places_and_nothing_else() -> None:
    text = json.dumps({"name": "Ann", "town": "Ulm", "tags": [{"b": 1, "a": 2}, {"c": 3}]})
    after = said("fields", text, 1.0)
    assert json.loads(after) == json.loads(text)
    assert list(json.loads(after)) != list(json.loads(text))
    assert [list(each) for each in json.loads(after)["tags"]] == [["a", "b"], ["c"]]
    lines = "Order:\nName: Ann\nTown: Ulm\nStreet: Long Lane 3\n\nSend it today."
    moved = said("fields", lines, 1.0)
    assert sorted(moved.split("\n")) == sorted(lines.split("\n"))
    assert moved != lines
    assert moved.split("\n")[-1] == "Send it today."
    assert said("fields", '{"only": 1}', 1.0) == '{"only": 1}'
    assert said("fields", "No field at all", 1.0) == "No field at all"


def test_longer_text_stands_before_the_question_or_after_its_context() -> None:
    after = said("longer", PROSE, 1.0)
    assert after.endswith(PROSE)
    assert all(notice in after for notice in NOTICES)
    assert len(said("longer", PROSE, 0.1)) < len(after) / 4
    grounded = changed("longer", Case(id="a", input="Who?", context="Ann did it."), 0.3)
    assert grounded.input == "Who?"
    assert str(grounded.context).startswith("Ann did it.\n\n")


def test_distractors_are_other_questions_that_do_not_hold_the_answer() -> None:
    mine = Case(id="a", input="Who came?", expected="Ann")
    others = (
        mine,
        Case(id="b", input="Did Ann see it?"),
        Case(id="c", input="Where is Ulm?"),
        Case(id="d", input="How far is it?"),
    )
    after = wording.asked(changed("distractors", mine, 1.0, others=others))
    assert "> Where is Ulm?" in after
    assert "> How far is it?" in after
    assert "Did Ann" not in after
    assert after.count("Who came?") == 1
    alone = changed("distractors", mine, 1.0, others=(mine,))
    assert alone == mine
    first, second = (
        Case(id=name, input=f"Which {name}?", context=f"On {name}.") for name in ("ham", "egg")
    )
    mixed = changed("distractors", first, 1.0, others=(first, second, *others))
    assert mixed.context == "On ham.\n\nOn egg."


def test_of_a_chat_only_the_last_message_is_changed() -> None:
    talk = (
        Message(role="user", content="Good morning everybody"),
        Message(role="assistant", content="Good morning"),
        Message(role="user", content="Where does the train stop"),
    )
    after = changed("casing", Case(id="a", input=talk), 1.0)
    assert isinstance(after.input, tuple)
    assert after.input[:2] == talk[:2]
    assert after.input[2].content == "where DOES THE TRAIN STOP"


@given(st.sampled_from(sorted(BUILT_IN)), st.text(max_size=200), st.floats(0.01, 1.0))
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_perturbed(kind: str, text: str, strength: float) -> None:
    case = Case(id="a", input=text, expected="seven")
    other = Case(id="b", input="Another question altogether")
    assert changed(kind, case, strength, others=(case, other)).expected == "seven"
