"""A file that a model was trained on elsewhere, read as cases to hold against those that judge.

Training files come in several shapes: chats under `messages`, `prompt` with `completion` (texts, or
lists of messages), or rows like the study's own cases. System messages are no part of a question,
so they are told apart; a chat of several turns is a case as a whole and one for each of its
questions. Rows are named by their place in the file.

Not covered: preference pairs, plain text without questions, and whatever else a model may have been
trained on besides the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from tuneornot.errors import DataError
from tuneornot.formats import casefile, rows
from tuneornot.formats.rows import Row
from tuneornot.records import Case

SHAPES = "docs/guides/bring-your-own.md shows the shapes that are understood."


class Taught(NamedTuple):
    """What a training file holds."""

    cases: tuple[Case, ...]
    """A case for each question, without system messages."""
    n_rows: int
    told: tuple[str | None, ...]
    """For each row that is a chat its system message, ``None`` where it has none."""


def read(path: Path, fields: Mapping[str, str]) -> Taught:
    """Read a training file.

    Args:
        path: JSONL, CSV or Parquet.
        fields: case field to column, for rows like the study's cases.

    Raises:
        DataError: every fault of the file with its place.
    """
    faults: list[str] = []
    found = rows.read(path, faults)
    plain = [row for row in found if _shape(row) is None]
    shaped = [shape for row in found if (shape := _shape(row)) is not None]
    cases = casefile.cases(shaped, {}, faults) if shaped else []
    told = tuple(_system(case) for case in cases if not isinstance(case.input, str))
    if plain:
        columns = {name: column for name, column in fields.items() if name != "id"}
        named = [Row(row.place, {**row.values, "id": row.place}) for row in plain]
        cases += casefile.cases(named, columns, faults)
    if faults:
        raise DataError(str(path), faults, SHAPES)
    return Taught(tuple(one for case in cases for one in _asked(case)), len(found), told)


def _shape(row: Row) -> Row | None:
    """A row of one of the usual shapes as a case's columns; ``None`` for any other.

    It is named by its place, by which its reader finds it; ids may repeat in such files.
    """
    values = row.values
    if "messages" in values:
        return Row(row.place, {"id": row.place, "input": values["messages"]})
    if not {"prompt", "completion"} <= values.keys():
        return None
    prompt, completion = values["prompt"], values["completion"]
    if isinstance(prompt, list) and isinstance(completion, list):
        return Row(row.place, {"id": row.place, "input": [*prompt, *completion]})
    return Row(row.place, {"id": row.place, "input": prompt, "expected": completion})


def _system(case: Case) -> str | None:
    turns = case.input if not isinstance(case.input, str) else ()
    return next((turn.content for turn in turns if turn.role == "system"), None)


def _asked(case: Case) -> Iterator[Case]:
    """The case without its system messages, and each question of a longer chat by itself."""
    if isinstance(case.input, str):
        yield case
        return
    turns = [turn for turn in case.input if turn.role != "system"]
    yield msgspec.structs.replace(case, input=turns[0].content if len(turns) == 1 else tuple(turns))
    if len(turns) == 1:
        return
    # The last question's answer is the case's own; those before it stand in the chat.
    answers = [*(turn.content for turn in turns[1:]), case.expected]
    for place, (turn, answer) in enumerate(zip(turns, answers, strict=True), start=1):
        if turn.role == "user":
            name = f"{case.id}, message {place}"
            yield msgspec.structs.replace(case, id=name, input=turn.content, expected=answer)
