"""What every record is made of: a frozen struct with a fingerprint of its content."""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from tuneornot import fingerprint

Json = str | int | float | bool | None | list[Any] | dict[str, Any]
"""Any JSON value (msgspec cannot validate a recursive type, hence the ``Any`` inside)."""


class Record(msgspec.Struct, frozen=True, kw_only=True, dict=True, forbid_unknown_fields=True):
    """The base of every record: frozen, keyword-only, with a fingerprint of its content."""

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hash of the record's content; equal content gives an equal fingerprint."""
        return fingerprint.of(msgspec.to_builtins(self))
