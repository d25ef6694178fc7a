"""Metrics of likeness between two texts: shared words, shared sequences, edits.

They compare the surface of an answer with that of the expected one. A paraphrase scores low, and
a wrong number in a long right sentence scores high: read them beside a metric that knows what must
be right.
"""

from __future__ import annotations

import dataclasses
import re
import string
from typing import Literal

from rapidfuzz.distance import LCSseq, Levenshtein

from tuneornot.metrics import wanted
from tuneornot.metrics.base import Mark, settings_of
from tuneornot.records import Case, Json, Response, Scale

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_WORD = re.compile(r"[^\W_]+")


@dataclasses.dataclass(kw_only=True)
class TokenF1:
    """Words that answer and expected text share, as the SQuAD benchmark counts them, 0 to 1.

    Both texts are put in lower case, lose ASCII punctuation and English articles, and are split at
    white space; words count as often as they occur. F1 is 2 shared / (words of the answer + words
    of the expected text). 1 where nothing is left of both. Of several expected texts the best
    counts.

    Source: Rajpurkar, P. et al. (2016), SQuAD: 100,000+ questions for machine comprehension of
    text, section 6.1.
    """

    name: str = "token_f1"
    figure: wanted.Figure = "f1"
    """``f1``, or its ``precision`` or ``recall`` alone."""
    articles: bool = True
    """Leave out the English articles a, an, the."""
    scale = Scale()

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, "token_f1")

    def score(self, case: Case, response: Response) -> Mark:
        """The figure; ``None`` where the case has no expected text."""
        answer = self._words(response.text or "")
        return wanted.best(
            case, lambda text: wanted.overlap(self.figure, answer, self._words(text))
        )

    def _words(self, text: str) -> list[str]:
        text = text.lower().translate(_PUNCTUATION)
        return (_ARTICLES.sub(" ", text) if self.articles else text).split()


@dataclasses.dataclass(kw_only=True)
class Rouge:
    """ROUGE: word sequences that answer and expected text share, 0 to 1.

    ROUGE-1 and ROUGE-2 count shared words and pairs of neighbouring words, ROUGE-L the longest
    common subsequence of words, in order but not necessarily side by side. Words are runs of
    letters and digits in lower case, of any script; they are not stemmed. 0 where either text has
    none. Of several expected texts the best counts.

    Source: Lin, C.-Y. (2004), ROUGE: a package for automatic evaluation of summaries, with equal
    weight for precision and recall. For English text without underscores it equals the package
    rouge-score 0.1.2 without its stemmer.
    """

    name: str = "rouge"
    kind: Literal["1", "2", "L"] = "L"
    """ROUGE-1, ROUGE-2 or ROUGE-L."""
    figure: wanted.Figure = "f1"
    """``f1``, or its ``precision`` or ``recall`` alone."""
    scale = Scale()

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, "rouge")

    def score(self, case: Case, response: Response) -> Mark:
        """The figure; ``None`` where the case has no expected text."""
        answer = _WORD.findall((response.text or "").lower())
        return wanted.best(case, lambda text: self._likeness(answer, text))

    def _likeness(self, answer: list[str], text: str) -> float:
        reference = _WORD.findall(text.lower())
        if self.kind == "L":
            if not answer or not reference:
                return 0.0
            shared = LCSseq.similarity(answer, reference)
            return wanted.ratio(
                self.figure, shared=shared, answered=len(answer), expected=len(reference)
            )
        n = int(self.kind)
        ours, theirs = _runs(answer, n), _runs(reference, n)
        return wanted.overlap(self.figure, ours, theirs) if ours and theirs else 0.0


@dataclasses.dataclass(kw_only=True)
class EditSimilarity:
    """1 less the edits from answer to expected text, over the length of the longer; 0 to 1.

    Edits are insertions, deletions and substitutions (Levenshtein distance) of characters or
    words; white space at both ends is dropped first. 1 is the same text, and so are two empty
    ones. Of several expected texts the nearest counts.
    """

    name: str = "edit_similarity"
    unit: Literal["characters", "words"] = "characters"
    """What is inserted, deleted or substituted."""
    ignore_case: bool = False
    scale = Scale()

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, "edit_similarity")

    def score(self, case: Case, response: Response) -> Mark:
        """The similarity; ``None`` where the case has no expected text."""
        answer = self._units(response.text or "")
        return wanted.best(
            case, lambda text: float(Levenshtein.normalized_similarity(answer, self._units(text)))
        )

    def _units(self, text: str) -> str | list[str]:
        text = text.strip().casefold() if self.ignore_case else text.strip()
        return text if self.unit == "characters" else text.split()


def _runs(words: list[str], n: int) -> list[tuple[str, ...]]:
    """Every n words that stand side by side."""
    return list(zip(*(words[start:] for start in range(n)), strict=False))
