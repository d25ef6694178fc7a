"""The seam between the protocol and whatever answers: requests in, replies out as they are ready.

A model knows nothing of cases, metrics or stores. Kinds are told apart by the prefix of the name
that an arm gives (``local:``, ``https:``, ``anthropic:``, ``python:``, ``command:``, or a kind of
another package); ``tuneornot.models.registry`` opens them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, Protocol, runtime_checkable

from tuneornot.records import Adapter, Message, Record, Sampling


class Request(Record, frozen=True, kw_only=True):
    """One question to a model."""

    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()


class Reply(Record, frozen=True, kw_only=True):
    """What came back. Exactly one of ``text`` and ``error`` is set."""

    text: str | None = None
    error: str | None = None
    """One sentence: what failed, after how many tries."""
    finish: Literal["stop", "length", "other"] | None = None
    n_input_tokens: int | None = None
    n_cached_tokens: int | None = None
    """Those of the input that the server had read before, where it tells."""
    n_output_tokens: int | None = None
    latency_s: float | None = None
    """From sending to the last token: without queueing, without earlier tries."""
    first_token_s: float | None = None
    """From sending to the first token, where the model tells when that was."""
    logprobs: tuple[float, ...] | None = None
    """Of each token of the answer, in nats, where they were wanted and are offered."""
    alternatives: tuple[dict[str, float], ...] | None = None
    """At each token of the answer the likeliest tokens with their log-probabilities."""
    load: int = 1
    """Requests in flight at the time (for a local model: rows in the batch)."""
    n_tries: int = 1


class Model(Protocol):
    """Something that answers requests."""

    name: str
    """As the arm names it."""

    def identity(self) -> str:
        """What it is beyond its name (weights' fingerprint, served name); stable across calls."""
        ...

    def ask(
        self,
        requests: Iterable[Request],
        *,
        adapter: Adapter | None = None,
        one_by_one: bool = False,
    ) -> Iterator[tuple[int, Reply]]:
        """Answer requests; yield (position, reply) as soon as each is ready, in any order.

        A request that fails yields a reply with an error; it never raises. ``one_by_one`` sends
        each request alone, for timing.

        Raises:
            ModelError: nothing can be answered at all (no such model, server down, bad key).
        """
        ...

    def close(self) -> None:
        """Free what it holds; may be called twice."""
        ...


@runtime_checkable
class Serving(Protocol):
    """A model that can show the tokens it would be asked with."""

    def prompt_tokens(self, messages: Sequence[Message]) -> list[int]:
        """Tokens of a chat up to where the model begins to answer."""
        ...
