"""Suites that users have as files: their own, and those of other tools.

    .jsonl          rows with `request` and whatever else a behaviour has; or garak's report, of
                    which the prompts are taken
    .csv .parquet   a column `prompt`, `request`, `goal`, `behavior` or `input`
    .txt            one prompt on each line, as garak keeps its own
    .yaml .prompt   a seed data set of PyRIT
    .json           test cases of DeepTeam: a list, or a list under `test_cases`

Of other tools only the prompts and their categories are read: what they were judged by stays with
them, and of a conversation the user's last turn is taken. A prompt that is not text, such as an
image, is a fault and never left out in silence. No tool needs to be installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tuneornot.attacks.behaviours import Behaviour
from tuneornot.errors import DataError
from tuneornot.formats import rows

PROMPTS = ("request", "prompt", "goal", "behavior", "behaviour", "input", "value")
"""Columns that hold the prompt, the first that is there is taken."""
GROUPS = ("category", "semanticcategory", "harm_category", "harm_categories", "vulnerability")
"""Columns that hold the category."""
ADVICE = "docs/concepts/redteam.md explains the files; nothing was asked."

_OWN = {name for name in Behaviour.__struct_fields__ if name not in ("id", "category", "request")}


def read(path: Path) -> list[Behaviour]:
    """The behaviours of a file, each prompt once.

    Raises:
        DataError: every fault of the file.
    """
    faults: list[str] = []
    kind = path.suffix.lower()
    if kind == ".txt":
        raw = _lines(path)
    elif kind in (".yaml", ".yml", ".prompt", ".json"):
        raw = _document(path)
    else:
        raw = [(row.place, row.values) for row in rows.read(path, faults)]
        if any("entry_type" in values for _, values in raw):
            raw = list(_attempts(raw))
    found: dict[str, Behaviour] = {}
    for place, values in raw:
        try:
            one = _behaviour(path.stem, len(found) + 1, values)
        except (ValueError, msgspec.ValidationError) as fault:
            faults.append(f"{place}: {fault}")
            continue
        found.setdefault(f"{one.request}\0{one.benign}", one)
    if not found and not faults:
        faults.append("holds no prompts")
    if faults:
        raise DataError(str(path), faults, ADVICE)
    return list(found.values())


def _behaviour(source: str, number: int, values: Mapping[str, Any]) -> Behaviour:
    """One row as a behaviour; columns that mean nothing here are left alone.

    Raises:
        ValueError: there is no prompt, or a field is not what it must be.
    """
    lower = {str(name).strip().lower(): value for name, value in values.items()}
    said = next((lower[name] for name in PROMPTS if lower.get(name)), None)
    if said is None and isinstance(lower.get("turns"), list):
        said = _asked(lower["turns"])
    if lower.get("data_type") not in (None, "", "text"):
        raise ValueError(f"found a prompt of the type {lower['data_type']!r}, expected text")
    if not isinstance(said, str) or not said.strip():
        raise ValueError(f"found {said!r} as the prompt, expected a text under one of {PROMPTS}")
    category = next((lower[name] for name in GROUPS if lower.get(name)), source)
    if isinstance(category, list):
        category = category[0]
    own = {name: lower[name] for name in _OWN if lower.get(name) not in (None, "")}
    given = {
        **own,
        "id": str(lower.get("id") or f"{source}-{number}"),
        "category": str(category),
        "request": said.strip(),
    }
    return msgspec.convert(given, Behaviour, strict=False)


def _lines(path: Path) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"line {number}", {"prompt": line})
        for number, line in enumerate(_text(path).splitlines(), start=1)
        if line.strip()
    ]


def _document(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """A list of prompts, alone or under the name that PyRIT or DeepTeam gives it."""
    text = _text(path)
    decode = msgspec.json.decode if path.suffix.lower() == ".json" else msgspec.yaml.decode
    try:
        document = decode(text)
    except msgspec.DecodeError as error:
        raise DataError(str(path), [f"cannot be read: {error}"], ADVICE) from error
    shared: dict[str, Any] = {}
    listed = document
    if isinstance(document, dict):
        shared = {name: document[name] for name in ("harm_categories",) if name in document}
        names = ("seeds", "prompts", "test_cases", "testCases")
        listed = next((document[name] for name in names if name in document), None)
    if not isinstance(listed, list):
        fault = "expected a list of prompts, alone or as `seeds`, `prompts` or `test_cases`"
        raise DataError(str(path), [fault], ADVICE)
    return [
        (f"entry {number}", {**shared, **(one if isinstance(one, dict) else {"prompt": one})})
        for number, one in enumerate(listed, start=1)
    ]


def _attempts(
    raw: Iterable[tuple[str, Mapping[str, Any]]],
) -> Iterable[tuple[str, dict[str, Any]]]:
    """The prompts of garak's report; each attempt stands there once for every state it was in."""
    for place, values in raw:
        if values.get("entry_type") == "attempt":
            category = str(values.get("probe_classname") or "garak")
            yield place, {"prompt": _last_turn(values.get("prompt")), "category": category}


def _last_turn(prompt: Any) -> Any:
    """The text of a prompt: garak keeps it as a text or as a conversation."""
    if isinstance(prompt, dict) and isinstance(prompt.get("turns"), list):
        return _asked(prompt["turns"])
    return prompt


def _asked(turns: list[Any]) -> Any:
    """What the user says last in a conversation of garak or DeepTeam."""
    said = [turn.get("content") for turn in turns if dict(turn).get("role") == "user"]
    content = said[-1] if said else None
    return content.get("text") if isinstance(content, dict) else content


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise DataError(str(path), [f"cannot be read: {reason}"], "Check the path.") from error
