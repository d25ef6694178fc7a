"""Reading what a judge replied: a JSON object with one field that counts, or a reason why not.

The rule, the same for every judge: the first JSON value of the reply is taken, from a code fence or
out of prose if it stands there (``reading``); where there is none, one number or word after the
field's name is taken if it is the only one. Everything else is undecided. Nothing is guessed from
tone, and no reply is 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from tuneornot.metrics import reading
from tuneornot.records import Json, Response

LONGEST_REASON = 300


class Undecided(ValueError):
    """The reply holds no judgement; the text says why."""


def field(response: Response, name: str) -> tuple[Json, str]:
    """The field of a reply with the judge's reason.

    Raises:
        Undecided: no reply, or none with that field.
    """
    text = _text(response)
    try:
        said = reading.read(text, lenient=True)
    except reading.NotJson:
        said = None
    if isinstance(said, dict) and name in said:
        reason = said.get("reason")
        return said[name], " ".join(str(reason).split())[:LONGEST_REASON] if reason else ""
    found = {word.lower() for word in re.findall(rf"\b{name}\b\W{{0,6}}(\w+)", text, re.I)}
    if len(found) == 1:
        return found.pop(), ""
    if re.fullmatch(r"\W*\w+\W*", text):
        return text.strip(" \t\r\n.*`\"'"), ""
    raise Undecided(f"the judge's reply names no {name}: {_shown(text)}")


def level(response: Response, n_levels: int) -> tuple[int, str]:
    """The level of a reply, from 1, with the judge's reason.

    Raises:
        Undecided: no level, or one that does not exist.
    """
    said, reason = field(response, "level")
    number = _whole(said)
    if number is None or not 1 <= number <= n_levels:
        raise Undecided(f"the judge's level is {_shown(said)}, which is not 1 to {n_levels}")
    return number, reason


def choice(response: Response, name: str, among: Sequence[str]) -> tuple[str, str]:
    """One of several words, in any case, with the judge's reason.

    Raises:
        Undecided: no such word.
    """
    said, reason = field(response, name)
    for word in among:
        if isinstance(said, str) and said.strip().lower() == word.lower():
            return word, reason
    raise Undecided(f"the judge's {name} is {_shown(said)}, which is not among {[*among]}")


def texts(response: Response, name: str, *, most: int) -> list[str]:
    """A list of texts, empty ones dropped.

    Raises:
        Undecided: no such list, or a longer one than ``most``.
    """
    said, _ = field(response, name)
    if not isinstance(said, list) or not all(isinstance(one, str) for one in said):
        raise Undecided(f"the judge's {name} is {_shown(said)}, which is not a list of texts")
    if len(said) > most:
        raise Undecided(f"the judge names {len(said)} {name}, more than {most}")
    return [" ".join(one.split()) for one in said if one.strip()]


def flags(response: Response, name: str, n: int) -> list[bool]:
    """A list of n times true or false.

    Raises:
        Undecided: no such list.
    """
    said, _ = field(response, name)
    if not isinstance(said, list) or len(said) != n or not all(isinstance(x, bool) for x in said):
        raise Undecided(
            f"the judge's {name} is {_shown(said)}, which is not {n} times true or false"
        )
    return [one is True for one in said]


def expected_level(response: Response, n_levels: int) -> float:
    """The mean level under the judge's own probabilities, from 1.

    Taken at the first token at which a level is among the alternatives; the probabilities of the
    levels there, spelt with or without spaces, are divided by their sum.

    Raises:
        Undecided: no reply, no alternatives, or no level among them.
    """
    _text(response)
    if response.alternatives is None:
        raise Undecided(
            "the judge gives no log-probabilities; use a server that does, or drop `probabilities`"
        )
    for tokens in response.alternatives:
        mass = dict.fromkeys(range(1, n_levels + 1), 0.0)
        for token, logprob in tokens.items():
            number = _whole(token)
            if number in mass:
                mass[number] += math.exp(logprob)
        total = sum(mass.values())
        if total > 0:
            return sum(number * share for number, share in mass.items()) / total
    raise Undecided(f"no token of the judge's reply is a level: {_shown(response.text)}")


def _text(response: Response) -> str:
    if response.text is None:
        raise Undecided(f"the judge failed: {response.error}")
    return response.text


def _whole(said: Json) -> int | None:
    if isinstance(said, str):
        stripped = said.strip(" ▁Ġ\t\n")
        return int(stripped) if stripped.isascii() and stripped.isdigit() else None
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    return int(said) if said == int(said) else None


def _shown(said: Json) -> str:
    text = " ".join(str(said).split())
    return repr(text if len(text) <= 80 else f"{text[:77]}...")
