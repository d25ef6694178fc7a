"""Overlap of n-grams as translation counts it: BLEU and chrF, of a sentence and of a whole run.

    Bleu, Chrf                  one answer at a time; their mean over cases is no corpus figure
    CorpusBleu, CorpusChrf      whole-run metrics: counts are summed over all answers first

Counts come from sacrebleu, so that figures can be compared with published ones; what is done here
is to divide them by 100 and to make the corpus figures of many resamples at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from tuneornot.errors import MissingExtra
from tuneornot.metrics import wanted
from tuneornot.metrics.base import Mark, settings_of
from tuneornot.records import Case, Json, Response, Scale
from tuneornot.stats.cases import Floats
from tuneornot.stats.whole import Figure

ORDERS = 4
"""Longest n-gram of BLEU, in words."""
TOKENIZERS = ("13a", "char", "intl", "none", "zh")
"""Those of sacrebleu that need no further package or download."""
FEW_MATCHES = 10
"""Matching 4-grams of a run under which corpus BLEU hinges on single ones."""


class _Counter(Protocol):
    """What is used of a metric of sacrebleu."""

    def sentence_score(self, hypothesis: str, references: list[str]) -> Any: ...

    def _extract_corpus_statistics(
        self, hypotheses: list[str], references: list[list[str]]
    ) -> list[list[int]]: ...


@dataclasses.dataclass(kw_only=True)
class Bleu:
    """BLEU of one answer: 1- to 4-grams of words shared with the expected text, 0 to 1.

    The geometric mean of the four precisions, times a penalty for answers shorter than the
    expected text. As sacrebleu's sentence BLEU with exponential smoothing and effective order,
    divided by 100: n-grams longer than the answer are left out. Several expected texts are used
    together. Unreliable for single short answers; it is meant for ``corpus_bleu``.

    Source: Papineni, K. et al. (2002), BLEU: a method for automatic evaluation of machine
    translation; Post, M. (2018), A call for clarity in reporting BLEU scores.
    """

    name: str = "bleu"
    lowercase: bool = False
    tokenizer: str = "13a"
    """How sacrebleu splits words: ``13a``, ``intl``, ``zh``, ``char`` or ``none``."""
    scale = Scale()
    _kind = "bleu"

    def __post_init__(self) -> None:
        self._counter = _bleu(self.lowercase, self.tokenizer)

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, self._kind)

    def score(self, case: Case, response: Response) -> Mark:
        """The score; ``None`` where the case has no expected text."""
        return _sentence(self._counter, case, response)


@dataclasses.dataclass(kw_only=True)
class Chrf:
    """chrF of one answer: sequences of 1 to 6 characters shared with the expected text, 0 to 1.

    F2 of the mean precision and the mean recall: recall counts twice as much. White space does not
    count. As sacrebleu's chrF divided by 100; with ``words: 2`` it is chrF++. Of several expected
    texts the best counts. Kinder than BLEU to inflection and to short answers.

    Source: Popovic, M. (2015), chrF: character n-gram F-score for automatic MT evaluation.
    """

    name: str = "chrf"
    lowercase: bool = False
    words: int = 0
    """Longest sequence of words that counts too; 0: none."""
    scale = Scale()
    _kind = "chrf"

    def __post_init__(self) -> None:
        self._counter = _chrf(self.lowercase, self.words)

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, self._kind)

    def score(self, case: Case, response: Response) -> Mark:
        """The score; ``None`` where the case has no expected text."""
        return _sentence(self._counter, case, response)


@dataclasses.dataclass(kw_only=True)
class CorpusBleu(Bleu):
    """BLEU of a whole run: counts are summed over all answers before they are divided, 0 to 1.

    The geometric mean of the precisions of 1- to 4-grams, times the penalty for a run that is
    shorter than the expected texts. Equal to sacrebleu's corpus BLEU divided by 100, but without
    smoothing: 0 where no 4-gram at all matches. The value of one case is its sentence BLEU
    (``bleu``). Long answers weigh more.
    """

    name: str = "corpus_bleu"
    scale = Scale(whole=True)
    _kind = "corpus_bleu"

    def parts(self, case: Case, response: Response) -> tuple[float, ...]:
        """Lengths of answer and expected text, matches of 4 orders, n-grams of 4 orders."""
        return _counts(self._counter, case, response)

    def figures(self) -> Mapping[str, Figure]:
        """Corpus BLEU, the brevity penalty in it, and its four precisions."""
        precisions = {f"precision of {n + 1}-grams": _precision(n) for n in range(ORDERS)}
        return {"corpus BLEU": _corpus_bleu, "brevity penalty": _brevity, **precisions}

    def missed(self, parts: Floats) -> Floats:
        """The same cases with answers of the same length of which nothing matches."""
        made = parts.copy()
        made[..., 2 : 2 + ORDERS] = 0.0
        return made

    def determined(self, sums: Floats) -> bool:
        """Whether any 4-gram matches: the next to match would lift the figure from 0 at once."""
        return float(sums[1 + ORDERS]) > 0

    def limits(self, sums: Floats) -> tuple[str, ...]:
        """A sentence where few 4-grams match, or none."""
        n = float(sums[1 + ORDERS])
        if n >= FEW_MATCHES:
            return ()
        if not n:
            return ("not one 4-gram of a whole run matches: corpus BLEU tells nothing; ask chrF",)
        return (f"{n:g} matching 4-grams in a whole run: corpus BLEU hinges on single ones",)


@dataclasses.dataclass(kw_only=True)
class CorpusChrf(Chrf):
    """chrF of a whole run: counts are summed over all answers before they are divided, 0 to 1.

    Equal to sacrebleu's corpus chrF divided by 100 (chrF++ with ``words: 2``). The value of one
    case is its own chrF (``chrf``). Long answers weigh more.
    """

    name: str = "corpus_chrf"
    scale = Scale(whole=True)
    _kind = "corpus_chrf"

    def parts(self, case: Case, response: Response) -> tuple[float, ...]:
        """For each order the sequences answered, expected and shared."""
        return _counts(self._counter, case, response)

    def figures(self) -> Mapping[str, Figure]:
        """Corpus chrF, and the mean precision and recall that it is made from."""
        return {
            "corpus chrF": _corpus_chrf,
            "mean precision": lambda sums: _means(sums)[0],
            "mean recall": lambda sums: _means(sums)[1],
        }

    def missed(self, parts: Floats) -> Floats:
        """The same cases with answers of the same length of which nothing matches."""
        made = parts.copy()
        made[..., 2::3] = 0.0
        return made

    def determined(self, sums: Floats) -> bool:
        """Always: single characters match soon."""
        return True

    def limits(self, sums: Floats) -> tuple[str, ...]:
        """None beyond those of the cases."""
        return ()


def _bleu(lowercase: bool, tokenizer: str) -> _Counter:
    if tokenizer not in TOKENIZERS:
        raise ValueError(f"tokenizer must be one of {', '.join(TOKENIZERS)}, got {tokenizer!r}")
    try:
        from sacrebleu.metrics.bleu import BLEU
    except ImportError as error:
        raise MissingExtra("BLEU", "metrics") from error
    return BLEU(lowercase=lowercase, tokenize=tokenizer, effective_order=True, force=True)


def _chrf(lowercase: bool, words: int) -> _Counter:
    if words < 0:
        raise ValueError(f"words must be 0 or more, got {words!r}; chrF++ has 2")
    try:
        from sacrebleu.metrics.chrf import CHRF
    except ImportError as error:
        raise MissingExtra("chrF", "metrics") from error
    return CHRF(lowercase=lowercase, word_order=words)


def _sentence(counter: _Counter, case: Case, response: Response) -> Mark:
    references = list(wanted.texts(case))
    if not references:
        return wanted.NO_TEXT
    score = float(counter.sentence_score(response.text or "", references).score) / 100
    # The library's rounding can leave a perfect answer a hair above 1.
    return Mark(min(score, 1.0))


def _counts(counter: _Counter, case: Case, response: Response) -> tuple[float, ...]:
    references = [[text] for text in wanted.texts(case)]
    # The library sums these counts over a corpus and offers no other way to them; the tests hold
    # the sums to its public corpus scores.
    [counts] = counter._extract_corpus_statistics([response.text or ""], references)
    return tuple(map(float, counts))


def _corpus_bleu(sums: Floats) -> Floats:
    """(..., 10) to (...): exp(mean of log precisions) times the brevity penalty."""
    matched, total = sums[..., 2 : 2 + ORDERS], sums[..., 2 + ORDERS :]
    there = np.all((matched > 0) & (total > 0), axis=-1)
    ratio = np.where(there[..., np.newaxis], matched / np.maximum(total, 1e-300), 1.0)
    mean: Floats = np.exp(np.log(ratio).mean(axis=-1))
    return np.where(there, mean * _brevity(sums), 0.0)


def _brevity(sums: Floats) -> Floats:
    """exp(1 - expected / answered) where the answers are shorter, else 1."""
    answered, expected = sums[..., 0], sums[..., 1]
    ratio = expected / np.maximum(answered, 1e-300)
    penalty: Floats = np.where(answered < expected, np.exp(np.minimum(1 - ratio, 0.0)), 1.0)
    return penalty


def _precision(n: int) -> Figure:
    def of_order(sums: Floats) -> Floats:
        matched, total = sums[..., 2 + n], sums[..., 2 + ORDERS + n]
        found: Floats = np.where(total > 0, matched / np.maximum(total, 1e-300), np.nan)
        return found

    return of_order


def _means(sums: Floats) -> tuple[Floats, Floats]:
    """Mean precision and recall over the orders that both sides have; 0 where there are none."""
    answered, expected, shared = sums[..., 0::3], sums[..., 1::3], sums[..., 2::3]
    there = (answered > 0) & (expected > 0)
    n = np.maximum(there.sum(axis=-1), 1)
    means = [
        np.where(there, shared / np.maximum(of, 1e-300), 0.0).sum(axis=-1) / n
        for of in (answered, expected)
    ]
    return means[0], means[1]


def _corpus_chrf(sums: Floats) -> Floats:
    """(..., 3 orders) to (...): F2 = 5 p r / (4 p + r) of the mean precision and recall."""
    precision, recall = _means(sums)
    below = 4 * precision + recall
    found: Floats = np.where(below > 0, 5 * precision * recall / np.maximum(below, 1e-300), 0.0)
    return found
