"""The same fields in another order: keys of JSON objects, and lines that each name their value.

Lists keep their order: what comes first in one may be what is asked for.
"""

from __future__ import annotations

import json
import random
import re

from tuneornot.records import Json
from tuneornot.stress import wording

_FIELD = re.compile(r"^\s*(?:[-*] )?[^\W\d_][\w ()/-]{0,40}:\s*\S")


def fields(text: str, kept: frozenset[str], strength: float, rng: random.Random) -> str:
    """Move a share of the fields to other places; of fewer than two there is no other order."""
    if wording.is_data(text):
        whole = json.loads(text)
        moved = _moved_keys(whole, strength, rng)
        # Equal as values, so only the order tells whether anything moved.
        before, after = json.dumps(whole), json.dumps(moved)
        if before == after:
            return text
        indent = 2 if "\n" in text else None
        return json.dumps(moved, ensure_ascii=False, indent=indent)
    return "\n".join(_moved_lines(text.split("\n"), strength, rng))


def _moved_keys(value: Json, strength: float, rng: random.Random) -> Json:
    if isinstance(value, list):
        return [_moved_keys(each, strength, rng) for each in value]
    if not isinstance(value, dict):
        return value
    keys = _moved(list(value), strength, rng)
    return {key: _moved_keys(value[key], strength, rng) for key in keys}


def _moved_lines(lines: list[str], strength: float, rng: random.Random) -> list[str]:
    """Each run of two or more lines with a field in another order."""
    made: list[str] = []
    run: list[str] = []
    for line in [*lines, None]:
        if line is not None and _FIELD.match(line):
            run.append(line)
            continue
        made += _moved(run, strength, rng)
        run = []
        if line is not None:
            made.append(line)
    return made


def _moved(names: list[str], strength: float, rng: random.Random) -> list[str]:
    """The share of the names, two at least, that change places among themselves, in a circle."""
    ranks = [rng.random() for _ in names]
    n_moving = min(len(names), max(2, round(strength * len(names))))
    moving = sorted(sorted(range(len(names)), key=ranks.__getitem__)[:n_moving])
    turned = [*moving[1:], *moving[:1]]
    made = list(names)
    for place, source in zip(moving, turned, strict=True):
        made[place] = names[source]
    return made
