"""Many texts at once as arrays of hashes: their shingles, and their runs of words.

What ``likeness`` does for one text, for some thousands in one go, with the same hashes: comparing
a million rows one by one would take longer than everything else together. It knows no cases and
compares nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tuneornot.cases.likeness import SHINGLE, Hashes, runs

Places = npt.NDArray[np.int64]


class Hashed(NamedTuple):
    """Hashes of many texts, one after the other."""

    rows: Places
    """Number of the text that each hash is of, ascending."""
    hashes: Hashes
    """As long as ``rows``; in the order of the texts, repeats included."""


class Words(NamedTuple):
    """A hash for each word of many texts, in order."""

    hashes: Hashes
    ends: Places
    """Where each text ends among the hashes; as many as texts."""


def shingled(texts: Sequence[str]) -> Hashed:
    """The hashes of all shingles of texts, as ``likeness.shingles`` makes them."""
    padded = [f" {text} ".ljust(SHINGLE, "\0") for text in texts]
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32)
    ends = np.cumsum([len(text) for text in padded], dtype=np.int64)
    return _runs(codes.astype(np.uint64), ends, SHINGLE)


def words(texts: Sequence[str]) -> Words:
    """A hash for each word; those of two calls can be compared within one process."""
    found: list[int] = []
    ends = []
    for text in texts:
        found += [hash(word) for word in text.split()]
        ends.append(len(found))
    return Words(np.array(found, np.int64).view(np.uint64), np.array(ends, np.int64))


def word_runs(told: Words, length: int) -> Hashed:
    """The hashes of all runs of so many words; none of a text with fewer."""
    return _runs(told.hashes, told.ends, length)


def distinct(found: Hashed) -> Hashed:
    """Each hash of a text once; sorted within the text."""
    order = np.lexsort((found.hashes, found.rows))
    rows, hashes = found.rows[order], found.hashes[order]
    first = np.ones(len(rows), bool)
    first[1:] = (rows[1:] != rows[:-1]) | (hashes[1:] != hashes[:-1])
    return Hashed(rows[first], hashes[first])


def covered(text: str, known: Hashes, length: int) -> npt.NDArray[np.bool_]:
    """For each word of a text, whether it lies in a run of so many words that is known."""
    told = words([text])
    mask = np.zeros(len(told.hashes), bool)
    for start in np.flatnonzero(np.isin(word_runs(told, length).hashes, known)):
        mask[start : start + length] = True
    return mask


def _runs(values: Hashes, ends: Places, length: int) -> Hashed:
    hashes = runs(values, length)
    rows = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))[: len(hashes)]
    whole = np.arange(len(hashes)) + length <= ends[rows] if len(rows) else np.zeros(0, bool)
    return Hashed(rows[whole], hashes[whole])
