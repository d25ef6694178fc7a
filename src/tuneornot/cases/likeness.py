"""When two questions are one question: normal form, shingles, and the rule for near-duplicates.

The rule looks at questions and answers together, because likeness of the questions alone cannot
tell a typo from a sibling: "410 U.S. 113 (1973)" and "411 U.S. 113 (1973)" differ as little as a
word and its misspelling. Where the right answers agree, what differs did not matter to the answer,
so a likeness of wording is a repeat. Where they differ, what differs is what was asked about, and
only misspellings count. The bounds were chosen on public data sets with planted repeats; the
figures are in ``docs/concepts/cases.md``.

It does not know which cases to compare (see ``overlap``), and it does not see meaning: a
paraphrase in other words is another question here.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

Hashes = npt.NDArray[np.uint64]
Answers = Literal["told", "common", "prose", "differ"]
"""How two right answers stand to each other: the same one that few cases have; the same one that
many have (or none is known); two different passages of prose, of which one question allows many;
or two different answers otherwise."""

SHINGLE = 4
"""Characters in a shingle: a typo breaks at most four or five of them."""

_APOSTROPHES = re.compile(r"['’‘`´]")
_INNER_HYPHEN = re.compile(r"(?<=[^\W\d_])[-‐‑–—](?=[^\W\d_])")
# Marks of prose carry no meaning, except between digits (1.5, 10:30), where they are kept.
# Brackets, operators and the like are kept: in code and formulas they are what is asked about.
_PROSE = re.compile(r"(?<!\d)[.,:]|[.,:](?!\d)|[;!?\"“”„«»…]")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio, made odd


class Near(NamedTuple):
    """The bounds of the near-duplicate rule; a likeness is a share between 0 and 1."""

    told: float = 0.80
    """Answers agree, and few cases have this answer: the agreement is evidence by itself."""
    one_word: int = 6
    """... or one word was changed, added or left out, in a question of at least so many words."""
    common: float = 0.88
    """Answers agree, but as labels do: many cases have this one. Or no answer is known."""
    document: float = 0.95
    """Answers are different prose, and the question is a text of at least ``document_words``."""
    document_words: int = 40


@functools.lru_cache(maxsize=1 << 16)
def normalised(text: str) -> str:
    """A text without what does not change a question: case, spacing, marks of prose.

    Unicode NFKC and case folding first; apostrophes vanish, hyphens between letters and marks of
    prose become spaces, runs of spaces become one. A text of nothing else stays as it is.
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    kept = _PROSE.sub(" ", _INNER_HYPHEN.sub(" ", _APOSTROPHES.sub("", text)))
    return " ".join(kept.split()) or " ".join(text.split())


@functools.lru_cache(maxsize=1 << 10)
def shingles(text: str) -> Hashes:
    """Sorted distinct 64-bit hashes of the text's overlapping runs of four characters.

    The text is padded with a space on either side, so that one of two characters has a shingle.
    """
    codes = np.frombuffer(f" {text} ".encode("utf-32-le", "surrogatepass"), np.uint32)
    padded = np.zeros(max(len(codes), SHINGLE), np.uint64)
    padded[: len(codes)] = codes
    return np.unique(runs(padded, SHINGLE))


def runs(values: Hashes, length: int) -> Hashes:
    """Hashes of the overlapping runs of so many values, in their order; (n - length + 1,)."""
    n = max(len(values) - length + 1, 0)
    mixed = np.zeros(n, np.uint64)
    for offset in range(length):
        mixed = (mixed ^ values[offset : offset + n]) * _MULTIPLIER
        mixed ^= mixed >> np.uint64(29)
    return mixed


def likeness(left: str, right: str) -> float:
    """How alike two normalised texts are, 0 to 1: the greater of two views.

    The first is the share of characters in common in order, 2 LCS / (len + len), which forgives
    typos in short texts. The second is the Dice index of the shingles, 2 common / (n + n), which
    forgives moved parts.
    """
    ordered = fuzz.ratio(left, right) / 100
    if ordered < 0.5 or ordered == 1:  # far below every bound: not worth the shingles
        return ordered
    ours, theirs = shingles(left), shingles(right)
    common = len(np.intersect1d(ours, theirs, assume_unique=True))
    return max(ordered, 2 * common / (len(ours) + len(theirs)))


def repeats(left: str, right: str, answers: Answers, near: Near) -> float | None:
    """The likeness of two normalised questions if one repeats the other, else ``None``."""
    alike = likeness(left, right)
    n_words = len(left.split())
    document = n_words >= near.document_words
    if answers == "told":
        found = alike >= near.told or (n_words >= near.one_word and _one_word(left, right))
    elif answers == "common":
        same = document or numbers(left) == numbers(right)
        found = same and alike >= near.common
    else:
        rewritten = answers == "prose" and document and alike >= near.document
        found = numbers(left) == numbers(right) and (rewritten or misspelt(left, right))
    return alike if found else None


def numbers(text: str) -> tuple[str, ...]:
    """The numbers in a text, sorted, as they are written."""
    return tuple(sorted(_NUMBER.findall(text)))


def misspelt(left: str, right: str) -> bool:
    """Whether two normalised texts differ only by typos: word for word each near its twin.

    No word is added or missing, unless all letters are the same and only spaces differ; at most
    one word in five is misspelt; words of fewer than four letters are not taken for typos.
    """
    ours, theirs = left.split(), right.split()
    if len(ours) != len(theirs):
        return left.replace(" ", "") == right.replace(" ", "")
    pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    return len(pairs) <= max(1, len(ours) // 5) and all(_typo(a, b) for a, b in pairs)


def _typo(left: str, right: str) -> bool:
    shorter = min(len(left), len(right))
    allowed = 1 if shorter < 8 else 2
    return shorter >= 4 and Levenshtein.distance(left, right, score_cutoff=allowed) <= allowed


def _one_word(left: str, right: str) -> bool:
    return Levenshtein.distance(left.split(), right.split(), score_cutoff=1) <= 1
