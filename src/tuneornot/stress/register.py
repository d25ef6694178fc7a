"""How people of another manner or place would say the same: small word lists of our own, English.

A text that holds none of the words is left as it is, so that in another language nothing happens.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

from tuneornot.stress import wording
from tuneornot.stress.wording import Span

CASUAL: Mapping[str, str] = {
    "please": "pls",
    "thank you": "thx",
    "thanks": "thx",
    "you": "u",
    "your": "ur",
    "are": "r",
    "because": "cuz",
    "going to": "gonna",
    "want to": "wanna",
    "have to": "gotta",
    "cannot": "can't",
    "do not": "don't",
    "does not": "doesn't",
    "is not": "isn't",
    "what is": "what's",
    "who is": "who's",
    "it is": "it's",
    "information": "info",
    "with": "w/",
    "without": "w/o",
    "about": "abt",
    "people": "folks",
    "children": "kids",
    "tomorrow": "tmrw",
    "tonight": "tonite",
    "through": "thru",
    "as soon as possible": "asap",
}
OPENERS = ("hey, ", "hi there, ", "yo, ", "quick one: ", "so ")

DIALECT: Mapping[str, str] = {
    "color": "colour",
    "favorite": "favourite",
    "neighbor": "neighbour",
    "behavior": "behaviour",
    "labor": "labour",
    "honor": "honour",
    "center": "centre",
    "theater": "theatre",
    "meter": "metre",
    "liter": "litre",
    "license": "licence",
    "defense": "defence",
    "organize": "organise",
    "recognize": "recognise",
    "analyze": "analyse",
    "catalog": "catalogue",
    "dialog": "dialogue",
    "traveled": "travelled",
    "canceled": "cancelled",
    "program": "programme",
    "check": "cheque",
    "gray": "grey",
    "apartment": "flat",
    "elevator": "lift",
    "gasoline": "petrol",
    "truck": "lorry",
    "sidewalk": "pavement",
    "vacation": "holiday",
    "movie": "film",
    "soccer": "football",
    "fall": "autumn",
    "cell phone": "mobile",
    "while": "whilst",
    "toward": "towards",
    "gotten": "got",
}


def casual(text: str, kept: frozenset[str], strength: float, rng: random.Random) -> str:
    """As one writes to a friend: short forms, and something before the first word."""
    if wording.is_data(text):
        return text
    found = _found(text, kept, CASUAL)
    places: list[Span] = [*([] if found and found[0][0] == 0 else [(0, 0)]), *found]

    def edit(said: str, own: random.Random) -> str:
        return _like(said, CASUAL[said.casefold()]) if said else own.choice(OPENERS)

    return wording.edited(text, places, strength, rng=rng, edit=edit)


def dialect(text: str, kept: frozenset[str], strength: float, rng: random.Random) -> str:
    """American English to British; a text that has British words goes the other way."""
    back = {british: american for american, british in DIALECT.items()}
    there, here = _found(text, kept, DIALECT), _found(text, kept, back)
    places, table = (here, back) if len(here) > len(there) else (there, DIALECT)

    def edit(said: str, own: random.Random) -> str:
        return _like(said, table[said.casefold()])

    return wording.edited(text, places, strength, rng=rng, edit=edit)


def _found(text: str, kept: frozenset[str], table: Mapping[str, str]) -> list[Span]:
    """Where words of a list stand, longer ones before those that they hold."""
    if wording.is_data(text):
        return []
    longest = sorted(table, key=len, reverse=True)
    pattern = rf"(?<![\w'-])(?:{'|'.join(map(re.escape, longest))})(?![\w'-])"
    matches = re.finditer(pattern, text, re.I)
    return [
        match.span()
        for match in matches
        if kept.isdisjoint(word.casefold() for word in match.group().split())
    ]


def _like(said: str, instead: str) -> str:
    """With a capital where what it stands for has one."""
    return instead[:1].upper() + instead[1:] if said[:1].isupper() else instead
