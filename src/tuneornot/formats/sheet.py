"""Things to label as a table in CSV, for people who label in a spreadsheet, and back again.

A row is one thing; ``label`` is filled in, ``who`` says by whom. Only ``item``, ``label`` and
``who`` are read back, so columns may be moved, hidden or added. What a label may be is not known
here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from tuneornot.errors import DataError, StoreError

FORMULA = ("=", "+", "-", "@")
"""Spreadsheets run a cell that begins with one of these; a model may write it."""


class Row(NamedTuple):
    """One filled row."""

    line: int
    item: str
    label: str
    who: str


def write(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows of the same columns; ``who`` is added empty.

    Raises:
        StoreError: the file cannot be written.
    """
    table = [{**{name: _safe(text) for name, text in row.items()}, "who": ""} for row in rows]
    columns = list(dict.fromkeys(name for row in table for name in row))
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(table)
    except OSError as error:
        raise StoreError(
            f"The sheet cannot be written to {str(path)!r}: {error.strerror}. "
            "Name a place that can be written to."
        ) from error


def read(path: Path, *, who: str = "") -> tuple[Row, ...]:
    """The rows that have a label.

    Args:
        path: of the file.
        who: whose labels they are where a row does not say.

    Raises:
        DataError: the file cannot be read, lacks a column, or a row lacks what it needs.
    """
    advice = "Export a sheet with `tuneornot label STUDY --export FILE` and fill it in."
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"item", "label"} - set(reader.fieldnames or ())
            if missing:
                raise DataError(str(path), [f"has no column {sorted(missing)!r}"], advice)
            rows = [
                Row(
                    reader.line_num,
                    (row["item"] or "").strip(),
                    (row["label"] or "").strip(),
                    (row.get("who") or "").strip() or who,
                )
                for row in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(str(path), [f"cannot be read: {reason}"], advice) from error
    filled = tuple(row for row in rows if row.label)
    faults = [f"line {row.line}: has a label and no item" for row in filled if not row.item]
    faults += [
        f"line {row.line}: does not say who labelled; fill `who`, or give --as NAME"
        for row in filled
        if not row.who
    ]
    if not filled:
        faults.append("has no row with a label")
    if faults:
        raise DataError(str(path), faults, advice)
    return filled


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
