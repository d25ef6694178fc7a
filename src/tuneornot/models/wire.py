"""The seam between a connection and the words of one API: requests to bodies, JSON to replies.

A wire is pure: it opens nothing and waits for nothing. ``chat`` speaks OpenAI's chat completions,
``claude`` Anthropic's messages.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from tuneornot.models.address import Address, Key
from tuneornot.models.base import Reply, Request


class Extras(NamedTuple):
    """What is asked besides the answer. It changes no answer, so it can be done without."""

    stream: bool = False
    """Piece by piece, to see when the first token comes."""
    logprobs: bool = False
    """With the log-probabilities that the sampling wants."""


class Wire(Protocol):
    """How one API says things."""

    address: Address
    path: str
    """Where questions are posted, behind the base address."""

    def headers(self, key: Key | None) -> dict[str, str]:
        """The headers of every request."""
        ...

    def body(self, request: Request, extras: Extras) -> bytes:
        """The JSON to post for a request.

        Raises:
            UnicodeEncodeError: the request holds half of a surrogate pair.
        """
        ...

    def reply(self, found: Any) -> Reply | str:
        """What a whole response says, given as decoded JSON: a reply with a text, or a sentence
        (no full stop) that tells why it holds none."""
        ...

    def add(self, whole: dict[str, Any], event: dict[str, Any]) -> bool:
        """Add one event of a stream to what becomes the whole response.

        Returns:
            Whether it brought some of the answer's text.
        """
        ...

    def ended(self, whole: dict[str, Any]) -> bool:
        """Whether the answer was told to its end."""
        ...


def count(value: object) -> int | None:
    """A number of tokens, or ``None`` where a server says something else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
