"""How long a server asks to wait, read from the headers of a response.

Understood are Retry-After (RFC 9110, 10.2.3), as a number or a date, its finer form in
milliseconds, and the limits that OpenAI, Anthropic and their imitations report with every answer:
what is left of each, and when it is filled up again, as seconds, as a duration such as
``1m30.5s``, as a date or as seconds since 1970. A date counts from the response's own Date, so that
a wrong clock on either side does no harm.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LIMITS = [
    (f"x-ratelimit-remaining{of}", f"x-ratelimit-reset{of}") for of in ("", "-requests", "-tokens")
] + [
    (f"anthropic-ratelimit-{of}-remaining", f"anthropic-ratelimit-{of}-reset")
    for of in ("requests", "tokens", "input-tokens", "output-tokens")
]
"""Headers that tell what is left, each with the one that tells until when."""

_DURATION = re.compile(
    r"(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m(?!s))?(?:(?P<s>[\d.]+)s)?(?:(?P<ms>[\d.]+)ms)?"
)
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_SINCE_1970 = 1e8
"""A number of seconds above this (three years) is a time and no wait; milliseconds above its
thousandfold."""


def asked_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that a refusal asks to wait; ``None`` where it does not say."""
    milliseconds = _number(headers.get("Retry-After-Ms", ""))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    value = headers.get("Retry-After", "").strip()
    seconds = _number(value)
    if seconds is None:
        seconds = _until(_date(value), headers)
    return used_up_s(headers) if seconds is None else max(0.0, seconds)


def used_up_s(headers: Mapping[str, str]) -> float | None:
    """Seconds until every limit that is used up allows something again; ``None`` if none is."""
    waits = [
        _reset_s(headers.get(reset, "").strip(), headers)
        for left, reset in _LIMITS
        if (n := _number(headers.get(left, ""))) is not None and n <= 0
    ]
    return max((wait for wait in waits if wait is not None and wait > 0), default=None)


def _reset_s(value: str, headers: Mapping[str, str]) -> float | None:
    number = _number(value)
    if number is not None and number < _SINCE_1970:
        return number
    if number is not None:
        seconds = number / 1000 if number > 1000 * _SINCE_1970 else number
        return seconds - _now(headers).timestamp()
    found = _DURATION.fullmatch(value)
    if found is not None and value:
        parts = {unit: _number(text or "") for unit, text in found.groupdict().items()}
        return sum(_SECONDS[unit] * (n or 0.0) for unit, n in parts.items())
    return _until(_date(value), headers)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _until(then: datetime | None, headers: Mapping[str, str]) -> float | None:
    return None if then is None else (then - _now(headers)).total_seconds()


def _now(headers: Mapping[str, str]) -> datetime:
    return _date(headers.get("Date", "")) or datetime.now(UTC)


def _date(value: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(value)
        except ValueError:
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None
