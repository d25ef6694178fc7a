"""Where a text can be changed without changing what it asks, and which of these places are taken.

Words that the expected answer holds, codes, numbers, addresses and abbreviations with dots inside
are fixed: a typing error in one of them would ask for another answer. JSON is no prose: no word of
it is changed. The places that a strength takes are among those that any greater strength takes.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence

import msgspec

from tuneornot.records import Case

Span = tuple[int, int]
"""Start and end of a place within a text; both the same where something is put in."""

Edit = Callable[[str, random.Random], str]
"""From what stands at a place to what shall stand there."""

_TOKEN = re.compile(r"\S+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_CODE = re.compile(r"[\d@/\\_=<>{}\[\]|#$%^*~`]|\w\.\w")


def asked(case: Case) -> str:
    """What the user says: the input, or the last message of a chat."""
    return case.input if isinstance(case.input, str) else case.input[-1].content


def asking(case: Case, text: str) -> Case:
    """The case with another text in that place."""
    if isinstance(case.input, str):
        return msgspec.structs.replace(case, input=text)
    last = msgspec.structs.replace(case.input[-1], content=text)
    return msgspec.structs.replace(case, input=(*case.input[:-1], last))


def fixed(case: Case) -> frozenset[str]:
    """The words of the expected answer, folded; none where nothing is expected."""
    if case.expected is None:
        return frozenset()
    return frozenset(word.casefold() for word in _WORD.findall(case.answer))


def is_data(text: str) -> bool:
    """Whether the whole text is a JSON object or list."""
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False


def words(text: str, kept: frozenset[str], *, least: int) -> list[Span]:
    """Words of prose of at least so many letters that are not among those to keep."""
    if is_data(text):
        return []
    return [
        (token.start() + word.start(), token.start() + word.end())
        for token in _TOKEN.finditer(text)
        if not _CODE.search(token.group())
        for word in _WORD.finditer(token.group())
        if len(word.group()) >= least and word.group().casefold() not in kept
    ]


def edited(
    text: str, places: Sequence[Span], strength: float, *, rng: random.Random, edit: Edit
) -> str:
    """The text with this share of the places edited, at least one of them where there are any.

    Args:
        text: what is changed.
        places: that do not overlap, from left to right.
        strength: the share, above 0 and up to 1.
        rng: of this case alone; which places come first and what becomes of each do not depend on
            the strength.
        edit: what is done at a place.
    """
    draws = [(rng.random(), rng.getrandbits(64)) for _ in places]
    n_taken = max(1, round(strength * len(places)))
    taken = sorted(range(len(places)), key=draws.__getitem__)[:n_taken]
    for place in sorted(taken, reverse=True):
        start, end = places[place]
        own = random.Random(draws[place][1])
        text = text[:start] + edit(text[start:end], own) + text[end:]
    return text
