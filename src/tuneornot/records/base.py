"""What every record is made of: a frozen struct with a fingerprint of its content."""

from __future__ import annotations

import functools
from collections.abc import Collection
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

    def settled(self, later: Collection[str]) -> dict[str, Any]:
        """The fields as JSON values; those named, which came later, only where they are set.

        So what was fingerprinted before there were such fields keeps its fingerprint.
        """
        silent = {
            field.name
            for field in msgspec.structs.fields(self)
            if field.name in later and getattr(self, field.name) == _default(field)
        }
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return {name: value for name, value in fields.items() if name not in silent}


def _default(field: msgspec.structs.FieldInfo) -> Any:
    made = field.default_factory
    return field.default if made is msgspec.NODEFAULT else made()
