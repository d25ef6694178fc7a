from __future__ import annotations

import math
import random
from collections import Counter

import pytest

from tuneornot.records import Passage
from tuneornot.retrieval import words
from tuneornot.retrieval.bm25 import Bm25


def passages(*texts: str) -> list[Passage]:
    return [Passage(id=f"p{i}", text=text) for i, text in enumerate(texts)]


def ids(found: list[Passage]) -> list[str]:
    return [passage.id for passage in found]


def score(question: str, text: str, corpus: list[str], k1: float, b: float) -> float:
    """The formula as published, by hand."""
    split = [words.of(one) for one in corpus]
    mean = sum(map(len, split)) / len(split)
    own = words.of(text)
    total = 0.0
    for word in words.of(question):
        n_with = sum(word in one for one in split)
        idf = math.log(1 + (len(split) - n_with + 0.5) / (n_with + 0.5))
        count = Counter(own)[word]
        total += idf * count / (count + k1 * (1 - b + b * len(own) / mean))
    return total


@pytest.mark.parametrize(("k1", "b"), [(1.5, 0.75), (0.5, 0.0), (2.0, 1.0)])
def test_ranks_as_the_formula_does(k1: float, b: float) -> None:
    rng = random.Random(5)
    vocabulary = [f"w{i}" for i in range(12)]
    corpus = [" ".join(rng.choices(vocabulary, k=rng.randint(1, 9))) for _ in range(40)]
    find = Bm25(passages(*corpus), k1=k1, b=b)
    for _ in range(20):
        question = " ".join(rng.choices(vocabulary, k=3))
        truth = sorted((score(question, text, corpus, k1, b) for text in corpus), reverse=True)[:5]
        found = [score(question, one.text, corpus, k1, b) for one in find(question, 5)]
        assert found == pytest.approx([value for value in truth if value > 0], rel=1e-5)


def test_a_passage_without_a_word_of_the_question_is_not_found() -> None:
    find = Bm25(passages("anvils cost much", "drums are loud"))
    assert ids(find("What do ANVILS cost?", 4)) == ["p0"]
    assert find("zebra", 4) == []
    assert find("?!", 4) == []


def test_equal_passages_come_in_their_order() -> None:
    find = Bm25(passages("same words", "same words", "same words"))
    assert ids(find("words", 2)) == ["p0", "p1"]


def test_the_title_is_looked_at_too() -> None:
    find = Bm25([Passage(id="a", text="They are loud.", title="Drums"), *passages("Flutes")])
    assert ids(find("drums", 3)) == ["a"]


def test_knowledge_of_signs_alone_finds_nothing() -> None:
    assert Bm25(passages("...", "—"))("anything", 3) == []
