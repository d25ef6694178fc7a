"""The built-in retriever: passages that share rare words with the question, by BM25.

The formula is Lucene's (Robertson and Zaragoza 2009, with a positive inverse document frequency),
computed by bm25s. Words are those of ``words``. It does not know meaning: a passage in other words
than the question's is not found.
"""

from __future__ import annotations

from collections.abc import Sequence

import bm25s
import numpy as np

from tuneornot.records import Passage
from tuneornot.retrieval import words


class Bm25:
    """An index of passages in memory.

    Args:
        passages: what can be found.
        k1: how much a repeated word counts; 0: no more than once.
        b: how much long passages are discounted; 0 not at all, 1 in proportion.
    """

    def __init__(self, passages: Sequence[Passage], *, k1: float = 1.5, b: float = 0.75) -> None:
        self._passages = tuple(passages)
        self._index = bm25s.BM25(method="lucene", k1=k1, b=b)
        tokens = [words.of(passage.shown) for passage in self._passages]
        # Passages of signs alone have no words; without any word bm25s has nothing to index.
        self._empty = not any(tokens)
        if not self._empty:
            self._index.index(tokens, show_progress=False)

    def __call__(self, question: str, k: int) -> list[Passage]:
        """The k best passages that share a word with the question; the earlier one of equals."""
        asked = [] if self._empty else words.of(question)
        known = self._index.get_tokens_ids(asked) if asked else []
        if not known:
            return []
        scores = self._index.get_scores_from_ids(known)
        best = np.argsort(-scores, kind="stable")[:k]
        return [self._passages[place] for place in best if scores[place] > 0]
