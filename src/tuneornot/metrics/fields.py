"""Metrics of structured answers that give credit field by field.

    FieldMatch    share of the expected fields that are right
    FieldF1       precision, recall or F1 of every value at every depth

They judge the values of a JSON answer against the expected one. Whether the answer has the
right form is the concern of ``form``: an answer that is not JSON has no field right.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Hashable, Iterator

from tuneornot.metrics import reading, reference, wanted
from tuneornot.metrics.base import Mark, settings_of
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
            expected = reading.expected(case)
        except reading.NotJson as reason:
            return Mark(None, str(reason))
        if not isinstance(expected, dict):
            return Mark(None, "the expected answer is not a JSON object")
        paths = [path for path in self.fields or expected if _at(expected, path) is not _ABSENT]
        if not paths:
            return Mark(None, "the expected answer has none of the fields that count")
        try:
            answer = reading.read(response.text or "", lenient=self.lenient)
        except reading.NotJson as reason:
            return Mark(0.0, str(reason))
        if not isinstance(answer, dict):
            return Mark(0.0, "the answer is not a JSON object")
        return self._compared(expected, answer, paths)

    def _compared(
        self, expected: dict[str, Json], answer: dict[str, Json], paths: list[str]
    ) -> Mark:
        missing = [path for path in paths if _at(answer, path) is _ABSENT]
        wrong = [
            path for path in paths if path not in missing and not _same_at(expected, answer, path)
        ]
        extra = [name for name in answer if name not in expected]
        n_right = len(paths) - len(missing) - len(wrong)
        n_counted = len(paths) + (len(extra) if self.count_extra else 0)
        found = [
            f"{what}: {', '.join(repr(name[:60]) for name in names[:8])}"
            for what, names in (("wrong", wrong), ("missing", missing), ("additional", extra))
            if names
        ]
        return Mark(n_right / n_counted, "; ".join(found) or None)


@dataclasses.dataclass(kw_only=True)
class FieldF1:
    """Precision, recall or F1 of the values of a JSON answer at every depth, from 0 to 1.

    Expected and answered JSON are laid out flat: each text, number, boolean, null, empty object or
    empty array with the path that leads to it. Shared are the paths that have the same value
    on both sides. Items of an array are told apart by their place; with ``unordered`` by their
    values alone, and then it is not seen which values stood together in one item. An answer that
    is not JSON is 0. The reason names paths that are wrong or missing, then those that are too
    many.
    """

    name: str = "field_f1"
    figure: wanted.Figure = "f1"
    """``f1``, or its ``precision`` or ``recall`` alone."""
    unordered: bool = False
    """The order of the items of an array is free."""
    fold: bool = False
    """Texts are the same if they differ in case, punctuation or white space only."""
    lenient: bool = False
    """Accept a code fence or prose around the value."""
    scale = Scale()

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, "field_f1")

    def score(self, case: Case, response: Response) -> Mark:
        """The figure; ``None`` where the case expects no JSON."""
        try:
            expected = Counter(self._leaves(reading.expected(case)))
        except reading.NotJson as reason:
            return Mark(None, str(reason))
        try:
            answer = Counter(self._leaves(reading.read(response.text or "", lenient=self.lenient)))
        except reading.NotJson as reason:
            return Mark(0.0, str(reason))
        found = wanted.ratio(
            self.figure,
            shared=(answer & expected).total(),
            answered=answer.total(),
            expected=expected.total(),
        )
        sides = (("not as expected", expected - answer), ("too many", answer - expected))
        said = [
            f"{what}: {', '.join(repr(path[:60]) for path in dict.fromkeys(p for p, _ in odd))}"
            for what, leaves in sides
            if (odd := list(leaves)[:8])
        ]
        return Mark(found, "; ".join(said) or None)

    def _leaves(self, value: Json, path: str = "") -> Iterator[tuple[str, Hashable]]:
        """Every value that holds no other, with its path."""
        if isinstance(value, dict) and value:
            for name, inner in value.items():
                yield from self._leaves(inner, f"{path}.{name}" if path else name)
        elif isinstance(value, list) and value:
            for place, inner in enumerate(value):
                yield from self._leaves(inner, f"{path}[{'' if self.unordered else place}]")
        else:
            yield path, self._kept(value)

    def _kept(self, value: Json) -> Hashable:
        """A value that equals another one just if they are the same as JSON."""
        if isinstance(value, str):
            return ("text", reference.fold(value) if self.fold else value)
        if isinstance(value, bool) or value is None:
            return ("word", value)
        if isinstance(value, int | float):
            return ("number", value)
        return ("empty", isinstance(value, dict))


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


def _same_at(expected: Json, answer: Json, path: str) -> bool:
    a, b = _at(expected, path), _at(answer, path)
    return not isinstance(a, _Absent) and not isinstance(b, _Absent) and reading.same(a, b)
