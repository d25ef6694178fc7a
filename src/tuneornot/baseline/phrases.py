"""How to tell a model what is wanted: instructions and format hints, by the kind of answer.

The task itself is the user's text and stays as it is; what stands here is added around it. The
kind of answer, the keys of a JSON answer and the list of labels are read off the expected answers
of the training cases, never off cases that judge.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from tuneornot.records import MARKER, Case, Json

Kind = Literal["json", "label", "short", "text"]

MOST_LABELS = 60
LABEL_CHARACTERS = 60
SHORT_WORDS = 8
NEARLY_ALL = 0.9

_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (float,),
    "boolean": (bool,),
    "null": (type(None),),
}

# A number shown in quotes would be answered in quotes.
_QUOTED_TYPE = re.compile(r'"(<(?!text)[^<>"]*>)"')

_ONLY: dict[Kind, str] = {
    "json": "Reply with the JSON and nothing else: no explanation around it, no code fence.",
    "label": "Reply with the label and nothing else, spelled exactly as it is given.",
    "short": "Reply with the answer and nothing else: no sentence around it, no explanation.",
    "text": "Reply with the text that is asked for and nothing else, without a remark about it.",
}

_NOTED: dict[Kind, str] = {
    "json": "Copy out of the message, word for word, each part that the task needs, one part on a "
    "line, with what it is.",
    "label": "Say in one or two sentences what the message is about and what in it decides the "
    "task.",
    "short": "List in short lines what the message says that the task needs, and nothing else.",
    "text": "List in short lines what the result must hold, in its order, and nothing else.",
}


def kind(cases: Sequence[Case]) -> Kind:
    """What the expected answers are: JSON, one of a few labels, a few words, or free text."""
    answers = [case for case in cases if case.expected is not None]
    if not answers:
        return "text"
    if np.mean([_structured(case.expected) is not None for case in answers]) >= NEARLY_ALL:
        return "json"
    counts = Counter(case.answer for case in answers)
    short = all(len(answer) <= LABEL_CHARACTERS for answer in counts)
    if short and len(counts) <= min(MOST_LABELS, max(2, len(answers) // 4)):
        return "label"
    words = np.median([len(case.answer.split()) for case in answers])
    return "short" if words <= SHORT_WORDS else "text"


def instructions(task: str, answers: Kind) -> dict[str, str]:
    """The task in several frames, by a name of a word or two; the plain one is the first."""
    only = _ONLY[answers]
    frames = {
        "task": "{task}",
        "answer only": "{task}\n\n{only}",
        "by example": "{task}\n\nThe solved examples show every convention: do exactly as they do, "
        "and where they differ from what you would expect, follow them. {only}",
        "with care": "{task}\n\nRead the whole message first. Take names and numbers from it "
        "letter by letter, change only what the task asks for, and check the result against "
        "the task before you write it. {only}",
        "expert": "You do the following job every day, quickly and without mistakes.\n\nJob: {task}"
        "\n\n{only}",
    }
    return {name: frame.format(task=task, only=only) for name, frame in frames.items()}


def noting(task: str, answers: Kind) -> str:
    """What a model is asked about a message before the task itself is asked for."""
    return (
        "You prepare the task below for a colleague and do not do it yourself. "
        f"{_NOTED[answers]}\n\nTask: {task}"
    )


def ended(text: str, answers: Kind) -> str:
    """Instructions with a last word on how an answer of this kind ends."""
    return f"{text}\n\n{_ONLY[answers]}"


def thinking(task: str, answers: Kind) -> str:
    """The task for a model that thinks before it answers (see ``Prompt.reasoning``)."""
    return (
        f"{task}\n\nThink before you answer: say in a few short steps what the message holds and "
        f'what follows from it for the task. Then write a last line that begins with "{MARKER}" '
        f"and goes on with the answer. After {MARKER} hold to this: {_ONLY[answers]}"
    )


def hints(cases: Sequence[Case], answers: Kind) -> dict[str, str]:
    """Ways to say how an answer must look, by name; no hint at all is the first."""
    known = [case for case in cases if case.expected is not None]
    found = {"no hint": ""}
    if not known:
        return found
    if answers == "json":
        return {**found, **_json_hints(known)}
    if answers == "label":
        names = sorted({case.answer for case in known})
        listed = "\n".join(f"- {name}" for name in names)
        return {**found, "labels": f"The answer is one of these labels:\n{listed}"}
    typical = sorted(known, key=lambda case: len(case.answer))[len(known) // 2].answer
    low, high = np.quantile([len(case.answer.split()) for case in known], [0.1, 0.9])
    length = f"{low:.0f} words" if round(low) == round(high) else f"{low:.0f} to {high:.0f} words"
    length = "1 word" if length == "1 words" else length
    return {
        **found,
        "length": f"Most answers have {length}.",
        "shape": f"An answer looks like this one, to another question: {typical}",
    }


def schema(cases: Sequence[Case]) -> dict[str, Json]:
    """A JSON Schema that all expected answers of JSON keep, as strict as they are."""
    values = [_structured(case.expected) for case in cases if case.expected is not None]
    return _schema([value for value in values if value is not None])


def _schema(values: Sequence[Any]) -> dict[str, Json]:
    if all(isinstance(value, Mapping) for value in values):
        keys = dict.fromkeys(key for value in values for key in value)
        return {
            "type": "object",
            "properties": {k: _schema([v[k] for v in values if k in v]) for k in keys},
            "required": [key for key in keys if all(key in value for value in values)],
            "additionalProperties": False,
        }
    if all(isinstance(value, list) for value in values):
        items = [item for value in values for item in value]
        return {"type": "array", "items": _schema(items)} if items else {"type": "array"}
    options = []
    for name, types in _JSON_TYPES.items():
        of_type = [value for value in values if type(value) in types]
        if of_type and name in ("object", "array"):
            options.append(_schema(of_type))
        elif of_type:
            options.append({"type": name})
    return options[0] if len(options) == 1 else {"anyOf": options}


def _json_hints(known: Sequence[Case]) -> dict[str, str]:
    values = [_structured(case.expected) for case in known]
    shape = _QUOTED_TYPE.sub(r"\1", json.dumps(_shape(values), ensure_ascii=False))
    found = {"schema": f"Answer with JSON on one line, of this form: {shape}"}
    mappings = [value for value in values if isinstance(value, Mapping)]
    if len(mappings) == len(values):
        keys = list(dict.fromkeys(key for value in mappings for key in value))
        if keys:
            listed = ", ".join(json.dumps(key, ensure_ascii=False) for key in keys)
            found["keys"] = f"Answer with one JSON object on one line. Its keys: {listed}."
    return found


def _structured(expected: Json) -> Any:
    """The JSON object or list that an answer is or holds as text; ``None`` for any other answer."""
    if isinstance(expected, str):
        try:
            expected = json.loads(expected)
        except (ValueError, RecursionError):
            return None
    return expected if isinstance(expected, dict | list) else None


def _shape(values: Sequence[Any]) -> Json:
    """What values have in common, with the name of a type in place of each value."""
    if all(isinstance(value, Mapping) for value in values):
        keys = dict.fromkeys(key for value in values for key in value)
        return {key: _shape([value[key] for value in values if key in value]) for key in keys}
    if all(isinstance(value, list) for value in values):
        items = [item for value in values for item in value]
        return [_shape(items)] if items else []
    names = sorted({_type_name(value) for value in values})
    return "<" + " or ".join(names) + ">"


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    for types, name in ((bool, "true/false"), (int, "integer"), (float, "number"), (str, "text")):
        if isinstance(value, types):
            return name
    return "list" if isinstance(value, list) else "object"
