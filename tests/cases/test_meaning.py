"""Paraphrases among what teaches, found by the embedded encoder itself."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tuneornot.cases import overlap
from tuneornot.cases.searches import Meaning, Terms
from tuneornot.models.embedding import EMBEDDED, Embedding
from tuneornot.records import Case
from tuneornot.study.meaning import MeaningPlan

BY_HAND = Path(__file__).parents[2] / "benchmarks" / "overlap" / "paraphrases.csv"
PLAN = MeaningPlan(embed=EMBEDDED)


@pytest.fixture(scope="module")
def terms() -> Terms:
    embedding = Embedding(EMBEDDED, Path())
    return Terms(meaning=Meaning(embedding, embedding.identity, PLAN.bound))


def column(name: str) -> list[Case]:
    with BY_HAND.open(encoding="utf-8", newline="") as file:
        return [Case(id=str(i), input=row[name]) for i, row in enumerate(csv.DictReader(file))]


def caught(teaching: str, terms: Terms) -> set[str]:
    return {hit.other_id for hit in overlap.find(column(teaching), column("question"), terms=terms)}


def test_the_default_bound_finds_reworded_questions_and_spares_their_siblings(
    terms: Terms,
) -> None:
    # docs/concepts/cases.md: 60 of 64 are found, 8 siblings by their wording alone and 1 more.
    assert len(column("reworded")) == 64
    assert len(caught("reworded", Terms())) <= 6
    assert len(caught("reworded", terms)) >= 58
    worded = caught("sibling", Terms())
    assert worded <= caught("sibling", terms)
    assert len(caught("sibling", terms) - worded) <= 2


def test_a_reworded_question_with_another_answer_is_another_question(terms: Terms) -> None:
    asked = "Can I take ibuprofen together with aspirin?"
    again = "May ibuprofen and aspirin be taken together?"
    judged = [Case(id="e", input=asked, expected="no")]
    [hit] = overlap.find([Case(id="t", input=again, expected="no")], judged, terms=terms)
    assert (hit.kind, hit.other_id, hit.eval_id) == ("paraphrase", "t", "e")
    assert PLAN.bound <= hit.similarity < 1
    assert overlap.find([Case(id="t", input=again, expected="yes")], judged, terms=terms) == ()
