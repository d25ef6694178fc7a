"""What a server's response means: an answer, or a fault with what follows from it.

The same for every API: statuses, bodies that are no JSON, errors wrapped into a success. What an
answer looks like is the wire's business. Keeps the key out of every sentence.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from tuneornot.errors import ModelError, ServerError
from tuneornot.models import waiting
from tuneornot.models.address import MASK, Key, variables
from tuneornot.models.base import Reply
from tuneornot.models.pool import Fault
from tuneornot.models.wire import Wire

EXCERPT = 160
"""Characters shown of whatever came instead of an answer."""

UNREADABLE = (ValueError, RecursionError)
"""What decoding raises on what is no JSON: bad syntax, bad UTF-8, brackets without end."""

_PASSING = {408, 409, 425, 429}
_OVERLOAD = {429, 503, 529}
_UNKNOWN_WORDS = {400, 415, 422, 501}
_NAMED = {"rate_limit_error": 429, "overloaded_error": 529, "api_error": 500, "server_error": 500}
"""Errors that are told by name where there is no status, inside a success or a stream."""


class Reader:
    """Reads the responses of one server."""

    def __init__(self, wire: Wire, key: Key | None) -> None:
        self._wire = wire
        self._key = key

    def read(
        self, status: int, headers: Mapping[str, str], raw: bytes, *, latency_s: float
    ) -> Reply | Fault:
        """What a whole response to a question means.

        Args:
            status: of the HTTP response.
            headers: looked up by any spelling of their names (a case-insensitive mapping).
            raw: the whole body.
            latency_s: from sending to the last byte.
        """
        if status != 200:
            return self.refusal(status, headers, raw)
        media = headers.get("Content-Type", "")
        if media and "json" not in media.lower():
            return Fault(f"the server sent {media!r} instead of JSON: {self.excerpt(raw)}")
        try:
            found = msgspec.json.decode(raw)
        except UNREADABLE as error:
            cut = "truncated" in str(error)
            kind = "a body that was cut off" if cut else "invalid JSON"
            return Fault(f"the server sent {kind}: {self.excerpt(raw)}", retry=cut)
        inner = inner_status(found)
        if inner is not None:
            return self.refusal(inner, headers, raw)
        return self.answer(found, raw, latency_s=latency_s)

    def answer(self, found: Any, raw: bytes, *, latency_s: float) -> Reply | Fault:
        """What the JSON of a response says; ``raw`` is shown where it holds no answer."""
        reply = self._wire.reply(found)
        if isinstance(reply, str):
            return Fault(f"{reply}: {self.excerpt(raw)}")
        return msgspec.structs.replace(reply, latency_s=latency_s)

    def refusal(self, status: int, headers: Mapping[str, str], raw: bytes) -> Fault:
        """What a response with another status than 200 means."""
        said = f"the server answered HTTP {status}: {self.excerpt(raw)}"
        where = self._wire.address
        if status == 401 or (status == 403 and self._key is None):
            return Fault(said, stop=self._bad_key(said))
        if status == 402 or (status == 429 and b"insufficient_quota" in raw):
            stop = ServerError(
                f"The account at {where.host} must have credit; {said}. Top it up; the "
                "same command continues from there."
            )
            return Fault(said, stop=stop)
        if 300 <= status < 400:
            to = headers.get("Location", "an unnamed address")
            elsewhere = ModelError(
                f"The server at {where.base} must answer by itself; it redirects to {to!r}. "
                "Write the address that it means in the study."
            )
            return Fault(said, stop=elsewhere)
        return Fault(
            said,
            retry=status in _PASSING or status >= 500,
            overload=status in _OVERLOAD,
            wait_s=waiting.asked_s(headers),
            misunderstood=status in _UNKNOWN_WORDS,
        )

    def excerpt(self, raw: bytes) -> str:
        """The start of a body as a quoted line, without mark-up and without the key."""
        text = raw[: 40 * EXCERPT].decode("utf-8", "replace")
        message = _message(raw)
        if message is not None:
            text = message
        elif text.lstrip()[:1] == "<":
            text = html.unescape(re.sub(r"(?s)<(script|style)\b.*?</\1>|<[^>]*>", " ", text))
        text = " ".join(text.split())
        if self._key is not None:
            text = self._key.mask(text)
        if not text:
            return "(empty)"
        return repr(text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…")

    def _bad_key(self, said: str) -> ModelError:
        key, where = self._key, self._wire.address
        sent = "no key was sent" if key is None else f"the key was {key.variable}={MASK}"
        names = " or ".join(variables(where))
        return ModelError(
            f"The server at {where.base} wants a valid key; {said} ({sent}). "
            f"Set {names} in the environment."
        )


def inner_status(found: Any) -> int | None:
    """The status of an error that came as a success or as an event of a stream.

    Gateways wrap the failure of what stands behind them so, and a stream that has begun has no
    other way to tell.
    """
    if not isinstance(found, dict) or not found.get("error"):
        return None
    if "choices" in found or "content" in found:
        return None
    error = found["error"]
    if not isinstance(error, dict):
        return 400
    code = error.get("code")
    if isinstance(code, int) and 400 <= code < 600:
        return code
    return _NAMED.get(str(error.get("type")), 400)


def _message(raw: bytes) -> str | None:
    """The message inside a JSON error, in the two shapes that servers use."""
    try:
        found = msgspec.json.decode(raw)
    except UNREADABLE:
        return None
    error = found.get("error", found) if isinstance(found, dict) else None
    message = error.get("message", error.get("detail")) if isinstance(error, dict) else error
    return message if isinstance(message, str) and message else None
