"""The words of Anthropic's messages, which the study names ``anthropic:MODEL``.

They differ from OpenAI's: the system's text stands apart from the messages, the limit of tokens is
required, the answer is a list of blocks, the usage and the reasons to stop have other names, and a
stream has events of several kinds. There are no seeds and no log-probabilities; a form must be a
JSON Schema. Not covered: tools, images, thinking, caching of prompts.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from tuneornot.models.address import Address, Key
from tuneornot.models.base import Reply, Request
from tuneornot.models.wire import Extras, count
from tuneornot.records import Message, Sampling

VERSION = "2023-06-01"
"""Of the API, as its header wants it."""

_FINISH: dict[str, Literal["stop", "length"]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
}
_READ = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
"""Tokens that were read, counted apart by whether they were in a cache."""


class Claude:
    """See ``wire.Wire``."""

    path = "/messages"

    def __init__(self, address: Address) -> None:
        self.address = address

    def headers(self, key: Key | None) -> dict[str, str]:
        """See ``wire.Wire``."""
        version = {"anthropic-version": VERSION}
        return version if key is None else {**version, "x-api-key": key.secret}

    def body(self, request: Request, extras: Extras) -> bytes:
        """See ``wire.Wire``."""
        sampling = request.sampling
        system = "\n\n".join(m.content for m in request.messages if m.role == "system")
        fields: dict[str, object] = {
            "model": self.address.model,
            "max_tokens": sampling.max_tokens,
            "messages": [_turn(m) for m in request.messages if m.role != "system"],
        }
        if system:
            fields["system"] = system
        # 1 is what the API takes where nothing is said, and some models refuse to be told.
        if sampling.temperature != 1:
            fields["temperature"] = sampling.temperature
        if sampling.top_p < 1:
            fields["top_p"] = sampling.top_p
        if sampling.stop:
            fields["stop_sequences"] = sampling.stop
        if sampling.form is not None:
            fields["output_config"] = {"format": {"type": "json_schema", "schema": sampling.form}}
        if extras.stream:
            fields["stream"] = True
        return msgspec.json.encode(fields)

    def reply(self, found: Any) -> Reply | str:
        """See ``wire.Wire``."""
        blocks = found.get("content") if isinstance(found, dict) else None
        if not isinstance(blocks, list):
            return "the response holds no content"
        texts = [
            block["text"]
            for block in blocks
            if isinstance(block, dict) and isinstance(block.get("text"), str)
        ]
        reason = found.get("stop_reason")
        if not texts:
            return f"the message has no text (stop reason {reason!r})"
        usage = found.get("usage")
        counts = usage if isinstance(usage, dict) else {}
        n_read = [n for name in _READ if (n := count(counts.get(name))) is not None]
        return Reply(
            text="".join(texts),
            finish=None if reason is None else _FINISH.get(str(reason), "other"),
            n_input_tokens=sum(n_read) if n_read else None,
            n_cached_tokens=count(counts.get("cache_read_input_tokens")),
            n_output_tokens=count(counts.get("output_tokens")),
        )

    def add(self, whole: dict[str, Any], event: dict[str, Any]) -> bool:
        """See ``wire.Wire``."""
        kind = event.get("type")
        if kind == "message_start":
            whole.update(content=[], usage=dict(event["message"].get("usage") or {}))
        elif kind == "content_block_start":
            whole["content"].append(dict(event["content_block"]))
        elif kind == "content_block_delta" and event["delta"].get("type") == "text_delta":
            block, text = whole["content"][-1], event["delta"]["text"]
            block["text"] = block.get("text", "") + text
            return bool(text)
        elif kind == "message_delta":
            whole["stop_reason"] = event["delta"].get("stop_reason")
            whole["usage"].update(event.get("usage") or {})
        return False

    def ended(self, whole: dict[str, Any]) -> bool:
        """See ``wire.Wire``."""
        return whole.get("stop_reason") is not None


def refuses(sampling: Sampling) -> str | None:
    """What of a sampling the API cannot do, as a sentence for the study's author."""
    if sampling.logprobs is not None:
        return (
            f"Anthropic's API tells no log-probabilities, found logprobs={sampling.logprobs!r}; "
            "write `sampling: {logprobs: null}` for this arm"
        )
    if sampling.form == "json":
        return "Anthropic's API holds answers to a JSON Schema only, found form='json'; give one"
    if sampling.temperature > 1:
        return f"Anthropic's temperatures end at 1, found {sampling.temperature!r}; lower it"
    return None


def _turn(message: Message) -> dict[str, str]:
    return {"role": message.role, "content": message.content}
