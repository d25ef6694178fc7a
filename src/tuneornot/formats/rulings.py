"""Rulings of people on pairs that look like a leak: ``leaks.jsonl`` beside the study file.

A row names the pair of questions by what they say, not by their ids, so a ruling ends when one of
them changes. The file belongs under version control, beside the study: it says what was let pass,
by whom and why. This file knows no cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from tuneornot.errors import DataError, StoreError
from tuneornot.formats import replaced
from tuneornot.records import Record

NAME = "leaks.jsonl"


class Ruling(Record, frozen=True, kw_only=True):
    """That a pair is no leak."""

    pair: str
    """As ``records.Overlap`` names it."""
    kind: str
    """What it was taken for."""
    other: str
    """Set and id of the side that teaches."""
    judged: str
    """Set and id of the side that judges."""
    why: str
    by: str
    at: str
    """When, UTC."""


def read(path: Path) -> tuple[Ruling, ...]:
    """The rulings of a file; none where there is no file.

    Raises:
        DataError: the file cannot be read, or a row is no ruling.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise DataError(str(path), [f"cannot be read: {error.strerror}"]) from error
    found, faults = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(msgspec.json.decode(line, type=Ruling))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            faults.append(f"line {number}: is no ruling: {error}")
    if faults:
        raise DataError(str(path), faults, "Remove the row; `tuneornot leaks` writes it anew.")
    return tuple(found)


def write(rulings: Sequence[Ruling], path: Path) -> None:
    """Write the file in one step; a row for each ruling.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        replaced.write(b"".join(msgspec.json.encode(one) + b"\n" for one in rulings), path)
    except OSError as error:
        raise StoreError(
            f"The rulings cannot be written to {str(path)!r}: {error.strerror}. "
            "Free some space or make the folder writable."
        ) from error
