"""The near-duplicate rule applied to cases: with contexts, labels and frames.

``likeness`` says when two questions repeat each other; this adds what only all cases together can
tell: which answers are labels that agree by chance, and which words are a frame around every
question. It does not look for pairs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import Levenshtein

from tuneornot.cases import hashed
from tuneornot.cases.likeness import Answers, Hashes, Near, normalised, repeats
from tuneornot.records import Case

FRAME_WORDS = 8
FRAME_CASES = 5
FRAME_SHARE = 0.02
"""Runs of so many words that stand in so many different questions are a frame around questions
(fixed instructions, a template): having it in common says nothing."""
FRAME_SAMPLE = 20_000
"""Questions in which frames are looked for: a frame shows in a sample too."""
COMMON_ANSWERS = 3
COMMON_SHARE = 0.002
"""An answer that more cases than this have is a label; agreeing on it is weak evidence."""
PROSE_WORDS = 8
"""Answers of so many words are prose: two different ones may answer one question."""


class Text(NamedTuple):
    """A case as it is compared: normalised."""

    case: Case
    asked: str
    context: str
    answer: str | None

    @property
    def whole(self) -> str:
        """The question with its context."""
        return f"{self.asked} {self.context}" if self.context else self.asked


def text(case: Case) -> Text:
    """A case as it is compared."""
    return Text(case, normalised(case.text), normalised(case.context or ""), answer(case))


def answer(case: Case) -> str | None:
    """The right answer as it is compared; ``None`` where none is known."""
    return None if case.expected is None else normalised(case.answer)


class Labels:
    """The answers of the right side: a number for each, and which of them are labels.

    Args:
        theirs: the right side.
        left: all cases of the left side.
    """

    def __init__(self, theirs: Sequence[Text], left: Sequence[Case]) -> None:
        known = Counter(two.answer for two in theirs if two.answer is not None)
        for case in left:
            said = answer(case)
            if said is not None and said in known:
                known[said] += 1
        self._numbers = {said: number for number, said in enumerate(known)}
        many = max(COMMON_ANSWERS, COMMON_SHARE * (len(theirs) + len(left)))
        self.common = np.array([n > many for n in known.values()], bool)

    def number(self, one: Text) -> int:
        """Of the answer; -1 for one that the right side does not have, -2 where none is known."""
        return -2 if one.answer is None else self._numbers.get(one.answer, -1)

    def between(self, one: Text, two: Text) -> Answers:
        """How the right answers of two cases stand to each other."""
        if one.answer is None or two.answer is None:
            return "common"
        if one.answer != two.answer:
            return "prose" if prose(one) and prose(two) else "differ"
        return "common" if self.common[self._numbers[one.answer]] else "told"


def prose(one: Text) -> bool:
    """Whether the right answer is prose."""
    return one.answer is not None and len(one.answer.split()) >= PROSE_WORDS


class Rule:
    """The near-duplicate rule for one pair of sides."""

    def __init__(self, labels: Labels, frame: Hashes, near: Near) -> None:
        self._labels = labels
        self._frame = frame
        self._near = near

    def __call__(self, one: Text, two: Text) -> float | None:
        """The similarity of two cases if one repeats the other, else ``None``."""
        answers = self._labels.between(one, two)
        if one.asked == two.asked:
            # The same words about another text are another question, unless the answer gives away
            # that the texts hold the same fact.
            if answers == "told" and len(one.asked.split()) >= self._near.one_word:
                return 1.0
            return repeats(one.context, two.context, answers, self._near)
        elsewhere = one.context and two.context and one.context != two.context
        if elsewhere and repeats(one.context, two.context, "common", self._near) is None:
            return None
        similarity = repeats(one.asked, two.asked, answers, self._near)
        if similarity is None or not len(self._frame):
            return similarity
        inner = self._inside(one.asked, two.asked)
        return repeats(*inner, answers, self._near) if inner[0] and inner[1] else None

    def _inside(self, left: str, right: str) -> tuple[str, str]:
        """Two questions without the words of a frame that both have in the same place."""
        ours, theirs = left.split(), right.split()
        framed = [hashed.covered(side, self._frame, FRAME_WORDS) for side in (left, right)]
        keep = [np.ones(len(ours), bool), np.ones(len(theirs), bool)]
        for block in Levenshtein.opcodes(ours, theirs):
            if block.tag == "equal":
                a, b = (
                    slice(block.src_start, block.src_end),
                    slice(block.dest_start, block.dest_end),
                )
                both = framed[0][a] & framed[1][b]
                keep[0][a], keep[1][b] = ~both, ~both
        return (
            " ".join(word for word, kept in zip(ours, keep[0], strict=True) if kept),
            " ".join(word for word, kept in zip(theirs, keep[1], strict=True) if kept),
        )


def frame(cases: Sequence[Case]) -> Hashes:
    """Sorted hashes of the runs of words that stand in many of the different questions."""
    sampled = _different(cases[:: max(1, len(cases) // FRAME_SAMPLE)])
    found = hashed.distinct(hashed.word_runs(hashed.words(sampled), FRAME_WORDS))
    known, counts = np.unique(found.hashes, return_counts=True)
    return known[counts > max(FRAME_CASES, FRAME_SHARE * len(sampled))]


def _different(cases: Iterable[Case]) -> list[str]:
    return [*dict.fromkeys(normalised(case.text) for case in cases)]
