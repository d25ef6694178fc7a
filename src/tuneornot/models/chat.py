"""The words of the chat completions protocol: a request as a body, a response as a reply or fault.

Pure functions on bytes. What is understood is the common ground of OpenAI, vLLM, llama.cpp, Ollama
and the hosts that imitate them: messages, temperature, max_tokens, stop, seed; the first choice's
message, its finish reason, the usage. Not covered: streaming, tools, images, log-probabilities.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import msgspec

from tuneornot.errors import ModelError, ServerError
from tuneornot.models.address import MASK, Address, Key, variables
from tuneornot.models.base import Reply, Request
from tuneornot.models.pool import Fault

EXCERPT = 160
"""Characters shown of whatever came instead of an answer."""

UNREADABLE = (ValueError, RecursionError)
"""What decoding raises on what is no JSON: bad syntax, bad UTF-8, brackets without end."""

_FINISH: dict[str, Literal["stop", "length"]] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
}
_PASSING = {408, 409, 425, 429}
_OVERLOAD = {429, 503}


def body(request: Request, address: Address) -> bytes:
    """The JSON to post for a request."""
    sampling = request.sampling
    # OpenAI's newer models refuse the old name of the limit; the imitations know only the old one.
    limit = "max_completion_tokens" if address.is_openai else "max_tokens"
    fields: dict[str, object] = {
        "model": address.model,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "temperature": sampling.temperature,
        limit: sampling.max_tokens,
        "seed": sampling.seed,
    }
    if sampling.stop:
        fields["stop"] = sampling.stop
    return msgspec.json.encode(fields)


class Reader:
    """Reads the responses of one server; keeps its key out of every sentence."""

    def __init__(self, address: Address, key: Key | None) -> None:
        self.address = address
        self.key = key

    def read(
        self, status: int, headers: Mapping[str, str], raw: bytes, *, latency_s: float
    ) -> Reply | Fault:
        """What a response to a chat completion means.

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
        inner = _inner_status(found)
        if inner is not None:
            return self.refusal(inner, headers, raw)
        return self._completion(found, raw, latency_s)

    def refusal(self, status: int, headers: Mapping[str, str], raw: bytes) -> Fault:
        """What a response with another status than 200 means."""
        said = f"the server answered HTTP {status}: {self.excerpt(raw)}"
        if status == 401 or (status == 403 and self.key is None):
            return Fault(said, stop=self._bad_key(said))
        if status == 402 or (status == 429 and b"insufficient_quota" in raw):
            stop = ServerError(
                f"The account at {self.address.host} must have credit; {said}. Top it up; the "
                "same command continues from there."
            )
            return Fault(said, stop=stop)
        if 300 <= status < 400:
            to = headers.get("Location", "an unnamed address")
            elsewhere = ModelError(
                f"The server at {self.address.base} must answer by itself; it redirects to {to!r}. "
                "Write the address that it means in the study."
            )
            return Fault(said, stop=elsewhere)
        return Fault(
            said,
            retry=status in _PASSING or status >= 500,
            overload=status in _OVERLOAD,
            wait_s=wait_s(headers),
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
        if self.key is not None:
            text = self.key.mask(text)
        if not text:
            return "(empty)"
        return repr(text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…")

    def _completion(self, found: Any, raw: bytes, latency_s: float) -> Reply | Fault:
        try:
            choice = found["choices"][0]
            content = choice["message"].get("content")
            finish = choice.get("finish_reason")
            usage = found.get("usage")
        except (KeyError, IndexError, TypeError, AttributeError):
            return Fault(f"the response holds no choice with a message: {self.excerpt(raw)}")
        if isinstance(content, list):
            content = "".join(str(p.get("text", "")) for p in content if isinstance(p, dict))
        if not isinstance(content, str):
            kind = "null" if content is None else type(content).__name__
            return Fault(
                f"the message has no text (content {kind}, finish reason {finish!r}; a model that "
                "reasons may have spent max_tokens on it)"
            )
        counts = usage if isinstance(usage, dict) else {}
        return Reply(
            text=content,
            finish=None if finish is None else _FINISH.get(str(finish), "other"),
            n_input_tokens=_count(counts.get("prompt_tokens")),
            n_cached_tokens=_cached(counts.get("prompt_tokens_details")),
            n_output_tokens=_count(counts.get("completion_tokens")),
            latency_s=latency_s,
        )

    def _bad_key(self, said: str) -> ModelError:
        sent = "no key was sent" if self.key is None else f"the key was {self.key.variable}={MASK}"
        names = " or ".join(variables(self.address))
        return ModelError(
            f"The server at {self.address.base} wants a valid key; {said} ({sent}). "
            f"Set {names} in the environment."
        )


def wait_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3), given as number or date.

    A date counts from the response's own Date, so that a wrong clock on either side does no harm.
    """
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        until = _date(value)
        if until is None:
            return None
        seconds = (until - (_date(headers.get("Date", "")) or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if seconds < float("inf") else None


def _date(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _inner_status(found: Any) -> int | None:
    """Gateways wrap the failure of what stands behind them into a response with status 200."""
    if not isinstance(found, dict) or "choices" in found or not found.get("error"):
        return None
    error = found["error"]
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 400


def _message(raw: bytes) -> str | None:
    """The message inside a JSON error, in the two shapes that servers use."""
    try:
        found = msgspec.json.decode(raw)
    except UNREADABLE:
        return None
    error = found.get("error", found) if isinstance(found, dict) else None
    message = error.get("message", error.get("detail")) if isinstance(error, dict) else error
    return message if isinstance(message, str) and message else None


def _cached(details: object) -> int | None:
    """Tokens of the prompt that were read before, as OpenAI and vLLM tell them."""
    return _count(details.get("cached_tokens")) if isinstance(details, dict) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
