"""Files of rows: JSONL, CSV and Parquet in, raw rows with their places out.

A row is a mapping from column to value together with the line (or row) where it stands, so that
whoever reads meaning into it can say where a fault is. Nothing here knows what a case is. Faults
of single rows are collected and the reading goes on; a file that cannot be read at all raises.

Not covered: JSON arrays in one piece, Excel, compressed files, encodings other than UTF-8.
"""

from __future__ import annotations

import codecs
import csv
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec

from tuneornot.errors import DataError

CONVERT = "Save it as UTF-8 and run the command again."


class Row(NamedTuple):
    """One row of a file."""

    place: str
    """Where it stands: ``line 7``, or ``row 7`` where the format has no lines."""
    values: dict[str, Any]
    """Column to raw value; CSV cells are texts, and an empty cell is an empty text."""


def read(path: Path, faults: list[str]) -> list[Row]:
    """Read every row of a file; append a sentence to ``faults`` for each row that is unreadable.

    Raises:
        DataError: the file is missing, a folder, of a kind that is not understood, not UTF-8 (CSV),
            without rows, or not what its name says.
    """
    reader = _reader(path)
    try:
        rows = reader(path, faults)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _refused(path, f"cannot be read: {reason}", "Check the path and rights.") from error
    if not rows and not faults:
        raise _refused(path, "holds no rows", "Give a file with at least one case.")
    return rows


def _reader(path: Path) -> Callable[[Path, list[str]], list[Row]]:
    if path.is_dir():
        raise _refused(path, "is a folder, expected a file", f"Name one of {KINDS} in it.")
    if not path.exists():
        raise _refused(path, "there is no such file", "Check the path.")
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise _refused(
            path, f"found the ending {path.suffix!r}, expected one of {KINDS}", CONVERSION
        )
    return reader


def _refused(path: Path, fault: str, advice: str) -> DataError:
    return DataError(str(path), [fault], advice)


def _jsonl(path: Path, faults: list[str]) -> list[Row]:
    data = _without_mark(path, path.read_bytes())
    if data.lstrip()[:1] == b"[":
        raise _refused(path, "is one JSON array, expected one JSON object on each line", CONVERSION)
    rows = []
    # Split on line feeds only: other separators of Unicode may stand inside a JSON text.
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            values = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            faults.append(f"line {number}: is not JSON: {_reason(error)}; found {_short(line)}")
            continue
        if isinstance(values, dict):
            rows.append(Row(f"line {number}", values))
        else:
            faults.append(f"line {number}: found {_short(line)}, expected a JSON object")
    return rows


def _csv(path: Path, faults: list[str]) -> list[Row]:
    text = _decoded(path, _without_mark(path, path.read_bytes()))
    previous = csv.field_size_limit(sys.maxsize)  # documents as contexts exceed the default
    try:
        return list(_records(path, csv.reader(io.StringIO(text, newline=""), strict=True), faults))
    except csv.Error as error:
        fault = f"is not CSV: {error}"
        raise _refused(
            path, fault, 'Quote cells with ", and double a quote inside them.'
        ) from error
    finally:
        csv.field_size_limit(previous)


def _records(path: Path, reader: Any, faults: list[str]) -> Iterator[Row]:
    header: list[str] | None = None
    start = 1
    for cells in reader:
        place, start = f"line {start}", reader.line_num + 1
        if not any(cells):
            continue
        if header is None:
            header = _header(path, cells)
        elif len(cells) == len(header):
            yield Row(place, dict(zip(header, cells, strict=True)))
        else:
            faults.append(
                f"{place}: found {len(cells)} cells, expected {len(header)} as in the first line"
            )


def _header(path: Path, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        fault = f"line 1: the column {repeated[0]!r} stands there twice"
        raise _refused(path, fault, "Give every column a name of its own.")
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        fault = f"line 1: found one column {names[0]!r}, expected cells separated by commas"
        raise _refused(path, fault, "Save it with commas as separators.")
    return names


def _parquet(path: Path, faults: list[str]) -> list[Row]:
    # Costs a third of a second to import, which readers of the other formats need not pay.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        fault = f"is not a Parquet file that can be read: {_reason(error)}"
        raise _refused(path, fault, "Write it again, for example with pyarrow.") from error
    listed = cast("list[dict[str, Any]]", table.to_pylist())
    return [Row(f"row {number}", values) for number, values in enumerate(listed, start=1)]


def _without_mark(path: Path, data: bytes) -> bytes:
    """The bytes without a byte order mark; UTF-16 and UTF-32 are refused by theirs."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _refused(path, "is UTF-16 or UTF-32 text, expected UTF-8", CONVERT)
    return data.removeprefix(codecs.BOM_UTF8)


def _decoded(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = data[error.start : error.start + 1]
        raise _refused(path, f"line {line}: the byte {found!r} is not UTF-8", CONVERT) from error


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return " ".join(str(error).split()).removeprefix("JSON is malformed: ")


def _short(line: bytes) -> str:
    text = line.decode("utf-8", "replace").strip()
    return repr(text if len(text) <= 60 else text[:57] + "...")


READERS: dict[str, Callable[[Path, list[str]], list[Row]]] = {
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".csv": _csv,
    ".parquet": _parquet,
}
KINDS = ", ".join(READERS)
CONVERSION = "Convert it, or rename it if only its name is wrong."
