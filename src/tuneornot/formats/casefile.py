"""From raw rows to cases: which column is which field, and what may stand in it.

Understands a plain table (``input``, ``expected``, ...), chats as a list of messages, and the chat
shape of fine-tuning files, whose final assistant turn is the expected answer. Columns that no field
names are ignored. Every fault is a sentence with the place, what was found and what was expected;
the reading goes on after a fault, so that all of them are told at once.

It does not judge the cases (see ``dataset.audit``), and it does not turn a text that happens to be
JSON into JSON: what the file calls a text stays one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from tuneornot import fingerprint
from tuneornot.formats.rows import Row
from tuneornot.records import Case, Json, Message

FIELDS = tuple(field.name for field in msgspec.structs.fields(Case))
ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
Fault = Callable[[str, str], None]
"""Notes that a field, named first, does not hold what is expected, named second."""

ABSENT = object()
"""A column that a row does not have, as opposed to one that holds null."""


def cases(rows: Sequence[Row], fields: Mapping[str, str], faults: list[str]) -> list[Case]:
    """Make a case of every row that allows it; append a sentence for every fault.

    Args:
        rows: as ``rows.read`` gives them.
        fields: case field to column where the names differ; dots lead into nested columns.
        faults: sentences are appended here.

    Returns:
        The cases without a fault. A case without an id gets one made from its content.
    """
    columns = _columns(rows, fields, faults)
    made: list[Case] = []
    places: dict[str, str] = {}
    for row in rows:
        if columns and (case := _case(row, columns, faults)) is not None:
            if case.id in places and "id" not in columns:
                case = msgspec.structs.replace(case, id=_numbered(case.id, places))
            if case.id in places:
                faults.append(
                    f"{row.place}: the id {case.id!r} stands on {places[case.id]} already"
                )
            places.setdefault(case.id, row.place)
            made.append(case)
    return made


def _columns(rows: Sequence[Row], fields: Mapping[str, str], faults: list[str]) -> dict[str, str]:
    """Field to column, for the fields that the file has; empty where it cannot be read at all."""
    before = len(faults)
    unknown = [name for name in fields if name not in FIELDS]
    faults += [f"fields: {name!r} is not a field of a case; known are {FIELDS}" for name in unknown]
    columns = {}
    for name in FIELDS:
        options = [fields[name]] if name in fields else [name]
        if options == ["input"]:
            options.append("messages")
        there = [option for option in options if _occurs(rows, option)]
        if there:
            columns[name] = there[0]
        elif name in fields or name == "input":
            faults.append(
                f"no row has the column {options[0]!r} for the field {name!r}; "
                f"columns are {names(rows)}"
            )
    return columns if len(faults) == before else {}


def _occurs(rows: Sequence[Row], column: str) -> bool:
    return any(at(row.values, column) is not ABSENT for row in rows)


def names(rows: Sequence[Row]) -> list[str]:
    """The columns of a file, for a sentence; at most 20."""
    return sorted({name for row in rows for name in row.values})[:20]


def at(values: Mapping[str, Any], column: str) -> Any:
    """The value of a column; a column whose own name has dots goes before a nested one."""
    if column in values:
        return values[column]
    found: Any = values
    for part in column.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return ABSENT
        found = found[part]
    return found


def _case(row: Row, columns: Mapping[str, str], faults: list[str]) -> Case | None:
    found = {name: at(row.values, column) for name, column in columns.items()}
    own: list[str] = []

    def fault(name: str, expected: str) -> None:
        value = found.get(name, ABSENT)
        what = "nothing" if value is ABSENT else _short(value)
        own.append(f"{row.place}: {columns[name]}: found {what}, expected {expected}")

    asked, turn = _input(found["input"], fault)
    expected = _expected(found.get("expected", ABSENT), turn, fault)
    context = _context(found.get("context"), fault)
    name = _label(found["id"], "id", fault, needed=True) if "id" in found else None
    part = _label(found.get("slice"), "slice", fault)
    group = _label(found.get("group"), "group", fault)
    faults += own
    if own or asked is None:
        return None
    made = Case(id="", input=asked, expected=expected, context=context, slice=part, group=group)
    content = [made.question, made.expected]
    return msgspec.structs.replace(made, id=name or fingerprint.of(content)[:12])


def _input(value: Any, fault: Fault) -> tuple[str | tuple[Message, ...] | None, str | None]:
    """What is asked, and the final turn of the assistant if the chat ends with one."""
    if isinstance(value, str):
        return value, None
    if not isinstance(value, list) or not value:
        fault("input", "a text or a list of messages")
        return None, None
    turns = []
    for position, raw in enumerate(value, start=1):
        message = _message(raw)
        if message is None:
            fault("input", f"{{role, content}} with a known role and a text as message {position}")
            return None, None
        turns.append(message)
    answer = turns.pop().content if turns[-1].role == "assistant" else None
    if not turns or turns[-1].role != "user":
        fault("input", "messages of which the last is from the user (or the answer to one)")
        return None, None
    return tuple(turns), answer


def _message(raw: Any) -> Message | None:
    if not isinstance(raw, Mapping) or raw.get("role") not in ROLES:
        return None
    content = raw.get("content")
    if isinstance(content, list):  # content parts; only texts can be asked
        parts = [part.get("text") if isinstance(part, Mapping) else None for part in content]
        texts = [part for part in parts if isinstance(part, str)]
        content = "\n".join(texts) if len(texts) == len(parts) else None
    if not isinstance(content, str):
        return None
    return msgspec.convert({"role": ROLES[raw["role"]], "content": content}, Message)


def _expected(value: Any, turn: str | None, fault: Fault) -> Json:
    if turn is not None and value not in (ABSENT, None):
        fault("expected", "nothing, because the messages end with the assistant's answer")
    if value is ABSENT or value is None:
        return turn
    if not _is_json(value):
        fault("expected", "a text or JSON")
        return None
    return value  # type: ignore[no-any-return]


def _is_json(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_json(item) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | int)


def _context(value: Any, fault: Fault) -> str | None:
    if value is ABSENT or value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "\n\n".join(value) or None
    fault("context", "a text or a list of texts")
    return None


def _label(value: Any, name: str, fault: Fault, *, needed: bool = False) -> str | None:
    if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
        return str(value)
    if needed or (value is not ABSENT and value is not None and value != ""):
        fault(name, "a text or a whole number")
    return None


def _numbered(name: str, places: Mapping[str, str]) -> str:
    """A free id for a repeated case: the rows are alike, so their order does not matter."""
    number = 2
    while f"{name}-{number}" in places:
        number += 1
    return f"{name}-{number}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
