"""From raw YAML to a record, telling every fault instead of the first one only.

msgspec stops at the first value that does not fit. Here each field is converted by itself, nested
records field by field, so that a user sees all that is wrong with path, value and expectation.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from tuneornot.errors import StudyError
from tuneornot.records import Record

T = TypeVar("T", bound=Record)

_HASH = re.compile(r"[{\[][^\n]*\s#")
_COMMENT = (
    "What follows ` #` is a comment to YAML: put an address or a text that holds one in quotes, "
    'such as "http://127.0.0.1:8000/v1#name"'
)
_PLACE = re.compile(r"\[(\d+)\]")
_EXPONENT = re.compile(r"[+-]?\d+(\.\d+)?[eE][+-]?\d{1,2}")


def read(path: Path, advice: str) -> str:
    """What stands in a file that a user wrote.

    Raises:
        StudyError: it cannot be read; ``advice`` says what to give instead.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise StudyError(str(path), [f"cannot be read: {reason}"], advice) from error


def values(written: str, source: str, advice: str) -> object:
    """The YAML of a text as plain values.

    Raises:
        StudyError: it is not YAML.
    """
    try:
        return msgspec.yaml.decode(written.encode("utf-8", "surrogatepass"))
    except msgspec.DecodeError as error:
        said = " ".join(str(error).split()).replace('in "<byte string>", line', "at line")
        hint = f". {_COMMENT}" if _HASH.search(written) else ""
        raise StudyError(source, [f"is not YAML: {said}{hint}"], advice) from error


def gather(form: type[T], raw: object, faults: list[str], path: str = "") -> T | None:
    """Convert a mapping to a record; append a sentence for every fault.

    Returns:
        The record, or ``None`` where it has a fault of its own or below.
    """
    where = path or "the file"
    if raw is None and not path:
        faults.append(f"the file says nothing; expected a mapping of {_names(form)}")
        return None
    if not isinstance(raw, dict):
        faults.append(f"{where}: found {_short(raw)}, expected a mapping of {_names(form)}")
        return None
    before = len(faults)
    hints = get_type_hints(form)
    # By the name in the file, which differs where Python's own words are in the way (`from`).
    fields = {field.encode_name: field for field in msgspec.structs.fields(form)}
    for key in raw:
        if key not in fields:
            near = difflib.get_close_matches(str(key), list(fields), n=1)
            meant = f"did you mean {near[0]!r}?" if near else f"known are {_names(form)}"
            faults.append(f"{_join(path, str(key))}: unknown field; {meant}")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in raw:
            values[field.name] = _value(hints[field.name], raw[name], faults, _join(path, name))
        elif field.required:
            faults.append(f"{_join(path, name)}: missing")
    if len(faults) > before:
        return None
    try:
        return form(**values)
    except (ValueError, TypeError) as error:
        faults.append(f"{where}: {error}")
        return None


def _value(hint: Any, raw: object, faults: list[str], path: str) -> object:
    """Convert one value; records and mappings of records are gathered field by field."""
    record = record_in(hint)
    if record is not None and raw is not None:
        return gather(record, raw, faults, path)
    if isinstance(raw, dict):
        inner = record_by_name(hint)
        if inner is not None:
            return {
                str(key): gather(inner, value, faults, _join(path, str(key)))
                for key, value in raw.items()
            }
    try:
        return msgspec.convert(_number(raw, hint), hint)
    except msgspec.ValidationError as error:
        said, _, rest = str(error).partition(" - at `$")
        below, choices = rest.rstrip("`") if rest else "", _choices(hint)
        wanted = f"{said[:1].lower()}{said[1:]}"
        if said.startswith("Invalid enum value") and choices:
            wanted = f"expected one of {', '.join(map(str, choices))}"
        elif isinstance(raw, str) and "`array`" in said:
            wanted = f"expected a list, such as [{raw}]"
        faults.append(f"{path}{below}: found {_short(_at(raw, below))}, {wanted}")
        return None


def _choices(hint: Any) -> list[object]:
    """The values that a hint allows by name, at any depth."""
    if get_origin(hint) is Literal:
        return [*get_args(hint)]
    return [value for inner in get_args(hint) for value in _choices(inner)]


def _at(raw: object, below: str) -> object:
    """What stands at a place such as ``[0]`` within a list; at any other place the whole."""
    place = _PLACE.fullmatch(below)
    return raw[int(place[1])] if place and isinstance(raw, list) else raw


def _number(raw: object, hint: Any) -> object:
    """``2e6`` as the number that it is in JSON and YAML 1.2; to YAML 1.1 it is a text."""
    options = {hint, *get_args(hint)}
    if isinstance(raw, list):
        within = {kind for one in options if get_origin(one) is tuple for kind in get_args(one)}
        return [_number(each, float) for each in raw] if float in within else raw
    if not isinstance(raw, str) or str in options or not options & {int, float}:
        return raw
    if not _EXPONENT.fullmatch(raw):
        return raw
    value = float(raw)
    return int(value) if value.is_integer() else value


def record_in(hint: Any) -> type[Record] | None:
    """The record type of a hint such as ``Form`` or ``Form | None``."""
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    for option in options:
        if isinstance(option, type) and issubclass(option, Record):
            return option
    return None


def record_by_name(hint: Any) -> type[Record] | None:
    """The record type of a hint such as ``dict[str, Form]``."""
    return record_in(get_args(hint)[1]) if get_origin(hint) is dict else None


def _names(form: type[Record]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(form)]


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _short(raw: object) -> str:
    text = repr(raw)
    return text if len(text) <= 60 else text[:57] + "..."
