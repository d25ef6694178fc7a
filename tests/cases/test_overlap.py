from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from tuneornot.cases import overlap
from tuneornot.cases.searches import Meaning, Terms
from tuneornot.records import Case, Json


def case(
    name: str,
    asked: str,
    expected: Json = None,
    *,
    context: str | None = None,
    group: str | None = None,
) -> Case:
    return Case(id=name, input=asked, expected=expected, context=context, group=group)


def kinds(left: list[Case], right: list[Case]) -> dict[str, tuple[str, str]]:
    return {hit.other_id: (hit.kind, hit.eval_id) for hit in overlap.find(left, right)}


def topics(n: int, seed: int) -> list[str]:
    """Questions that have hardly a word in common."""
    rng = random.Random(seed)
    letters = "bcdfghjklmnpqrstvwz"
    words = [
        "".join(rng.choice(letters) + rng.choice("aeiou") for _ in range(3)) for _ in range(900)
    ]
    return [" ".join(rng.sample(words, 9)) for _ in range(n)]


def test_each_kind_is_found_and_the_strongest_is_told() -> None:
    eval_cases = [
        case("e1", "Where is my parcel from last week?", "delivery", group="g1"),
        case("e2", "Which documents must I bring to the first appointment?", "papers"),
        case(
            "e3", "On what day of the month do you usually send out the invoice for it", "billing"
        ),
    ]
    long = f"Dear all, {eval_cases[2].text.lower()}? I ask because of my taxes. Yours, A."
    train = [
        case("exact", "Where is my parcel from last week?", "delivery", group="g1"),
        case("normal", "where is MY parcel, from last week", "delivery"),
        case("near", "Wich documents must I bring to the first apointment?", "papers"),
        case("span", long, "other"),
        case("group", "A different question altogether", "x", group="g1"),
        case("free", "Can I pay in instalments over half a year?", "billing", group="g2"),
    ]
    assert kinds(train, eval_cases) == {
        "exact": ("exact", "e1"),
        "normal": ("normalised", "e1"),
        "near": ("near", "e2"),
        "span": ("span", "e3"),
        "group": ("group", "e1"),
    }


def test_the_record_names_both_sides_and_shows_what_is_common() -> None:
    left = [case("t", "please tell me the opening hours of the shop in Main Street", "9-5")]
    right = [case("e", "tell me the opening hours of the shop in Maine Street", "9-5")]
    (hit,) = overlap.find(left, right, names=("dev", "reporters"))
    assert (hit.other_set, hit.eval_set, hit.kind) == ("dev", "reporters", "near")
    assert hit.span == "tell me the opening hours of the shop in"
    assert 0.8 < hit.similarity < 1


LONG = (
    "on the third day of the fair the younger of the two brothers who keep the stall at the north "
    "gate sold all lamps to the mayor and what did he pay for the whole basket"
)


def quoting(n_words: int, expected: Json = "twelve") -> list[tuple[str, float]]:
    start = " ".join(LONG.split()[:n_words])
    left = [case("t", f"As I heard, {start} or so they say around here today", expected)]
    found = overlap.find(left, [case("e", LONG, "twelve")])
    return [(hit.kind, hit.similarity) for hit in found]


def test_a_long_quote_counts_from_half_of_the_question_on() -> None:
    n_words = len(LONG.split())
    assert quoting(20) == [("quote", round(20 / n_words, 4))]
    assert quoting(13) == []
    assert quoting(20, "another one") == []


def test_boilerplate_that_many_cases_have_is_no_quote() -> None:
    notice = "please answer by return of post and keep a copy of this letter for your own files"
    names = topics(40, 5)
    left = [case(f"t{i}", f"{notice} {' '.join(name.split()[:4])}") for i, name in enumerate(names)]
    right = [
        case(f"e{i}", f"{' '.join(name.split()[5:])} {notice}") for i, name in enumerate(names)
    ]
    assert overlap.find(left, right) == ()
    assert [hit.kind for hit in overlap.find(left[:1], right[:1])] == ["quote"]


def alike(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Vectors of the words for paying back, and of everything else."""
    paid = [["refund" in text or "money" in text, "not" in text, 0.2] for text in texts]
    return np.array(paid, np.float32)


def test_paraphrases_are_found_by_an_embedding_where_the_answers_agree() -> None:
    terms = Terms(meaning=Meaning(alike, "alike", 0.95))
    left = [
        case("agree", "send my money back", "form a"),
        case("differ", "give me the money at once", "form b"),
        case("not", "I do not want the money", "form a"),
        case("number", "the money for order 12", "form a"),
    ]
    right = [case("e", "how is a refund obtained", "form a"), case("f", "who is it", "form c")]
    [hit] = overlap.find(left, right, terms=terms)
    assert (hit.other_id, hit.eval_id, hit.kind) == ("agree", "e", "paraphrase")
    assert hit.similarity == 1
    assert overlap.find(left, right) == ()


def test_a_pair_that_was_let_pass_gives_way_to_the_next_one() -> None:
    right = [
        case("e1", "Where is my parcel from last week?", "x"),
        case("e2", "WHERE is my parcel from last week", "x"),
    ]
    left = [case("t", "Where is my parcel from last week?", "x")]
    told = []
    passed: frozenset[str] = frozenset()
    for _ in range(3):
        for hit in overlap.find(left, right, terms=Terms(passed=passed)):
            told.append((hit.kind, hit.eval_id))
            passed |= {hit.pair}
    assert told == [("exact", "e1"), ("normalised", "e2")]


def test_citations_that_differ_only_in_numbers_are_no_repeats() -> None:
    rng = random.Random(3)
    names = ["U.S.", "F.2d", "Cal. App. Supp. 3d", "N.Y.S.2d", "So. 2d", "Ill. App. 3d"]

    def citation(name: str) -> Case:
        volume, page, year = rng.randint(1, 999), rng.randint(1, 1500), rng.randint(1900, 2020)
        reporter = rng.choice(names)
        expected: Json = {"volume": volume, "reporter": reporter, "page": page, "year": year}
        return case(name, f"{volume} {reporter} {page} ({year})", expected)

    train, judged = ([citation(f"{side}{i}") for i in range(500)] for side in "te")
    assert overlap.find(train, judged) == ()
    respelt = case("again", judged[0].text.replace(".", ". "), judged[0].expected)
    assert kinds([respelt], judged)["again"][1] == "e0"


def test_planted_typos_are_found_among_many_and_nothing_else() -> None:
    rng = random.Random(5)
    train = [case(f"t{i}", text, f"a{i}") for i, text in enumerate(topics(3000, 1))]
    judged = [case(f"e{i}", text, f"b{i}") for i, text in enumerate(topics(300, 2))]
    planted = []
    for number, source in enumerate(judged):
        place = rng.randrange(1, len(source.text) - 2)
        text = source.text[:place] + source.text[place + 1 :]
        planted.append(case(f"p{number}", text, source.expected))
    found = kinds([*train, *planted], judged)
    assert set(found) == {f"p{number}" for number in range(300)}
    assert all(found[f"p{number}"][1] == f"e{number}" for number in range(300))


def test_one_text_asked_about_twice_is_no_repeat_but_the_same_question_is() -> None:
    document = ". ".join(topics(12, 7))
    left = [case("t1", "Who signed the contract?", "Ann", context=document)]
    right = [case("e1", "When does the notice period end?", "May", context=document)]
    assert overlap.find(left, right) == ()
    again = [case("t2", "When does the notice periode end?", "May", context=document + " end")]
    assert kinds(again, right)["t2"] == ("near", "e1")


def test_one_instruction_for_many_texts_is_no_repeat_but_the_same_text_is() -> None:
    texts = [". ".join(topics(6, seed)) for seed in range(30)]
    ask = "Summarise the text in one sentence for a busy reader, please."
    left = [case(f"t{i}", ask, f"sum {i}", context=text) for i, text in enumerate(texts[:20])]
    right = [case(f"e{i}", ask, f"sum {i + 20}", context=text) for i, text in enumerate(texts[20:])]
    assert overlap.find(left, right) == ()
    copied = case("copy", ask, "sum 20", context=texts[20].replace(".", ";", 2))
    assert kinds([copied], right)["copy"][1] == "e0"


def test_a_frame_around_every_question_counts_for_nothing() -> None:
    frame = (
        "You are the assistant of a bank. Read the customer's message with care, think about it, "
        "and answer with the name of the department that should take care of it. Message: "
    )
    asked = topics(60, 11)
    cases = [case(f"c{i}", frame + text, f"dep{i % 3}") for i, text in enumerate(asked)]
    assert overlap.find(cases[:40], cases[40:]) == ()
    copied = case("copy", frame + asked[50][:-1], "dep2")
    assert kinds([*cases[:40], copied], cases[40:]) == {"copy": ("near", "c50")}


@pytest.mark.parametrize("empty", [0, 1])
def test_an_empty_side_has_no_overlap(empty: int) -> None:
    sides: list[list[Case]] = [[case("a", "x")], [case("b", "x")]]
    sides[empty] = []
    assert overlap.find(sides[0], sides[1]) == ()


def test_texts_without_a_word_are_compared_too() -> None:
    assert kinds([case("t", "?")], [case("e", "?")]) == {"t": ("exact", "e")}
    assert kinds([case("t", "? ")], [case("e", " ?")]) == {"t": ("normalised", "e")}
    assert kinds([case("t", "?!")], [case("e", "...")]) == {}


def test_removing_the_named_cases_removes_every_overlap() -> None:
    asked = topics(50, 13)
    right = [case(f"e{i}", text, "x", group=f"g{i % 7}") for i, text in enumerate(asked)]
    left = [case(f"t{i}", f"{text} now", "x", group=f"g{i}") for i, text in enumerate(asked)]
    hits = {hit.other_id for hit in overlap.find(left, right)}
    assert hits
    assert overlap.find([one for one in left if one.id not in hits], right) == ()
