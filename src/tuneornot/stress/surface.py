"""How a text is typed: slips of the fingers, capitals, punctuation marks, words that say nothing.

Each function takes a text, the words to keep, a strength and the case's own random numbers, and
gives the text changed, or as it was where there is nothing to change.
"""

from __future__ import annotations

import random
import re

from tuneornot.stress import wording
from tuneornot.stress.wording import Span

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SHIFTS = (0.0, 0.25, 0.75)
"""How far each row of the keyboard stands to the right, in keys."""
_FILLERS = ("um,", "well,", "you know,", "basically", "I mean,", "er,", "like,", "actually")
_MARK = re.compile(r"(?<=[^\W\d_])[,;:!?.](?=\s|$)")
_ENDS = ("...", "!!", " ?", " .")


def _neighbours() -> dict[str, str]:
    """For each letter those whose keys touch its key."""
    places = {
        letter: (row, column + _SHIFTS[row])
        for row, letters in enumerate(_ROWS)
        for column, letter in enumerate(letters)
    }
    return {
        letter: "".join(
            other
            for other, (y, x) in places.items()
            if other != letter and abs(y - row) <= 1 and abs(x - column) <= 1
        )
        for letter, (row, column) in places.items()
    }


NEIGHBOURS = _neighbours()


def typos(text: str, kept: frozenset[str], strength: float, rng: random.Random) -> str:
    """One slip in each chosen word of four letters or more, never in its first letter."""
    return wording.edited(
        text, wording.words(text, kept, least=4), strength, rng=rng, edit=_slipped
    )


def _slipped(word: str, rng: random.Random) -> str:
    """A neighbouring key, a letter twice, a letter left out, or two letters in the wrong order."""
    place = rng.randrange(1, len(word) - 1)
    letter, following = word[place], word[place + 1]
    near = NEIGHBOURS.get(letter.lower(), "")
    slips = [word[:place] + letter + word[place:], word[:place] + word[place + 1 :]]
    if near:
        struck = rng.choice(near)
        slips.append(word[:place] + (struck.upper() if letter.isupper() else struck))
        slips[-1] += word[place + 1 :]
    if letter != following:
        slips.append(word[:place] + following + letter + word[place + 2 :])
    return rng.choice(slips)


def casing(text: str, kept: frozenset[str], strength: float, rng: random.Random) -> str:
    """Chosen words in capitals; those that have a capital already lose it."""
    places = wording.words(text, kept, least=2)
    return wording.edited(text, places, strength, rng=rng, edit=_recased)


def _recased(word: str, rng: random.Random) -> str:
    return word.upper() if word.islower() else word.lower()


def punctuation(text: str, kept: frozenset[str], strength: float, rng: random.Random) -> str:
    """Chosen marks after words are left out or multiplied; the end gets one where it has none."""
    if wording.is_data(text):
        return text
    places: list[Span] = [
        mark.span() for mark in _MARK.finditer(text) if _before(text, mark.start()) not in kept
    ]
    if text and text[-1].isalpha() and _before(text, len(text)) not in kept:
        places.append((len(text), len(text)))
    return wording.edited(text, places, strength, rng=rng, edit=_remarked)


def _before(text: str, end: int) -> str:
    """The word that ends there, folded."""
    found = re.search(r"[^\W\d_]+$", text[:end])
    return found.group().casefold() if found else ""


def _remarked(mark: str, rng: random.Random) -> str:
    if not mark:
        return rng.choice(_ENDS)
    return rng.choice(("", 2 * mark, 3 * mark))


def filler(text: str, kept: frozenset[str], strength: float, rng: random.Random) -> str:
    """Words that say nothing before chosen words, at full strength before half of them."""
    starts = [start for start, _ in wording.words(text, kept, least=2)]
    gaps = [(start, start) for start in starts if start == 0 or text[start - 1].isspace()]
    return wording.edited(text, gaps, strength / 2, rng=rng, edit=_filled)


def _filled(_: str, rng: random.Random) -> str:
    return rng.choice(_FILLERS) + " "
