from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from tests.metrics.marking import mark
from tuneornot.errors import StudyError
from tuneornot.metrics import registry
from tuneornot.metrics.base import Whole, whole
from tuneornot.metrics.registry import Entry
from tuneornot.records import Case, Response
from tuneornot.stats.cases import Floats

LABELS: Entry = {"macro_f1": {"labels": ["cat", "dog", "fish"]}}


def built(entry: Entry) -> Whole:
    made = registry.build(entry)
    assert isinstance(made, Whole)
    assert made.scale.whole
    return made


def rows(entry: Entry, pairs: Sequence[tuple[str, str]]) -> Floats:
    metric, found = built(entry), []
    for answer, expected in pairs:
        case = Case(id="c", input="q", expected=expected)
        found.append(metric.parts(case, Response(arm="a", question="q", text=answer)))
    return np.array(found)


def sums(entry: Entry, pairs: Sequence[tuple[str, str]]) -> Floats:
    total: Floats = rows(entry, pairs).sum(axis=0)
    return total


def figures(entry: Entry, pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    total = sums(entry, pairs)
    return {name: float(figure(total)) for name, figure in built(entry).figures().items()}


# Six cases, counted by hand: cat is expected 3 times, named 3 times, right twice; dog expected
# twice, named once, right once; fish expected once, named once, never right; one answer names none.
ANSWERS = [
    ("cat", "cat"),
    ("Cat!", "cat"),
    ("fish", "cat"),
    ("dog", "dog"),
    ("a bird", "dog"),
    ("cat", "fish"),
]


def test_macro_f1_and_its_details_by_hand() -> None:
    found = figures(LABELS, ANSWERS)
    assert next(iter(found)) == "macro-F1"
    assert found == pytest.approx(
        {
            "macro-F1": (2 / 3 + 2 / 3 + 0) / 3,
            "precision of cat": 2 / 3,
            "recall of cat": 2 / 3,
            "F1 of cat": 2 / 3,
            "precision of dog": 1,
            "recall of dog": 1 / 2,
            "F1 of dog": 2 / 3,
            "precision of fish": 0,
            "recall of fish": 0,
            "F1 of fish": 0,
        }
    )


def test_a_label_that_never_occurs_is_no_part_of_the_mean() -> None:
    found = figures(LABELS, ANSWERS[:2])
    assert found["macro-F1"] == 1
    assert math.isnan(found["F1 of dog"])
    assert found["recall of cat"] == 1
    # Named but never expected: it counts, as the false alarm that it is.
    assert figures(LABELS, [*ANSWERS[:2], ("fish", "cat")])["macro-F1"] == pytest.approx(0.8 / 2)


def test_the_value_of_a_case_is_whether_it_is_right() -> None:
    assert [mark(LABELS, *pair).value for pair in ANSWERS] == [1, 1, 0, 1, 0, 0]
    assert mark(LABELS, "cat", "horse") == (
        None,
        "the expected answer 'horse' is none of the labels",
    )


def test_few_cases_of_a_label_are_told() -> None:
    [said] = built(LABELS).limits(sums(LABELS, ANSWERS * 4))
    assert said.startswith("labels that fewer than 10 cases expect: 'dog' (8), 'fish' (4); ")
    assert built(LABELS).limits(sums(LABELS, ANSWERS * 10)) == ()


ENGLISH = [
    ("The cat sat on the mat.", "The cat is sitting on the mat."),
    ("There is a dog in the garden today", "A dog is in the garden today."),
    ("It rains all day, they say.", "They say it rains all day."),
]


@pytest.mark.parametrize(
    ("entry", "library"),
    [
        ("corpus_bleu", BLEU()),
        ({"corpus_bleu": {"lowercase": True}}, BLEU(lowercase=True)),
        ({"corpus_bleu": {"tokenizer": "char"}}, BLEU(tokenize="char")),
        ("corpus_chrf", CHRF()),
        ({"corpus_chrf": {"words": 2}}, CHRF(word_order=2)),
    ],
)
def test_corpus_figures_are_those_of_sacrebleu(entry: Entry, library: BLEU | CHRF) -> None:
    answers, expected = (list(each) for each in zip(*ENGLISH, strict=True))
    wanted = library.corpus_score(answers, [expected]).score / 100
    found = figures(entry, ENGLISH)
    assert next(iter(found.values())) == pytest.approx(wanted)


TEXTS = st.lists(
    st.sampled_from(["the", "cat", "sat", "on", "a", "mat", ".", ","]), min_size=4, max_size=9
).map(" ".join)


@settings(deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6))
def test_corpus_figures_of_any_texts(pairs: list[tuple[str, str]]) -> None:
    answers, expected = (list(each) for each in zip(*pairs, strict=True))
    smooth = BLEU(smooth_method="none").corpus_score(answers, [expected]).score / 100
    assert figures("corpus_bleu", pairs)["corpus BLEU"] == pytest.approx(smooth)
    wanted = CHRF().corpus_score(answers, [expected]).score / 100
    assert figures("corpus_chrf", pairs)["corpus chrF"] == pytest.approx(wanted)


def test_details_of_bleu_are_its_factors() -> None:
    found = figures("corpus_bleu", ENGLISH)
    precisions = [found[f"precision of {n}-grams"] for n in (1, 2, 3, 4)]
    product = math.prod(precisions) ** 0.25 * found["brevity penalty"]
    assert found["corpus BLEU"] == pytest.approx(product)
    short = figures("corpus_bleu", [("the cat sat on", "the cat sat on the mat")])
    assert short["brevity penalty"] == pytest.approx(math.exp(1 - 6 / 4))


def test_nothing_that_matches_is_nothing() -> None:
    for entry in ("corpus_bleu", "corpus_chrf"):
        assert next(iter(figures(entry, [("xyz", "abc"), ("", "abc")]).values())) == 0
    [said] = built("corpus_bleu").limits(sums("corpus_bleu", ENGLISH))
    assert said == "2 matching 4-grams in a whole run: corpus BLEU hinges on single ones"


@pytest.mark.parametrize("entry", [LABELS, "corpus_bleu", "corpus_chrf"])
def test_answers_worth_nothing_lower_the_figure(entry: Entry) -> None:
    pairs = ANSWERS if entry == LABELS else ENGLISH
    metric, found = built(entry), rows(entry, pairs)
    figure = next(iter(metric.figures().values()))
    for place, pair in enumerate(pairs):
        changed = found.copy()
        changed[place] = metric.missed(found[place])
        if mark(entry, *pair).value:  # no answer can be better than one that names a wrong label
            assert figure(changed.sum(axis=0)) < figure(found.sum(axis=0))
    assert float(figure(metric.missed(found).sum(axis=0))) == 0


def test_sentence_scores_are_those_of_sacrebleu() -> None:
    answer, expected = ENGLISH[1]
    wanted = BLEU(effective_order=True).sentence_score(answer, [expected]).score / 100
    assert mark("bleu", answer, expected).value == pytest.approx(wanted)
    assert mark("corpus_bleu", answer, expected).value == pytest.approx(wanted)
    wanted = CHRF().sentence_score(answer, [expected]).score / 100
    assert mark("chrf", answer, expected).value == pytest.approx(wanted)
    assert mark("bleu", expected, expected).value == 1
    assert mark("bleu", answer).value is None
    assert mark("chrf", "b", ["a", "b"]).value == 1


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"bleu": {"tokenizer": "ja-mecab"}}, "one of 13a, char, intl, none, zh, got 'ja-mecab'"),
        ({"chrf": {"words": -1}}, "words must be 0 or more, got -1"),
        ({"macro_f1": {"labels": ["a"]}}, "at least two"),
    ],
)
def test_wrong_settings_are_told(entry: Entry, sentence: str) -> None:
    with pytest.raises(StudyError, match=sentence):
        registry.build(entry)


def test_only_whole_run_metrics_have_figures() -> None:
    metrics = [registry.build(entry) for entry in ("exact_match", "corpus_chrf", LABELS)]
    assert [*whole(metrics)] == ["corpus_chrf", "macro_f1"]
