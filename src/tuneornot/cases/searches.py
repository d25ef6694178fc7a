"""The searches for overlap, one class for each kind, from the surest to the weakest.

Each is built once for the right side and then called with blocks of the left side. For each text of
a block it gives at most one pair, the strongest of its kind that a person has not ruled to be no
leak. What a pair is taken for is said in ``docs/concepts/cases.md``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from tuneornot import fingerprint
from tuneornot.cases import hashed, nearness
from tuneornot.cases.likeness import Hashes, Near, numbers
from tuneornot.cases.nearness import Labels, Rule, Text
from tuneornot.cases.sieve import Sieve, Sifted
from tuneornot.records import Case

SPAN_WORDS = 12
"""A question of so many words that stands whole in another text does not do so by chance."""
QUOTE_WORDS = 13
"""A run of so many words in common is worth looking at, as it is for the makers of models."""
QUOTE_SHARE = 0.5
"""The least share of a question that such runs must cover together."""
WIDESPREAD_QUOTE = 5
"""A run that more cases of the right side have is boilerplate."""
ALIKE_BLOCK = 500
"""Rows of the left side whose meaning is compared at a time: 20 MB against 10,000."""

Key = TypeVar("Key")
Hit = tuple[int, int, float]
"""Position in the block on the left, position on the right, similarity."""
Search = Callable[[Sequence[Text]], Iterator[Hit]]
Floats = npt.NDArray[np.float32]


class Meaning(NamedTuple):
    """What tells how alike two texts are in meaning: an embedding, and from where on it counts."""

    embed: Callable[[Sequence[str]], Floats]
    """Texts to vectors, (n, d); they need not be of length 1."""
    identity: str
    """Changes when the embedding does."""
    bound: float
    """The least cosine of a paraphrase."""


class Terms(NamedTuple):
    """On what terms cases are compared."""

    near: Near = Near()
    passed: frozenset[str] = frozenset()
    """Pairs, as ``pair`` names them, that a person has ruled to be no leak."""
    meaning: Meaning | None = None
    """Without it nobody looks for paraphrases."""


def pair(one: Case, two: Case) -> str:
    """The name of a pair of questions, whatever their ids: a changed question is another pair."""
    return fingerprint.of([one.question, two.question])[:12]


class _Rulings:
    """Whether a person let a pair pass; costs nothing where there are no rulings."""

    def __init__(self, passed: frozenset[str]) -> None:
        self._passed = passed

    def allow(self, one: Text, two: Text) -> bool:
        return bool(self._passed) and pair(one.case, two.case) in self._passed


class Same:
    """Texts that have the same key: exact and normalised repeats, and groups.

    Args:
        theirs: the right side.
        key: of a text; ``None`` for one that has none.
        passed: the pairs that are let pass.
    """

    def __init__(
        self, theirs: Sequence[Text], key: Callable[[Text], Key | None], passed: frozenset[str]
    ) -> None:
        self._theirs = theirs
        self._key = key
        self._rulings = _Rulings(passed)
        self._index: dict[Key, list[int]] = defaultdict(list)
        for number, two in enumerate(theirs):
            own = key(two)
            if own is not None:
                self._index[own].append(number)

    def __call__(self, ours: Sequence[Text]) -> Iterator[Hit]:
        """See ``Search``."""
        for position, one in enumerate(ours):
            own = self._key(one)
            for number in self._index.get(own, ()) if own is not None else ():
                if not self._rulings.allow(one, self._theirs[number]):
                    yield position, number, 1.0
                    break


class NearRepeats:
    """Questions that are nearly the same, by ``nearness``."""

    def __init__(self, theirs: Sequence[Text], labels: Labels, rule: Rule, terms: Terms) -> None:
        self._theirs = theirs
        self._labels = labels
        self._rule = rule
        self._rulings = _Rulings(terms.passed)
        self._sieve = Sieve([self._sifted(two) for two in theirs], labels.common, terms.near)

    def __call__(self, ours: Sequence[Text]) -> Iterator[Hit]:
        """See ``Search``."""
        pairs = self._sieve.pairs([self._sifted(one) for one in ours])
        best: dict[int, Hit] = {}
        for position, number in sorted(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)):
            one, two = ours[position], self._theirs[number]
            similarity = self._rule(one, two)
            if similarity is None or self._rulings.allow(one, two):
                continue
            if similarity > best.get(position, (0, 0, 0.0))[2]:
                best[position] = (position, number, similarity)
        yield from best.values()

    def _sifted(self, one: Text) -> Sifted:
        answer, prose = self._labels.number(one), nearness.prose(one)
        return Sifted(one.asked, one.context, one.whole, answer, prose)


class Spans:
    """Questions of the right side that stand whole inside a text of the left side."""

    def __init__(self, theirs: Sequence[Text], passed: frozenset[str]) -> None:
        self._theirs = theirs
        self._rulings = _Rulings(passed)
        repeated = Counter(two.asked for two in theirs)
        openings = [" ".join(two.asked.split()[:SPAN_WORDS]) for two in theirs]
        alone = [
            op if repeated[two.asked] == 1 else "" for op, two in zip(openings, theirs, strict=True)
        ]
        self._runs = _Runs(alone, SPAN_WORDS, most=len(theirs))

    def __call__(self, ours: Sequence[Text]) -> Iterator[Hit]:
        """See ``Search``."""
        for position, likely in self._runs.shared([one.whole for one in ours]).items():
            whole = f" {ours[position].whole} "
            for number in sorted(likely):
                two = self._theirs[number]
                if f" {two.asked} " in whole and not self._rulings.allow(ours[position], two):
                    yield position, number, 1.0
                    break


class Quotes:
    """Long runs of words of a question that stand in a text of the left side or its answer.

    Only where the right answers agree or none is known: with another answer, in prose too, it is
    what was changed that was asked about. What lies in a frame does not count. Runs of answers are
    not looked for: queries and forms of one schema share most of theirs.
    """

    def __init__(
        self, theirs: Sequence[Text], labels: Labels, frame: Hashes, passed: frozenset[str]
    ) -> None:
        self._theirs = theirs
        self._labels = labels
        self._frame = frame
        self._rulings = _Rulings(passed)
        self._runs = _Runs([two.asked for two in theirs], QUOTE_WORDS, most=WIDESPREAD_QUOTE)

    def __call__(self, ours: Sequence[Text]) -> Iterator[Hit]:
        """See ``Search``."""
        texts = [f"{one.whole} \0 {one.answer or ''}" for one in ours]
        for position, likely in self._runs.shared(texts).items():
            one, whole = ours[position], texts[position]
            shares = [(-self._share(one, whole, self._theirs[k]), k) for k in likely]
            for share, number in sorted(shares):
                two = self._theirs[number]
                if -share >= QUOTE_SHARE and not self._rulings.allow(one, two):
                    yield position, number, -share
                    break

    def _share(self, one: Text, whole: str, two: Text) -> float:
        """The share of the question that is quoted, without what lies in a frame."""
        if self._labels.between(one, two) in ("prose", "differ"):
            return 0.0
        runs = hashed.word_runs(hashed.words([whole]), QUOTE_WORDS).hashes
        quoted = hashed.covered(two.asked, runs, QUOTE_WORDS)
        framed = hashed.covered(two.asked, self._frame, nearness.FRAME_WORDS)
        return float(np.mean(quoted & ~framed))


class Paraphrases:
    """Questions that mean the same in other words, by an embedding of the user's choice.

    Only where the right answers agree, are unknown or are prose, and the numbers are the same:
    embeddings hardly see a changed number or name.
    """

    def __init__(self, theirs: Sequence[Text], labels: Labels, terms: Terms) -> None:
        self._theirs = theirs
        self._labels = labels
        self._rulings = _Rulings(terms.passed)
        self._meaning = terms.meaning
        self._vectors = self._embedded(theirs)

    def __call__(self, ours: Sequence[Text]) -> Iterator[Hit]:
        """See ``Search``."""
        for start in range(0, len(ours), ALIKE_BLOCK):
            block = ours[start : start + ALIKE_BLOCK]
            alike = self._embedded(block) @ self._vectors.T
            found: dict[int, list[tuple[float, int]]] = defaultdict(list)
            for row, number in zip(*np.nonzero(alike >= self._bound), strict=True):
                found[int(row)].append((-float(alike[row, number]), int(number)))
            for row, hits in found.items():
                for similarity, number in sorted(hits):
                    if self._counts(block[row], self._theirs[number]):
                        yield start + row, number, min(1.0, -similarity)
                        break

    @property
    def _bound(self) -> float:
        return 1.0 if self._meaning is None else self._meaning.bound

    def _embedded(self, texts: Sequence[Text]) -> Floats:
        if self._meaning is None or not texts:
            return np.zeros((len(texts), 1), np.float32)
        vectors = self._meaning.embed([text.case.text for text in texts])
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)

    def _counts(self, one: Text, two: Text) -> bool:
        elsewhere = one.context and two.context and one.context != two.context
        return (
            not elsewhere
            and self._labels.between(one, two) != "differ"
            and numbers(one.asked) == numbers(two.asked)
            and not self._rulings.allow(one, two)
        )


class _Runs:
    """Which texts of the right side have runs of words that a text of the left side has too."""

    def __init__(self, texts: Sequence[str], length: int, *, most: int) -> None:
        found = hashed.distinct(hashed.word_runs(hashed.words(texts), length))
        self._length = length
        self._index: dict[int, list[int]] = defaultdict(list)
        for number, run in zip(found.rows.tolist(), found.hashes.tolist(), strict=True):
            self._index[run].append(number)
        rare = [run for run, numbers in self._index.items() if len(numbers) <= most]
        self._known = np.array(sorted(rare), np.uint64)

    def shared(self, texts: Iterable[str]) -> dict[int, set[int]]:
        """By position on the left the positions on the right, where there are any."""
        hits: dict[int, set[int]] = defaultdict(set)
        if not len(self._known):
            return hits
        found = hashed.word_runs(hashed.words([*texts]), self._length)
        at = np.flatnonzero(np.isin(found.hashes, self._known))
        for position, run in zip(found.rows[at].tolist(), found.hashes[at].tolist(), strict=True):
            hits[position] |= set(self._index[run])
        return hits
