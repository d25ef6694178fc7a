"""Files of the user's own that a metric rests on: a glossary, a table of codes.

Rows come from JSONL, CSV or Parquet (``formats.rows``). What is wrong with a file is one sentence
of the setting that names it, because that is where a study's author looks. The file's bytes are a
part of the metric's settings: another file is another metric.
"""

from __future__ import annotations

from pathlib import Path

from tuneornot import fingerprint
from tuneornot.errors import DataError
from tuneornot.formats import rows
from tuneornot.formats.rows import Row

BETWEEN = "|"
"""What separates several texts in one cell."""


def read(file: str, folder: Path, *, needs: str) -> tuple[list[Row], str]:
    """The rows of a file beside the study, and the file's fingerprint.

    Args:
        file: its path, from the study's folder.
        folder: where the study file stands.
        needs: the column that every row must fill.

    Raises:
        ValueError: the file cannot be read, or a row has nothing in that column.
    """
    path, faults = folder / file, list[str]()
    try:
        found = rows.read(path, faults)
    except DataError as error:
        faults += error.faults
        found = []
    faults += [
        f"{row.place} has no {needs!r}" for row in found if not str(row.values.get(needs) or "")
    ]
    if faults:
        more = f", and {len(faults) - 1} faults more" if len(faults) > 1 else ""
        raise ValueError(
            f"file must be a file of rows with {needs!r}, got {file!r}: {faults[0]}{more}; "
            "correct the file, whose path is read from the study's folder"
        )
    return found, fingerprint.of_file(path)


def texts(row: Row, column: str) -> tuple[str, ...]:
    """The texts of one cell: a list, or one text with ``|`` between them; none where it is empty.

    Raises:
        ValueError: it is neither.
    """
    held = row.values.get(column)
    if held is None:
        return ()
    each = held.split(BETWEEN) if isinstance(held, str) else held
    if not isinstance(each, list) or not all(isinstance(one, str) for one in each):
        raise ValueError(
            f"{column} must be texts, as a list or with {BETWEEN!r} between them, got {held!r} on "
            f"{row.place}; correct the file"
        )
    return tuple(one.strip() for one in each if one.strip())
