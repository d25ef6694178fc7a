"""Overlap: cases on two sides of a border that are, in effect, the same case.

``find`` looks for exact repeats, repeats after normalisation, near-duplicates, questions that
stand word for word inside a longer text of the other side, and shared groups. Which pairs to
compare is found by an inverted index over the rarest shingles of each question, so that 100,000
by 10,000 cases remain a matter of minutes; every pair reported is then checked in full. The index
asks for three tenths of a question's rarest shingles in common, which every repeat that the rule
in ``likeness`` knows has, but for very short texts with several typos.

Not covered: meaning (a paraphrase in other words), and answers that stand in the other side's
texts without their question.
"""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse
from rapidfuzz.distance import Levenshtein

from tuneornot.cases.likeness import Answers, Hashes, Near, normalised, repeats, runs, shingles
from tuneornot.records import Case, Overlap

RAREST = 32
"""Shingles by which a question is looked up, plus an eighth of all that it has."""
IN_COMMON = 0.3
CHUNK = 2000
"""Cases of the left side that are held as shingles at a time."""
SPAN_WORDS = 12
"""A question of so many words that stands whole in another text does not do so by chance."""
FRAME_WORDS = 8
FRAME_CASES = 5
FRAME_SHARE = 0.02
"""Runs of so many words that stand in so many different questions are a frame around questions
(fixed instructions, a template): having it in common says nothing."""
COMMON_ANSWERS = 3
COMMON_SHARE = 0.002
"""An answer that more cases than this have is a label; agreeing on it is weak evidence."""
PROSE_WORDS = 8
"""Answers of so many words are prose: two different ones may answer one question."""
SPAN_LIMIT = 2000
"""Words of each text in which the span to show is looked for."""
SHOWN = 160
"""Characters of a span that are shown."""


class _Text(NamedTuple):
    """A case as it is compared."""

    case: Case
    asked: str
    context: str
    answer: str | None

    @property
    def whole(self) -> str:
        return f"{self.asked} {self.context}" if self.context else self.asked


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
    ours, theirs = [_text(case) for case in left], [_text(case) for case in right]
    found: dict[int, Overlap] = {}
    for search in (_exact, _normalised, functools.partial(_near, near=near), _spans, _groups):
        rest = [position for position in range(len(ours)) if position not in found]
        for position, other, similarity, kind in search([ours[p] for p in rest], theirs):
            one, two = ours[rest[position]], theirs[other]
            span = one.case.group if kind == "group" else _span(one, two)
            found[rest[position]] = Overlap(
                kind=kind,  # type: ignore[arg-type]
                eval_id=two.case.id,
                eval_set=names[1],
                other_id=one.case.id,
                other_set=names[0],
                similarity=round(similarity, 4),
                span=span or "",
            )
    return tuple(found[position] for position in sorted(found))


Hit = tuple[int, int, float, str]
"""Position on the left, position on the right, similarity, kind."""


def _text(case: Case) -> _Text:
    answer = None if case.expected is None else normalised(case.answer)
    return _Text(case, normalised(case.text), normalised(case.context or ""), answer)


def _exact(ours: Sequence[_Text], theirs: Sequence[_Text]) -> Iterator[Hit]:
    first = {two.case.question: number for number, two in reversed(list(enumerate(theirs)))}
    for position, one in enumerate(ours):
        if one.case.question in first:
            yield position, first[one.case.question], 1.0, "exact"


def _normalised(ours: Sequence[_Text], theirs: Sequence[_Text]) -> Iterator[Hit]:
    first = {(two.asked, two.context): k for k, two in reversed(list(enumerate(theirs)))}
    for position, one in enumerate(ours):
        if (one.asked, one.context) in first and one.whole:
            yield position, first[one.asked, one.context], 1.0, "normalised"


def _groups(ours: Sequence[_Text], theirs: Sequence[_Text]) -> Iterator[Hit]:
    first = {two.case.group: k for k, two in reversed(list(enumerate(theirs))) if two.case.group}
    for position, one in enumerate(ours):
        if one.case.group in first:
            yield position, first[one.case.group], 1.0, "group"


def _spans(ours: Sequence[_Text], theirs: Sequence[_Text]) -> Iterator[Hit]:
    """Questions of the right side that stand whole inside a text of the left side."""
    repeated = Counter(two.asked for two in theirs)
    index: dict[int, list[int]] = defaultdict(list)
    for number, two in enumerate(theirs):
        opening = runs(_words(two.asked)[:SPAN_WORDS], SPAN_WORDS)
        if len(opening) and repeated[two.asked] == 1:
            index[int(opening[0])].append(number)
    known = np.array(sorted(index), np.uint64)
    for position, one in enumerate(ours):
        hits = np.intersect1d(runs(_words(one.whole), SPAN_WORDS), known)
        whole = f" {one.whole} "
        for number in sorted(number for hit in hits for number in index[int(hit)]):
            if f" {theirs[number].asked} " in whole:
                yield position, number, 1.0, "span"
                break


def _near(ours: Sequence[_Text], theirs: Sequence[_Text], *, near: Near) -> Iterator[Hit]:
    judge = _Judge(ours, theirs, near)
    best: dict[int, Hit] = {}
    for position, number in _candidates([one.whole for one in ours], [t.whole for t in theirs]):
        similarity = judge(ours[position], theirs[number])
        if similarity is not None and similarity > best.get(position, (0, 0, 0.0, ""))[2]:
            best[position] = (position, number, similarity, "near")
    yield from (best[position] for position in sorted(best))


class _Judge:
    """The near-duplicate rule, with what it must know of all cases: labels and frames."""

    def __init__(self, ours: Sequence[_Text], theirs: Sequence[_Text], near: Near) -> None:
        self.near = near
        self.n_with = Counter(text.answer for text in (*ours, *theirs))
        self.label_from = max(COMMON_ANSWERS, COMMON_SHARE * (len(ours) + len(theirs)))
        self.frame = _frame([*dict.fromkeys(text.asked for text in (*ours, *theirs))])

    def __call__(self, one: _Text, two: _Text) -> float | None:
        """The similarity of two cases if one repeats the other, else ``None``."""
        answers = self.answers(one, two)
        if one.asked == two.asked:
            # The same words about another text are another question, unless the answer gives away
            # that the texts hold the same fact.
            if answers == "told" and len(one.asked.split()) >= self.near.one_word:
                return 1.0
            return repeats(one.context, two.context, answers, self.near)
        elsewhere = one.context and two.context and one.context != two.context
        if elsewhere and repeats(one.context, two.context, "common", self.near) is None:
            return None
        similarity = repeats(one.asked, two.asked, answers, self.near)
        if similarity is None or not len(self.frame):
            return similarity
        inner = self._inside(one.asked, two.asked)
        return repeats(*inner, answers, self.near) if inner[0] and inner[1] else None

    def answers(self, one: _Text, two: _Text) -> Answers:
        if one.answer is None or two.answer is None:
            return "common"
        if one.answer != two.answer:
            shorter = min(len(one.answer.split()), len(two.answer.split()))
            return "prose" if shorter >= PROSE_WORDS else "differ"
        return "common" if self.n_with[one.answer] > self.label_from else "told"

    def _inside(self, left: str, right: str) -> tuple[str, str]:
        """Two questions without the words of a frame that both have in the same place."""
        ours, theirs = left.split(), right.split()
        framed = [_covered(words, self.frame) for words in (ours, theirs)]
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


def _words(text: str) -> Hashes:
    """A hash for each word, in order."""
    return np.array([hash(word) for word in text.split()], np.int64).view(np.uint64)


def _frame(asked: Sequence[str]) -> Hashes:
    """Sorted hashes of the runs of words that stand in many of the different questions."""
    step = max(1, len(asked) // 20_000)  # a frame shows in a sample too
    sampled = asked[::step]
    seen = [np.unique(runs(_words(text), FRAME_WORDS)) for text in sampled]
    known, counts = np.unique(np.concatenate([*seen, np.empty(0, np.uint64)]), return_counts=True)
    return known[counts > max(FRAME_CASES, FRAME_SHARE * len(sampled))]


def _covered(words: Sequence[str], frame: Hashes) -> npt.NDArray[np.bool_]:
    """For each word, whether it lies in a run that belongs to the frame."""
    mask = np.zeros(len(words), bool)
    for start in np.flatnonzero(np.isin(runs(_words(" ".join(words)), FRAME_WORDS), frame)):
        mask[start : start + FRAME_WORDS] = True
    return mask


def _candidates(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs that share enough of the right text's rarest shingles to be worth a full check."""
    chosen = _rarest([shingles(text) for text in theirs])
    vocabulary = np.unique(np.concatenate([*chosen, np.empty(0, np.uint64)]))
    keys = _table(chosen, vocabulary)
    needed = IN_COMMON * np.array([len(own) for own in chosen])
    for start in range(0, len(ours), CHUNK):
        chunk = [shingles(text) for text in ours[start : start + CHUNK]]
        shared = (_table(chunk, vocabulary) @ keys.T).tocoo()
        enough = shared.data >= needed[shared.col]
        pairs = zip(shared.row[enough], shared.col[enough], strict=True)
        yield from sorted((start + int(row), int(col)) for row, col in pairs)


def _rarest(texts: Sequence[Hashes]) -> list[Hashes]:
    """Of each text the shingles that the fewest of the texts have."""
    known, counts = np.unique(np.concatenate([*texts, np.empty(0, np.uint64)]), return_counts=True)
    chosen = []
    for own in texts:
        order = np.argsort(counts[np.searchsorted(known, own)], kind="stable")
        chosen.append(own[order[: RAREST + len(own) // 8]])
    return chosen


def _table(texts: Sequence[Hashes], vocabulary: Hashes) -> scipy.sparse.csr_matrix:
    """Which text has which shingle of the vocabulary; (len(texts), len(vocabulary)), 0 or 1."""
    columns = []
    for own in texts:
        places = np.searchsorted(vocabulary, own)
        places[places == len(vocabulary)] = 0
        columns.append(places[vocabulary[places] == own] if len(vocabulary) else places[:0])
    starts = np.cumsum([0, *(len(own) for own in columns)])
    places = np.concatenate([*columns, np.empty(0, np.int64)])
    shape = (len(texts), len(vocabulary))
    return scipy.sparse.csr_matrix((np.ones(len(places), np.int32), places, starts), shape=shape)


def _span(one: _Text, two: _Text) -> str:
    """The longest run of words that both questions have, cut to a readable length."""
    ours, theirs = (text.whole.split()[:SPAN_LIMIT] for text in (one, two))
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False)
    longest = blocks.find_longest_match(0, len(ours), 0, len(theirs))
    span = " ".join(ours[longest.a : longest.a + longest.size])
    return span if len(span) <= SHOWN else span[: SHOWN - 3] + "..."
