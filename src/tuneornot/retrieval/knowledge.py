"""The study's knowledge: passages from a file of rows, and what of the eval set stands in them.

A row has the columns ``text`` and ``id`` and may have ``title``; other columns are ignored. Every
fault of the file is told with its line. Texts are taken as they are: whoever writes the file cuts
documents into passages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tuneornot.errors import DataError
from tuneornot.formats import rows
from tuneornot.records import Case, Passage
from tuneornot.retrieval import words

OPENING = 4
"""Words of a question by which it is looked up; shorter questions stand in texts by chance."""


def read(path: Path) -> tuple[Passage, ...]:
    """The passages of a JSONL, CSV or Parquet file, in its order.

    Raises:
        DataError: the file cannot be read, a row has no text or no id, or an id stands twice.
    """
    faults: list[str] = []
    found: dict[str, Passage] = {}
    places: dict[str, str] = {}
    for row in rows.read(path, faults):
        before = len(faults)
        text = _text(row, "text", faults)
        name = _label(row, faults)
        title = row.values.get("title")
        if title is not None and not isinstance(title, str):
            faults.append(f"{row.place}: title: found {_short(title)}, expected a text")
        if name in found:
            faults.append(f"{row.place}: the id {name!r} stands on {places[name]} already")
        if len(faults) == before:
            found[name] = Passage(id=name, text=text, title=title or None)
            places[name] = row.place
    if faults:
        raise DataError(
            str(path), faults, "A row of knowledge has `text`, `id` and, if you like, `title`."
        )
    return tuple(found.values())


def copies(cases: Iterable[Case], passages: Sequence[Passage]) -> Iterator[tuple[str, str]]:
    """Cases that stand in a passage word for word, the question together with its right answer.

    That a passage holds the answer alone is what knowledge is for. Questions of fewer than
    ``OPENING`` words and cases without an expected answer are not looked for. One pass over the
    passages, whatever the number of cases.

    Yields:
        (case id, passage id), the first passage of each case only, in the order of the passages.
    """
    openings: dict[tuple[str, ...], list[tuple[str, list[str], list[str]]]] = defaultdict(list)
    for case in cases:
        asked, answer = words.of(case.text), words.of(case.answer)
        if len(asked) >= OPENING and case.expected is not None and answer:
            openings[tuple(asked[:OPENING])].append((case.id, asked, answer))
    told: set[str] = set()
    for passage in passages:
        whole = words.of(passage.shown)
        for opening in dict.fromkeys(_runs(whole)):
            for case_id, asked, answer in openings.get(opening, ()):
                copied = words.within(asked, whole) and words.within(answer, whole)
                if copied and case_id not in told:
                    told.add(case_id)
                    yield case_id, passage.id


def _runs(found: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(found[start:] for start in range(OPENING)), strict=False)


def _text(row: rows.Row, name: str, faults: list[str]) -> str:
    value = row.values.get(name)
    if isinstance(value, str) and value.strip():
        return value
    faults.append(f"{row.place}: {name}: found {_short(value)}, expected a text")
    return ""


def _label(row: rows.Row, faults: list[str]) -> str:
    value = row.values.get("id")
    if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
        return str(value)
    faults.append(f"{row.place}: id: found {_short(value)}, expected a text or a whole number")
    return ""


def _short(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
