from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tuneornot.cases import hashed, nearness
from tuneornot.cases.likeness import Near, normalised, repeats, shingles
from tuneornot.cases.nearness import Labels, Text
from tuneornot.cases.sieve import Sieve, Sifted
from tuneornot.records import Case

WORDS = "the a of parcel invoice 12 13 return wednesday appointment colour it is where"
TEXTS = st.lists(st.text(max_size=30).map(normalised), min_size=1, max_size=6)


@given(TEXTS)
def test_many_texts_have_the_shingles_that_each_has(texts: list[str]) -> None:
    found = hashed.distinct(hashed.shingled(texts))
    for row, text in enumerate(texts):
        assert found.hashes[found.rows == row].tolist() == shingles(text).tolist()


@given(TEXTS, st.integers(1, 5))
def test_runs_of_words_do_not_cross_from_text_to_text(texts: list[str], length: int) -> None:
    found = hashed.word_runs(hashed.words(texts), length)
    lengths = [max(len(text.split()) - length + 1, 0) for text in texts]
    assert np.bincount(found.rows, minlength=len(texts)).tolist() == lengths
    alone = hashed.word_runs(hashed.words(texts[-1:]), length)
    assert found.hashes[found.rows == len(texts) - 1].tolist() == alone.hashes.tolist()


def varied(seed: int) -> list[Case]:
    """Cases that are alike in every way that the rule tells apart."""
    rng = random.Random(seed)
    words = WORDS.split()
    answers: list[str | None] = [None, "yes", "x1", "x2", "one two three four five six seven eight"]
    cases: list[Case] = []
    for i in range(120):
        own = [rng.choice(words) for _ in range(rng.choice([1, 2, 5, 7, 12, 45]))]
        text = " ".join(own)
        if rng.random() < 0.7 and cases:
            text = cases[rng.randrange(len(cases))].text
            for _ in range(rng.choice([0, 1])):
                place = rng.randrange(len(text))
                text = text[:place] + rng.choice("abc 7") + text[place + rng.randint(0, 1) :]
        context = rng.choice(["one document about it", "one document about itt"])
        cases.append(Case(id=str(i), input=text, expected=rng.choice(answers), context=context))
    return cases


def test_the_sieve_passes_over_no_pair_that_the_rule_takes_for_a_repeat() -> None:
    """Against the rule on every pair; only short texts with many typos may be missed."""
    n_repeats, n_missed = 0, 0
    for seed in range(4):
        left, right = varied(seed), varied(seed)[::2]
        ours = [nearness.text(case) for case in left]
        theirs = [nearness.text(case) for case in right]
        labels = Labels(theirs, left)

        def sifted(one: Text, labels: Labels = labels) -> Sifted:
            answer, prose = labels.number(one), nearness.prose(one)
            return Sifted(one.asked, one.context, one.whole, answer, prose)

        sieve = Sieve([sifted(two) for two in theirs], labels.common, Near())
        pairs = sieve.pairs([sifted(one) for one in ours])
        passed = set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
        rule = nearness.Rule(labels, nearness.frame([]), Near())
        for i, one in enumerate(ours):
            for j, two in enumerate(theirs):
                if rule(one, two) is not None:
                    n_repeats += 1
                    n_missed += (i, j) not in passed
        assert len(passed) < len(ours) * len(theirs) / 3
    assert n_repeats > 400
    assert n_missed <= 0.02 * n_repeats


def test_what_is_refused_after_the_look_up_is_refused_by_the_rule_too() -> None:
    """The second step never passes over a repeat: every pair that shares its shingles is tried."""
    for seed in range(10, 14):
        left, right = varied(seed), varied(seed)[::2]
        ours = [nearness.text(case) for case in left]
        theirs = [nearness.text(case) for case in right]
        labels = Labels(theirs, left)

        def sifted(one: Text, labels: Labels = labels) -> Sifted:
            # Without contexts, so that the rule for questions can be asked alone.
            return Sifted(one.asked, "", one.asked, labels.number(one), nearness.prose(one))

        sieve = Sieve([sifted(two) for two in theirs], labels.common, Near())
        pairs = sieve.pairs([sifted(one) for one in ours])
        passed = set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
        for i, one in enumerate(ours):
            for j, two in enumerate(theirs):
                known, asked = shingles(two.asked), shingles(one.asked)
                looked_up = len(known) <= 16 and 0.3 * len(known) <= np.isin(known, asked).sum()
                if looked_up and repeats(one.asked, two.asked, labels.between(one, two), Near()):
                    assert (i, j) in passed, (one.asked, two.asked)
