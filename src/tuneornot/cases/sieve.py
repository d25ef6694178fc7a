"""The sieve before the near-duplicate rule: which of all pairs of texts are worth a full check.

Of a million by ten thousand texts all but a few thousand pairs are passed over here, by arithmetic
on whole blocks of rows. First an inverted index over the rarest shingles of each text on the right
gives the pairs that share three tenths of those. Then every condition of ``likeness.repeats``
that can be seen from counts, lengths, numbers and one C++ call for the characters in order
removes what the rule would refuse. The first step may pass over a repeat (very short texts with
several typos; the recall is measured in ``docs/concepts/cases.md``); the second one never does.

It does not judge: what is left is judged in full elsewhere. It knows nothing of frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse
from rapidfuzz import fuzz, process

from tuneornot.cases import hashed
from tuneornot.cases.hashed import Hashed, Places
from tuneornot.cases.likeness import Near, numbers

RAREST = 32
"""Shingles by which a text is looked up, plus an eighth of all that it has."""
IN_COMMON = 0.3
FEWEST = 16
"""Shingles that a text keeps although many have them."""
WIDESPREAD = 0.02
"""Shingles that more than this share of the right side has are part of a frame: of little help to
tell texts apart, and most of the work."""
_BITS = np.uint64(42)  # the upper 22 bits of a hash: a table of 4 million places

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


class Sifted(NamedTuple):
    """What the sieve knows of one text."""

    asked: str
    """The normalised question."""
    context: str
    whole: str
    answer: int
    """A number for the right answer, shared by both sides; -1 for one that the right side does not
    have, -2 where none is known."""
    prose: bool
    """Whether the answer is prose."""


class Pairs(NamedTuple):
    """Pairs of texts: positions on the left, on the right, and what they have in common."""

    left: Places
    right: Places
    shared: Places
    """Of the right text's looked-up shingles those that the left text has."""

    def where(self, mask: Mask) -> Pairs:
        """Those pairs for which the mask holds."""
        return Pairs(self.left[mask], self.right[mask], self.shared[mask])


class _Side:
    """The texts of one side as arrays."""

    def __init__(self, texts: Sequence[Sifted]) -> None:
        self.asked = np.array([text.asked for text in texts], object)
        self.length = np.array([len(text.asked) for text in texts], np.int64)
        self.words = np.array([text.asked.count(" ") + 1 for text in texts], np.int64)
        self.told = np.array([hash(text.asked) for text in texts], np.int64)
        self.letters = np.array([hash(text.asked.replace(" ", "")) for text in texts], np.int64)
        self.numbers = np.array([hash(numbers(text.asked)) for text in texts], np.int64)
        self.answer = np.array([text.answer for text in texts], np.int64)
        self.prose = np.array([text.prose for text in texts], bool)
        self.alone = np.array([not text.context for text in texts], bool)
        self.shingles = hashed.distinct(hashed.shingled([text.whole for text in texts]))
        self.n = np.bincount(self.shingles.rows, minlength=len(texts))


class Sieve:
    """The right side, ready to be held against any number of texts in blocks.

    Args:
        theirs: the texts of the right side.
        labels: which answers, by their numbers, many cases have.
        near: the bounds of the rule.
    """

    def __init__(self, theirs: Sequence[Sifted], labels: Mask, near: Near) -> None:
        self._near = near
        self._labels = labels
        self._theirs = _Side(theirs)
        keys = _rarest(self._theirs.shingles, len(theirs))
        self._n_keys = np.bincount(keys.rows, minlength=len(theirs))
        self._vocabulary = np.unique(keys.hashes)
        self._seen = np.zeros(1 << 22, bool)
        self._seen[(self._vocabulary >> _BITS).astype(np.int64)] = True
        self._keys = self._table(keys, len(theirs)).T.tocsr()

    def pairs(self, ours: Sequence[Sifted]) -> Pairs:
        """The pairs of a block and the right side that are worth a full check."""
        side = _Side(ours)
        shared = (self._table(side.shingles, len(ours)) @ self._keys).tocoo()
        enough = shared.data >= IN_COMMON * self._n_keys[shared.col]
        left, right = shared.row[enough].astype(np.int64), shared.col[enough].astype(np.int64)
        return self._sifted(side, Pairs(left, right, shared.data[enough].astype(np.int64)))

    def _table(self, found: Hashed, n: int) -> scipy.sparse.csr_matrix:
        """Which text has which shingle of the vocabulary; (n, len(vocabulary)), 0 or 1."""
        known = self._seen[(found.hashes >> _BITS).astype(np.int64)]
        rows, hashes = found.rows[known], found.hashes[known]
        places = np.searchsorted(self._vocabulary, hashes)
        places[places == len(self._vocabulary)] = 0
        same = self._vocabulary[places] == hashes if len(self._vocabulary) else places < 0
        rows, places = rows[same], places[same]
        starts = np.searchsorted(rows, np.arange(n + 1))
        shape = (n, len(self._vocabulary))
        ones = np.ones(len(places), np.int32)
        return scipy.sparse.csr_matrix((ones, places, starts), shape=shape)

    def _sifted(self, side: _Side, pairs: Pairs) -> Pairs:
        """Without the pairs that the rule would refuse, by what is cheap to know of them."""
        least = self._least(side, pairs)
        ours, theirs = side.length[pairs.left], self._theirs.length[pairs.right]
        # The shorter text is the most that two can have in common in order.
        most = np.where(
            ours + theirs, 2 * np.minimum(ours, theirs) / np.maximum(1, ours + theirs), 1
        )
        kept = (most >= least) & (least <= 1)
        pairs, least = pairs.where(kept), least[kept]
        asked = side.asked[pairs.left], self._theirs.asked[pairs.right]
        alike = process.cpdist(*asked, scorer=fuzz.ratio, dtype=np.float64) / 100
        return pairs.where(alike >= least - 1e-9)

    def _least(self, side: _Side, pairs: Pairs) -> Floats:
        """The least likeness in order with which each pair can be a repeat; 2 where it cannot.

        0 where the questions are the same or only their spaces differ, and where one word may
        have changed: the full check is cheap enough for those.
        """
        near, theirs = self._near, self._theirs
        words, other = side.words[pairs.left], theirs.words[pairs.right]
        typos = 4 * np.maximum(1, words // 5)
        both = np.maximum(1, side.length[pairs.left] + theirs.length[pairs.right])
        misspelt = 1 - typos / both
        told, common, prose = self._answers(side, pairs)
        one_word = (words >= near.one_word) & (abs(words - other) <= 1)
        least = np.where(words == other, misspelt, 2.0)
        least = np.where(prose, np.minimum(least, near.document), least)
        least = np.select([told, common], [near.told, near.common], least)
        # Likeness by shingles counts from half of the characters in order upwards.
        least = np.where(self._like_shingles(side, pairs), np.minimum(least, 0.5), least)
        same_numbers = side.numbers[pairs.left] == theirs.numbers[pairs.right]
        long = words >= near.document_words
        least = np.where(same_numbers | told | (common & long), least, 2.0)
        least = np.where(told & one_word, 0.0, least)
        same = side.letters[pairs.left] == theirs.letters[pairs.right]
        return np.where(same, 0.0, least)

    def _answers(self, side: _Side, pairs: Pairs) -> tuple[Mask, Mask, Mask]:
        """Whether the answers of each pair are told, common or prose, as ``likeness`` has it."""
        ours, theirs = side.answer[pairs.left], self._theirs.answer[pairs.right]
        unknown = (ours == -2) | (theirs == -2)
        agree = (ours == theirs) & ~unknown
        label = np.zeros(len(ours), bool)
        label[agree] = self._labels[theirs[agree]]
        prose = side.prose[pairs.left] & self._theirs.prose[pairs.right] & ~agree & ~unknown
        return agree & ~label, unknown | (agree & label), prose

    def _like_shingles(self, side: _Side, pairs: Pairs) -> Mask:
        """Whether enough shingles can be in common for the least Dice index of the rule.

        An index d of sets of n and m asks for d (n + m) / 2 in common, so of the m at most
        m - d (n + m) / 2 may be missing, and no more of those that were looked up. Contexts are
        among the shingles of the whole text; with one, nothing follows for the question alone.
        """
        told, common, prose = self._answers(side, pairs)
        near = self._near
        dice = np.select([told, common, prose], [near.told, near.common, near.document], 2.0)
        n, m = side.n[pairs.left], self._theirs.n[pairs.right]
        missing = self._n_keys[pairs.right] - pairs.shared
        possible = (missing <= m - dice * (n + m) / 2) & (dice <= 1)
        alone = side.alone[pairs.left] & self._theirs.alone[pairs.right]
        return np.where(alone, possible, dice <= 1)


def _rarest(found: Hashed, n: int) -> Hashed:
    """Of each text the shingles that the fewest of the texts have."""
    _, places, counts = np.unique(found.hashes, return_inverse=True, return_counts=True)
    spread = counts[places]
    order = np.lexsort((spread, found.rows))
    rows, hashes, spread = found.rows[order], found.hashes[order], spread[order]
    starts = np.searchsorted(rows, np.arange(n))
    sizes = np.bincount(rows, minlength=n)
    rank = np.arange(len(rows)) - starts[rows]
    wide = spread > max(5, WIDESPREAD * n)
    chosen = (rank < RAREST + sizes[rows] // 8) & (~wide | (rank < FEWEST))
    return Hashed(rows[chosen], hashes[chosen])
