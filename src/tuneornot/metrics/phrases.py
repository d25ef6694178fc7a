"""Phrases looked for in a text as whole words, after folding; a longer one hides those inside it.

Neither case nor punctuation nor runs of white space tell two phrases apart (``reference.fold``).
Inflected forms are other phrases. What a phrase stands for is the business of whoever adds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from tuneornot.metrics.reference import fold

Meaning = TypeVar("Meaning")


class Phrases(Generic[Meaning]):
    """What each phrase stands for."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, ...], Meaning] = {}
        self._longest = 0

    def add(self, phrase: str, meaning: Meaning) -> Meaning:
        """Let a phrase stand for something; returns what it stands for, which may be older.

        Raises:
            ValueError: the phrase holds neither letter nor digit.
        """
        words = _words(phrase)
        if not words:
            raise ValueError(f"a phrase must hold a letter or digit, got {phrase!r}; name a word")
        self._longest = max(self._longest, len(words))
        return self._of.setdefault(words, meaning)

    def whole(self, text: str) -> Meaning | None:
        """What a text stands for that is one phrase and nothing else."""
        return self._of.get(_words(text))

    def within(self, text: str) -> Iterator[Meaning]:
        """What stands in a text, from left to right."""
        words = _words(text)
        place = 0
        while place < len(words):
            size = min(self._longest, len(words) - place)
            while size and words[place : place + size] not in self._of:
                size -= 1
            if size:
                yield self._of[words[place : place + size]]
            place += max(size, 1)


def _words(text: str) -> tuple[str, ...]:
    return tuple(fold(text).split())
