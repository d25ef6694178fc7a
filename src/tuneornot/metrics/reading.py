"""Reading JSON out of an answer, and telling whether two JSON values are the same.

Strict reading takes the whole answer as one JSON text; lenient reading takes the first JSON value
that it finds. Whatever a model writes ends in a value or in ``NotJson`` with a reason, never in
another exception. It does not know what the value should be: that is the metrics' concern.

Stricter than Python's own reader, because two programs must read the same value: ``NaN`` and
infinities are refused (RFC 8259 has none), and so are repeated names in one object and numbers
beyond a double (RFC 7493, sections 2.2 and 2.3).
"""

from __future__ import annotations

import json
import math
import re

from tuneornot.metrics.base import LACKING
from tuneornot.records import Case, Json

MAX_DEPTH = 60
"""Deepest nesting that is read: far above what an answer needs, far below the interpreter's own
limit, so that everything that walks the value afterwards can recurse."""

_MAX_STARTS = 200
# Openings tried by the lenient reading: the library counts lines from the start at every fault.

_MAX_DIGITS = 308
_FENCE = re.compile(r"```[^\n`]*\n(.*?)(?:```|\Z)", re.DOTALL)
_OPENING = re.compile(r"[{\[]")


class NotJson(ValueError):
    """The answer holds no JSON value that can be used; the text says why."""


def read(text: str, *, lenient: bool = False) -> Json:
    """The JSON value of an answer.

    Args:
        text: the answer.
        lenient: take the first JSON value that stands in the answer: the whole of it, else the
            content of a code fence, else the first object or array in the text, never the inside
            of one that is broken.

    Raises:
        NotJson: there is none, or it is one that two programs would read differently.
    """
    if not lenient:
        return _read_whole(text)
    try:
        return _read_whole(text.strip())
    except NotJson as reason:
        for inside in fenced(text):
            try:
                return _read_whole(inside)
            except NotJson:
                continue
        return _first_value(text, otherwise=reason)


def fenced(text: str) -> list[str]:
    """What stands inside each code fence of an answer; a fence may lack its end."""
    return [found[1] for found in _FENCE.finditer(text)]


def expected(case: Case) -> Json:
    """The expected answer as JSON; a text is read as JSON, as cases from CSV carry it.

    Raises:
        NotJson: the case has no expected answer, or a text that is not JSON.
    """
    if case.expected is None:
        raise NotJson(f"{LACKING} answer")
    if not isinstance(case.expected, str):
        return case.expected
    try:
        return _read_whole(case.expected)
    except NotJson as reason:
        raise NotJson(f"the expected answer is not JSON: {reason}") from None


def same(a: Json, b: Json) -> bool:
    """Whether two JSON values are equal as JSON: 1 equals 1.0, but not true; order of names is
    free, order of array items is not. The values must not be nested deeper than ``MAX_DEPTH``.
    """
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return a == b


def _read_whole(text: str) -> Json:
    try:
        value: Json = _DECODER.decode(text)
    except json.JSONDecodeError as fault:
        raise NotJson(f"not JSON: {fault.msg} at character {fault.pos}") from None
    except RecursionError:
        raise NotJson(_too_deep()) from None
    return _checked_depth(value)


def _first_value(text: str, *, otherwise: NotJson) -> Json:
    start = 0
    for _ in range(_MAX_STARTS):
        opening = _OPENING.search(text, start)
        if opening is None:
            break
        try:
            value, _ = _DECODER.raw_decode(text, opening.start())
        except json.JSONDecodeError as fault:
            # What was read up to the fault belongs to the broken value: the inside of an answer
            # that was cut off is not the answer.
            start = max(fault.pos, opening.end())
        except RecursionError:
            raise NotJson(_too_deep()) from None
        else:
            return _checked_depth(value)
    raise otherwise


def _checked_depth(value: Json) -> Json:
    layer: list[Json] = [value]
    for _ in range(MAX_DEPTH):
        layer = [child for parent in layer for child in _inner(parent)]
        if not layer:
            return value
    raise NotJson(_too_deep())


def _inner(value: Json) -> list[Json]:
    """The objects and arrays directly inside a value."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return []
    return [child for child in value if isinstance(child, dict | list)]


def _too_deep() -> str:
    return f"nested deeper than {MAX_DEPTH} levels"


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for i, name in enumerate(names) if name in names[:i])
        raise NotJson(f"the name {repeated[:60]!r} stands twice in one object")
    return found


def _constant(name: str) -> Json:
    raise NotJson(f"{name} is not a JSON number")


def _integer(digits: str) -> int:
    # Also keeps away from the interpreter's limit on digits, which raises a plain ValueError.
    if len(digits.lstrip("-")) > _MAX_DIGITS:
        raise NotJson("a number is beyond the range of a double")
    return int(digits)


def _decimal(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise NotJson("a number is beyond the range of a double")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_constant=_constant,
    parse_int=_integer,
    parse_float=_decimal,
)
