"""The words of OpenAI's chat completions, as the whole field imitates them.

What is understood is the common ground of OpenAI, vLLM, llama.cpp, Ollama and the hosts that
imitate them: messages, temperature, top_p, max_tokens, stop, seed, response_format, logprobs; the
first choice's message, its finish reason, its log-probabilities, the usage; whole or as a stream.
Not covered: tools, images, several choices.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from tuneornot.models.address import Address, Key
from tuneornot.models.base import Reply, Request
from tuneornot.models.wire import Extras, count
from tuneornot.records import Sampling

_FINISH: dict[str, Literal["stop", "length"]] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
}


class Chat:
    """See ``wire.Wire``."""

    path = "/chat/completions"

    def __init__(self, address: Address) -> None:
        self.address = address

    def headers(self, key: Key | None) -> dict[str, str]:
        """See ``wire.Wire``."""
        return {} if key is None else {"Authorization": f"Bearer {key.secret}"}

    def body(self, request: Request, extras: Extras) -> bytes:
        """See ``wire.Wire``."""
        return body(request, self.address, extras)

    def reply(self, found: Any) -> Reply | str:
        """See ``wire.Wire``."""
        try:
            choice = found["choices"][0]
            content = choice["message"].get("content")
            finish = choice.get("finish_reason")
            usage = found.get("usage")
        except (KeyError, IndexError, TypeError, AttributeError):
            return "the response holds no choice with a message"
        if isinstance(content, list):
            content = "".join(str(p.get("text", "")) for p in content if isinstance(p, dict))
        if not isinstance(content, str):
            kind = "null" if content is None else type(content).__name__
            return (
                f"the message has no text (content {kind}, finish reason {finish!r}; a model that "
                "reasons may have spent max_tokens on it)"
            )
        counts = usage if isinstance(usage, dict) else {}
        read = counts.get("prompt_tokens_details")
        logprobs, alternatives = _told(choice.get("logprobs"))
        return Reply(
            text=content,
            finish=None if finish is None else _FINISH.get(str(finish), "other"),
            n_input_tokens=count(counts.get("prompt_tokens")),
            n_cached_tokens=count(read.get("cached_tokens")) if isinstance(read, dict) else None,
            n_output_tokens=count(counts.get("completion_tokens")),
            logprobs=logprobs,
            alternatives=alternatives,
        )

    def add(self, whole: dict[str, Any], event: dict[str, Any]) -> bool:
        """See ``wire.Wire``."""
        if event.get("usage"):  # the last event, which has no choice
            whole["usage"] = event["usage"]
        if not event.get("choices"):
            return False
        came = event["choices"][0]
        choice = whole.setdefault("choices", [{"message": {}, "finish_reason": None}])[0]
        choice["finish_reason"] = came.get("finish_reason") or choice["finish_reason"]
        if came.get("logprobs"):
            kept = choice.setdefault("logprobs", {"content": []})["content"]
            kept += came["logprobs"].get("content") or []
        text = (came.get("delta") or {}).get("content")
        if text is None:
            return False
        choice["message"]["content"] = choice["message"].get("content", "") + text
        return bool(text)

    def ended(self, whole: dict[str, Any]) -> bool:
        """See ``wire.Wire``."""
        choices = whole.get("choices") or [{}]
        return choices[0].get("finish_reason") is not None


def body(request: Request, address: Address, extras: Extras) -> bytes:
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
    if sampling.top_p < 1:
        fields["top_p"] = sampling.top_p
    if sampling.form is not None:
        fields["response_format"] = _format(sampling)
    if extras.logprobs:
        fields["logprobs"] = True
        fields |= {"top_logprobs": sampling.logprobs} if sampling.logprobs else {}
    if extras.stream:
        fields |= {"stream": True, "stream_options": {"include_usage": True}}
    return msgspec.json.encode(fields)


def _format(sampling: Sampling) -> dict[str, object]:
    if sampling.form == "json":
        return {"type": "json_object"}
    # Strict, because a schema that is only a wish would not hold the decoding to anything.
    schema = {"name": "answer", "schema": sampling.form, "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def _told(
    found: object,
) -> tuple[tuple[float, ...] | None, tuple[dict[str, float], ...] | None]:
    """Log-probabilities and alternatives, or ``None`` where they are not told or not readable."""
    tokens = found.get("content") if isinstance(found, dict) else None
    if not isinstance(tokens, list) or not tokens:
        return None, None
    try:
        logprobs = tuple(_finite(token["logprob"]) for token in tokens)
        told = [token.get("top_logprobs") or () for token in tokens]
        alternatives = tuple(
            {str(one["token"]): _finite(one["logprob"]) for one in reversed(ones)} for ones in told
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None, None
    return logprobs, alternatives if any(alternatives) else None


def _finite(value: float) -> float:
    """A log-probability; impossible tokens are told as -9999 by OpenAI and as -inf by others."""
    value = float(value)
    if math.isnan(value):
        raise ValueError("not a log-probability")
    return max(value, -9999.0)
