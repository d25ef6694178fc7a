from __future__ import annotations

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from tuneornot.nearness import Nearness, _runs
from tuneornot.records import Case, Prompt

ASKED = [
    "Where is my parcel?",
    "How do I open an account?",
    "Can I close the account again?",
    "Was heißt Straßenbahn?",
    "路面電車の料金はいくらですか",
]


def test_the_likest_is_first_whatever_the_ending_the_case_or_the_script() -> None:
    index = Nearness(ASKED)
    for text, likest in (
        ("where are my PARCELS", 0),
        ("opening accounts", 1),
        ("closing of accounts", 2),
        ("STRASSENBAHNEN", 3),
        ("電車の料金", 4),
    ):
        assert index.likest_first(text)[0] == likest, text


def test_the_cosine_is_that_of_its_formula() -> None:
    texts = ["abcd", "abcde", "zzzz"]
    # Runs of " abcd ", " abcde ", " zzzz ", and how many texts have them.
    runs = [{" abc", "abcd", "bcd "}, {" abc", "abcd", "bcde", "cde "}, {" zzz", "zzzz", "zzz "}]
    weights = {
        run: math.log1p(3 / sum(run in one for one in runs)) ** 2 for one in runs for run in one
    }

    def cosine(asked: set[str], of: set[str]) -> float:
        return sum(weights[run] for run in asked & of) / math.sqrt(sum(weights[r] for r in of))

    for text, asked in zip(texts, runs, strict=True):
        wanted = sorted(range(3), key=lambda k: -cosine(asked, runs[k]))
        assert Nearness(texts).likest_first(text) == wanted


@given(st.lists(st.text(), max_size=8), st.text())
def test_any_texts_are_ordered_each_once(texts: list[str], asked: str) -> None:
    index = Nearness(texts)
    assert sorted(index.likest_first(asked)) == list(range(len(texts)))
    for position, text in enumerate(texts):
        first = index.likest_first(text)[0]
        assert first <= position  # itself, or one of the same runs that stands before it
        assert _runs(texts[first]) == _runs(text)


def demonstrations() -> tuple[Case, ...]:
    return tuple(Case(id=str(k), input=text, expected=f"a{k}") for k, text in enumerate(ASKED))


def test_a_prompt_shows_the_nearest_with_the_likest_last() -> None:
    prompt = Prompt(instructions="Answer.", demonstrations=demonstrations(), nearest=2)
    case = Case(id="q", input="Can I open another account?")
    said = [message.content for message in prompt.messages(case)]
    assert said == ["Answer.", ASKED[2], "a2", ASKED[1], "a1", case.text]
    assert prompt.n_shown == 2
    assert prompt.fingerprint != Prompt(instructions="Answer.").fingerprint


def test_a_case_is_never_shown_its_own_answer() -> None:
    pool = demonstrations()
    prompt = Prompt(demonstrations=pool, nearest=5)
    for case in pool:
        assert {shown.id for shown in prompt.shown(case)} == {one.id for one in pool} - {case.id}


def test_the_same_question_gets_the_same_demonstrations_in_every_process() -> None:
    rng = random.Random(0)
    words = ["pay", "bill", "parcel", "lost", "open", "close", "card", "stolen", "limit"]
    rows = [
        Case(id=str(k), input=" ".join(rng.choices(words, k=6)), expected="x") for k in range(80)
    ]
    prompt = Prompt(demonstrations=tuple(rows), nearest=3)
    shown = prompt.shown(Case(id="q", input="my card was stolen, what is the limit"))
    assert [case.id for case in shown] == ["42", "1", "25"]
