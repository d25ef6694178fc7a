"""Overlap: cases on two sides of a border that are, in effect, the same case.

``find`` looks for exact repeats, repeats after normalisation, near-duplicates, questions that
stand word for word inside a longer text of the other side, and shared groups. The left side is
gone through in blocks, so that a million rows need no more memory than some thousands beyond
themselves; which pairs to compare is found by ``sieve``, and every pair reported is then checked
in full by ``nearness``.

Not covered: meaning (a paraphrase in other words), and answers that stand in the other side's
texts without their question.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import TypeVar

import numpy as np

from tuneornot.cases import hashed, nearness
from tuneornot.cases.likeness import Near
from tuneornot.cases.nearness import Labels, Rule, Text
from tuneornot.cases.sieve import Sieve, Sifted
from tuneornot.records import Case, Overlap

BLOCK = 4000
"""Cases of the left side that are held as arrays at a time."""
SPAN_WORDS = 12
"""A question of so many words that stands whole in another text does not do so by chance."""
SPAN_LIMIT = 2000
"""Words of each text in which the span to show is looked for."""
SHOWN = 160
"""Characters of a span that are shown."""

Key = TypeVar("Key")
Hit = tuple[int, int, float]
"""Position in the block on the left, position on the right, similarity."""
Search = Callable[[Sequence[Text]], Iterator[Hit]]
"""Built for the right side; called with a block of the left one."""


def find(
    left: Sequence[Case],
    right: Sequence[Case],
    *,
    names: tuple[str, str] = ("train", "eval"),
    near: Near = Near(),  # noqa: B008 - immutable
) -> tuple[Overlap, ...]:
    """Cases of the left side that repeat one of the right side.

    Args:
        left: the side that teaches (train, dev, demonstrations).
        right: the side that judges.
        names: of the two sides, as the records name them.
        near: bounds of the near-duplicate rule.

    Returns:
        For each offending case of the left side its strongest overlap (exact, normalised, near,
        span, group, in this order), in the order of the left side. Removing the cases named on the
        left therefore removes every overlap.
    """
    theirs = [nearness.text(case) for case in right]
    labels = Labels(theirs, left)
    rule = Rule(labels, nearness.frame([*left, *right]), near)
    searches: dict[str, Search] = {
        "exact": _Exact(theirs),
        "normalised": _Normalised(theirs),
        "near": _Near(theirs, labels, rule, near),
        "span": _Spans(theirs),
        "group": _Groups(theirs),
    }
    told: list[Overlap] = []
    for start in range(0, len(left), BLOCK):
        ours = [nearness.text(case) for case in left[start : start + BLOCK]]
        found: dict[int, Overlap] = {}
        for kind, search in searches.items():
            rest = [position for position in range(len(ours)) if position not in found]
            for place, other, similarity in search([ours[position] for position in rest]):
                one, two = ours[rest[place]], theirs[other]
                span = one.case.group if kind == "group" else _span(one, two)
                found[rest[place]] = Overlap(
                    kind=kind,  # type: ignore[arg-type]
                    eval_id=two.case.id,
                    eval_set=names[1],
                    other_id=one.case.id,
                    other_set=names[0],
                    similarity=round(similarity, 4),
                    span=span or "",
                )
        told += [found[position] for position in sorted(found)]
    return tuple(told)


class _Exact:
    def __init__(self, theirs: Sequence[Text]) -> None:
        self._first = _first((two.case.input, two.case.context) for two in theirs)

    def __call__(self, ours: Sequence[Text]) -> Iterator[Hit]:
        for position, one in enumerate(ours):
            number = self._first.get((one.case.input, one.case.context))
            if number is not None:
                yield position, number, 1.0


class _Normalised:
    def __init__(self, theirs: Sequence[Text]) -> None:
        self._first = _first((two.asked, two.context) for two in theirs)

    def __call__(self, ours: Sequence[Text]) -> Iterator[Hit]:
        for position, one in enumerate(ours):
            number = self._first.get((one.asked, one.context))
            if number is not None and one.whole:
                yield position, number, 1.0


class _Groups:
    def __init__(self, theirs: Sequence[Text]) -> None:
        self._first = _first(two.case.group for two in theirs)

    def __call__(self, ours: Sequence[Text]) -> Iterator[Hit]:
        for position, one in enumerate(ours):
            number = self._first.get(one.case.group) if one.case.group else None
            if number is not None:
                yield position, number, 1.0


class _Near:
    def __init__(self, theirs: Sequence[Text], labels: Labels, rule: Rule, near: Near) -> None:
        self._theirs = theirs
        self._labels = labels
        self._rule = rule
        self._sieve = Sieve([self._sifted(two) for two in theirs], labels.common, near)

    def __call__(self, ours: Sequence[Text]) -> Iterator[Hit]:
        pairs = self._sieve.pairs([self._sifted(one) for one in ours])
        best: dict[int, Hit] = {}
        for position, number in sorted(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)):
            similarity = self._rule(ours[position], self._theirs[number])
            if similarity is not None and similarity > best.get(position, (0, 0, 0.0))[2]:
                best[position] = (position, number, similarity)
        yield from best.values()

    def _sifted(self, one: Text) -> Sifted:
        answer, prose = self._labels.number(one), nearness.prose(one)
        return Sifted(one.asked, one.context, one.whole, answer, prose)


class _Spans:
    """Questions of the right side that stand whole inside a text of the left side."""

    def __init__(self, theirs: Sequence[Text]) -> None:
        self._theirs = theirs
        repeated = Counter(two.asked for two in theirs)
        openings = [" ".join(two.asked.split()[:SPAN_WORDS]) for two in theirs]
        runs = hashed.word_runs(hashed.words(openings), SPAN_WORDS)
        self._index: dict[int, list[int]] = defaultdict(list)
        for number, opening in zip(runs.rows.tolist(), runs.hashes.tolist(), strict=True):
            if repeated[theirs[number].asked] == 1:
                self._index[opening].append(number)
        self._known = np.array(sorted(self._index), np.uint64)

    def __call__(self, ours: Sequence[Text]) -> Iterator[Hit]:
        if not len(self._known):
            return
        runs = hashed.word_runs(hashed.words([one.whole for one in ours]), SPAN_WORDS)
        at = np.flatnonzero(np.isin(runs.hashes, self._known))
        hits: dict[int, set[int]] = defaultdict(set)
        for position, opening in zip(runs.rows[at].tolist(), runs.hashes[at].tolist(), strict=True):
            hits[position] |= set(self._index[opening])
        for position, numbers in hits.items():
            whole = f" {ours[position].whole} "
            for number in sorted(numbers):
                if f" {self._theirs[number].asked} " in whole:
                    yield position, number, 1.0
                    break


def _first(keys: Iterator[Key]) -> dict[Key, int]:
    """By key the first position that has it."""
    found: dict[Key, int] = {}
    for position, key in enumerate(keys):
        found.setdefault(key, position)
    return found


def _span(one: Text, two: Text) -> str:
    """The longest run of words that both questions have, cut to a readable length."""
    ours, theirs = (text.whole.split()[:SPAN_LIMIT] for text in (one, two))
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False)
    longest = blocks.find_longest_match(0, len(ours), 0, len(theirs))
    span = " ".join(ours[longest.a : longest.a + longest.size])
    return span if len(span) <= SHOWN else span[: SHOWN - 3] + "..."
