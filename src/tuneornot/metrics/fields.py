"""The metric of structured answers that gives credit field by field.

It judges the values of a JSON object against the expected object. Whether the answer has the
right form is the concern of ``form``: an answer that is not a JSON object has no field right.
"""

from __future__ import annotations

import dataclasses

from tuneornot.metrics import reading
from tuneornot.metrics.base import Mark
from tuneornot.records import Case, Json, Response, Scale


@dataclasses.dataclass(kw_only=True)
class FieldMatch:
    """Share of the expected JSON fields that the answer has right, from 0 to 1.

    A field is right if its whole value equals the expected one as JSON. Fields are those at the
    top of the expected object, or those listed in ``fields``, where a dotted path leads inwards
    (``address.city``, ``items.0.code``); a listed path that the case's expected answer lacks is
    not counted for that case. The reason names the wrong, missing and additional fields.
    """

    name: str = "field_match"
    fields: list[str] = dataclasses.field(default_factory=list)
    """The fields that count; without it, all at the top of the expected answer."""
    count_extra: bool = False
    """Count each further field at the top of the answer as one that is wrong."""
    lenient: bool = False
    """Accept a code fence or prose around the value."""
    scale = Scale()

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return {
            "metric": "field_match",
            "fields": self.fields,
            "count_extra": self.count_extra,
            "lenient": self.lenient,
        }

    def score(self, case: Case, response: Response) -> Mark:
        """The share; ``None`` where the case expects no JSON object or none of the fields."""
        try:
            wanted = reading.expected(case)
        except reading.NotJson as reason:
            return Mark(None, str(reason))
        if not isinstance(wanted, dict):
            return Mark(None, "the expected answer is not a JSON object")
        paths = [path for path in self.fields or wanted if _at(wanted, path) is not _ABSENT]
        if not paths:
            return Mark(None, "the expected answer has none of the fields that count")
        try:
            answer = reading.read(response.text or "", lenient=self.lenient)
        except reading.NotJson as reason:
            return Mark(0.0, str(reason))
        if not isinstance(answer, dict):
            return Mark(0.0, "the answer is not a JSON object")
        return self._compared(wanted, answer, paths)

    def _compared(self, wanted: dict[str, Json], answer: dict[str, Json], paths: list[str]) -> Mark:
        missing = [path for path in paths if _at(answer, path) is _ABSENT]
        wrong = [
            path for path in paths if path not in missing and not _same_at(wanted, answer, path)
        ]
        extra = [name for name in answer if name not in wanted]
        n_right = len(paths) - len(missing) - len(wrong)
        n_counted = len(paths) + (len(extra) if self.count_extra else 0)
        found = [
            f"{what}: {', '.join(repr(name[:60]) for name in names[:8])}"
            for what, names in (("wrong", wrong), ("missing", missing), ("additional", extra))
            if names
        ]
        return Mark(n_right / n_counted, "; ".join(found) or None)


class _Absent:
    """Marks a path that leads nowhere; ``None`` is a value that JSON can hold."""


_ABSENT = _Absent()


def _at(value: Json, path: str) -> Json | _Absent:
    """The value at a dotted path; a name that itself holds dots is found as it stands."""
    if isinstance(value, dict) and path in value:
        whole: Json = value[path]
        return whole
    step, dot, rest = path.partition(".")
    if isinstance(value, dict) and step in value:
        inner: Json = value[step]
    elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        inner = value[int(step)]
    else:
        return _ABSENT
    return _at(inner, rest) if dot else inner


def _same_at(wanted: Json, answer: Json, path: str) -> bool:
    a, b = _at(wanted, path), _at(answer, path)
    return not isinstance(a, _Absent) and not isinstance(b, _Absent) and reading.same(a, b)
