"""``fields``: what may stand in a study file, taken from the records that it is read into.

It tells names, kinds and defaults, wherever the package is installed; what a field means is told by
docs/reference/study.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, get_type_hints

import msgspec
import typer
from rich.console import Console

from tuneornot.errors import StudyError
from tuneornot.formats import form
from tuneornot.records import Record
from tuneornot.study import Study

_PLACES = re.compile(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])")


def add(app: typer.Typer) -> None:
    """Register the command."""
    app.command("fields", rich_help_panel="Begin")(fields)


def fields(
    section: Annotated[
        str | None, typer.Argument(metavar="[SECTION]", help="Only this one, such as data.split.")
    ] = None,
) -> None:
    """List what may stand in a study file: every field with its kind and its default."""
    lines = [
        line for line in told(Study) if section is None or f"{line} ".startswith(f"{section}.")
    ]
    if not lines:
        sections = [name for name, field in get_type_hints(Study).items() if form.record_in(field)]
        raise StudyError("fields", [f"there is no section {section!r}"], f"Try {sections}.")
    out = Console(highlight=False)
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)


def told(record: type[Record], path: str = "") -> Iterator[str]:
    """A line for each field of a record, those of the records in it after it."""
    hints = get_type_hints(record)
    for field in msgspec.structs.fields(record):
        name, hint = f"{path}{field.encode_name}", hints[field.name]
        yield f"{name:34} {_kind(hint)}{_default(field)}"
        inner = form.record_in(hint)
        if inner is not None:
            yield from told(inner, f"{name}.")
        elif (each := form.record_by_name(hint)) is not None:
            yield from told(each, f"{name}.NAME.")


def _kind(hint: Any) -> str:
    """A type as people read it."""
    if form.record_in(hint) is not None:
        return "section"
    if form.record_by_name(hint) is not None:
        return "sections by name"
    text = hint.__name__ if isinstance(hint, type) and not hasattr(hint, "__args__") else str(hint)
    return _PLACES.sub("", text)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return ", required"
    if isinstance(field.default, Record) or field.default is msgspec.NODEFAULT:
        return ""
    return "" if field.default is None else f", {field.default!r} if left out"
