"""Records as JSON texts and back, without loss.

msgspec reads and writes them, except for two things that records may hold and its JSON may not:
half of a surrogate pair, which a server can send inside an answer, and NaN, which an estimate is
where the data do not determine it. These go through the standard library, whose JSON has both.
"""

from __future__ import annotations

import json
from typing import TypeVar

import msgspec

from tuneornot.errors import StoreError
from tuneornot.records import Record, Response

R = TypeVar("R", bound=Record)

_ENCODER = msgspec.json.Encoder()


def encode(record: Record) -> str:
    """The JSON text of a record."""
    if isinstance(record, Response):
        # The one kind that comes by the hundred thousand, and the one that holds no NaN.
        try:
            return _ENCODER.encode(record).decode()
        except UnicodeEncodeError:
            pass
    return json.dumps(msgspec.to_builtins(record), separators=(",", ":"))


def decode(text: str, kind: type[R]) -> R:
    """The record that a JSON text holds.

    Raises:
        StoreError: the text is not such a record.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError:
        pass
    try:
        return msgspec.convert(json.loads(text), kind)
    except (ValueError, msgspec.ValidationError) as fault:
        raise StoreError(
            f"a stored {kind.__name__.lower()} must be readable, got {text[:80]!r} ({fault}); "
            "the store was written by another version or damaged: restore it from a copy"
        ) from None
