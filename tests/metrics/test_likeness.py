from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.marking import mark, value
from tuneornot.records import Json

WORDS = st.lists(st.sampled_from(["ein", "Haus", "am", "See", "42"]), max_size=8).map(" ".join)

# Precision, recall and F1 as the package rouge-score 0.1.2 gives them without its stemmer.
ROUGE = [
    (
        "The quick brown dog jumps on the log.",
        "The quick brown fox jumps over the lazy dog",
        {
            "1": (0.75, 0.666667, 0.705882),
            "2": (0.285714, 0.25, 0.266667),
            "L": (0.625, 0.555556, 0.588235),
        },
    ),
    (
        "In Leeds three men were arrested; they are 41, 43 and 50.",
        "Three men, aged 41 and 43, were arrested in Leeds.",
        {
            "1": (0.75, 0.9, 0.818182),
            "2": (0.272727, 0.333333, 0.3),
            "L": (0.333333, 0.4, 0.363636),
        },
    ),
    (
        "the cat the",
        "the the the cat",
        {
            "1": (1.0, 0.75, 0.857143),
            "2": (0.5, 0.333333, 0.4),
            "L": (0.666667, 0.5, 0.571429),
        },
    ),
]


@pytest.mark.parametrize(("answer", "expected", "figures"), ROUGE)
def test_rouge_is_that_of_the_reference_implementation(
    answer: str, expected: str, figures: dict[str, tuple[float, float, float]]
) -> None:
    for kind, wanted in figures.items():
        names = ("precision", "recall", "f1")
        found = [
            value({"rouge": {"kind": kind, "figure": name}}, answer, expected) for name in names
        ]
        assert found == pytest.approx(wanted, abs=1e-6), kind


def test_the_examples_of_the_paper_on_rouge() -> None:
    # Lin (2004), section 3: S1 "police killed the gunman", S2 and S3; ROUGE-L of S3 is 1/2, of
    # S2 3/4, while ROUGE-2 cannot tell them apart.
    reference = "police killed the gunman"
    assert value("rouge", "police kill the gunman", reference) == pytest.approx(3 / 4)
    assert value("rouge", "the gunman kill police", reference) == pytest.approx(1 / 2)
    for answer in ("police kill the gunman", "the gunman kill police"):
        assert value({"rouge": {"kind": "2"}}, answer, reference) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("answer", "expected", "f1"),
    [
        ("the cat sat", "a cat sat!", 1.0),
        ("cat cat", "cat", 2 / 3),
        ("dog", "cat", 0.0),
        ("the", "a", 1.0),
        ("", "cat", 0.0),
        ("U.S.", "us", 1.0),
    ],
)
def test_token_f1_counts_as_squad_does(answer: str, expected: str, f1: float) -> None:
    assert value("token_f1", answer, expected) == pytest.approx(f1)


def test_articles_count_if_asked() -> None:
    entry = {"token_f1": {"articles": False}}
    assert value(entry, "the cat", "a cat") == pytest.approx(0.5)
    assert value("token_f1", "the cat", "a cat") == 1


@settings(deadline=None)
@given(WORDS, WORDS)
def test_f1_is_the_harmonic_mean_of_precision_and_recall(answer: str, expected: str) -> None:
    for metric in ("token_f1", "rouge"):
        made = [
            value({metric: {"figure": name}}, answer, expected)
            for name in ("precision", "recall", "f1")
        ]
        p, r, f1 = (0.0 if one is None else one for one in made)
        assert f1 == pytest.approx(2 * p * r / (p + r) if p + r else 0.0)
    shared = (Counter(answer.lower().split()) & Counter(expected.lower().split())).total()
    assert (value("token_f1", answer, expected) == 0) == (not shared and bool(answer or expected))


def test_edit_similarity_of_the_textbook_pair() -> None:
    # kitten, sitting: three edits, the longer text has seven characters.
    assert value("edit_similarity", "sitting", "kitten") == pytest.approx(1 - 3 / 7)
    assert value({"edit_similarity": {"unit": "words"}}, "a b c", "a c") == pytest.approx(2 / 3)
    assert value("edit_similarity", " same\n", "same") == 1
    assert value("edit_similarity", "", "") == 1


@pytest.mark.parametrize("metric", ["token_f1", "rouge", "edit_similarity"])
def test_the_best_of_several_references_counts(metric: str) -> None:
    assert value(metric, "a grey cat", ["no such thing", "a grey cat"]) == 1
    alone = value(metric, "a grey cat", "no such thing")
    assert alone is not None
    assert alone < 0.5


@pytest.mark.parametrize("metric", ["token_f1", "rouge", "edit_similarity"])
def test_other_json_is_compared_as_its_text(metric: str) -> None:
    expected: Json = {"city": "Bonn"}
    assert value(metric, '{"city": "Bonn"}', expected) == 1
    assert mark(metric, "Bonn").reason == "the case has no expected text"
