"""Metrics of form: valid JSON, JSON Schema, a pattern, a length.

They judge how an answer looks, never whether it is right. A pattern (also one inside a schema) is
run as it stands: one that backtracks without bound will do so on an unlucky answer.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any, Literal

import jsonschema
from jsonschema.protocols import Validator
from jsonschema_specifications import REGISTRY as SPECIFICATIONS  # type: ignore[import-untyped]
from referencing import Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from tuneornot.metrics import reading
from tuneornot.metrics.base import Mark
from tuneornot.records import Case, Json, Response, Scale


@dataclasses.dataclass(kw_only=True)
class JsonValid:
    """1 if the answer is one JSON value and nothing else, else 0.

    Any value counts, also a bare number; ``json_schema`` asks for more. Strict by default, since
    a program that reads the answer is: a code fence or prose around the value makes it 0. Also 0
    are NaN and infinities, a name that stands twice in one object, numbers beyond a double, and
    nesting deeper than 60 levels.
    """

    name: str = "json_valid"
    lenient: bool = False
    """Accept a code fence or prose around the value."""
    scale = Scale(binary=True)

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return {"metric": "json_valid", "lenient": self.lenient}

    def score(self, case: Case, response: Response) -> Mark:
        """1 or 0."""
        try:
            reading.read(response.text or "", lenient=self.lenient)
        except reading.NotJson as reason:
            return Mark(0.0, str(reason))
        return Mark(1.0)


@dataclasses.dataclass(kw_only=True)
class JsonSchema:
    """1 if the answer is JSON that satisfies a JSON Schema, else 0.

    The schema is the one given (draft 2020-12 unless its ``$schema`` says otherwise; formats such
    as ``date`` and ``email`` are checked where the library can). Without one, each case's
    expected answer is the pattern: an object must have exactly its names, and every value the
    JSON type of the expected one; a null in the expected answer accepts any value. References
    to other files are not followed.
    """

    name: str = "json_schema"
    schema: dict[str, Json] = dataclasses.field(default_factory=dict)
    """The schema; in a study also the path of a JSON file, from the study's folder."""
    lenient: bool = False
    """Accept a code fence or prose around the value."""
    scale = Scale(binary=True)

    def __post_init__(self) -> None:
        try:
            jsonschema.validators.validator_for(
                self.schema, default=jsonschema.Draft202012Validator
            ).check_schema(self.schema)
        except jsonschema.SchemaError as fault:
            raise ValueError(f"schema is not a JSON Schema: {fault.message}; correct it") from None
        _check_references(self.schema)
        self._validator = _validator(self.schema) if self.schema else None
        if self._validator is not None:
            _check_end(self._validator)

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return {"metric": "json_schema", "schema": self.schema, "lenient": self.lenient}

    def score(self, case: Case, response: Response) -> Mark:
        """1 or 0; ``None`` where there is neither a schema nor expected JSON."""
        validator = self._validator
        if validator is None:
            try:
                validator = _validator(schema_of(reading.expected(case)))
            except reading.NotJson as reason:
                return Mark(None, str(reason))
        try:
            answer = reading.read(response.text or "", lenient=self.lenient)
        except reading.NotJson as reason:
            return Mark(0.0, str(reason))
        return _validated(validator, answer)


@dataclasses.dataclass(kw_only=True)
class Regex:
    """1 if a pattern is found in the answer (or, if forbidden, is not found), else 0.

    Python's ``re`` syntax, searched anywhere in the answer as it stands; use ``^``, ``$`` or
    ``\\A``, ``\\Z`` to bind it to its ends, and ``(?i)`` to ignore case.
    """

    pattern: str
    """What to look for."""
    name: str = "regex"
    forbidden: bool = False
    """The pattern must not be found."""
    scale = Scale(binary=True)

    def __post_init__(self) -> None:
        try:
            self._compiled = re.compile(self.pattern)
        except re.error as fault:
            raise ValueError(
                f"pattern must be a regular expression, got {self.pattern!r} ({fault}); correct it"
            ) from None

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return {"metric": "regex", "pattern": self.pattern, "forbidden": self.forbidden}

    def score(self, case: Case, response: Response) -> Mark:
        """1 or 0."""
        found = self._compiled.search(response.text or "")
        if self.forbidden:
            return Mark(0.0, f"found {found[0][:80]!r}") if found else Mark(1.0)
        return Mark(1.0) if found else Mark(0.0, f"{self.pattern!r} is not found")


@dataclasses.dataclass(kw_only=True)
class Length:
    """1 if the answer is as long as it should be, both ends included, else 0.

    Words are what white space separates (so not for scripts without spaces), sentences end in a
    full stop, question or exclamation mark before white space or the end (an abbreviation counts
    as an end too), lines are those that are not empty, paragraphs stand between empty lines,
    characters are Unicode code points without white space at the ends, tokens are the model's own
    count, which differs between models.
    """

    name: str = "length"
    min: int | None = None
    """Least length; none without it."""
    max: int | None = None
    """Greatest length; none without it."""
    unit: Literal["words", "sentences", "lines", "paragraphs", "characters", "tokens"] = "words"
    scale = Scale(binary=True)

    def __post_init__(self) -> None:
        if self.min is None and self.max is None:
            raise ValueError("length needs min or max, got neither; give one of them")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min must not exceed max, got {self.min!r} and {self.max!r}")

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return {"metric": "length", "min": self.min, "max": self.max, "unit": self.unit}

    def score(self, case: Case, response: Response) -> Mark:
        """1 or 0; ``None`` for tokens where the model does not count them."""
        n = response.n_output_tokens if self.unit == "tokens" else self._count(response.text or "")
        if n is None:
            return Mark(None, "the model does not say how many tokens it wrote")
        fits = (self.min is None or n >= self.min) and (self.max is None or n <= self.max)
        return Mark(float(fits), f"{n} {self.unit}")

    def _count(self, text: str) -> int:
        text = text.strip()
        if self.unit == "characters":
            return len(text)
        if self.unit == "words":
            return len(text.split())
        border = {"sentences": _SENTENCE_END, "lines": _LINE_END, "paragraphs": _PARAGRAPH_END}
        return sum(1 for part in border[self.unit].split(text) if part.strip())


_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？])")
_LINE_END = re.compile(r"\n")
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n")


def schema_of(value: Json) -> dict[str, Json]:
    """The JSON Schema that a value is the pattern of: its names and types, not its contents."""
    if isinstance(value, dict):
        return {
            "type": "object",
            "properties": {name: schema_of(item) for name, item in value.items()},
            "required": list(value),
            "additionalProperties": False,
        }
    if isinstance(value, list):
        # One kind of item is the rule; where items differ any of them may stand anywhere.
        kinds: list[Json] = []
        for kind in map(schema_of, value):
            if kind not in kinds:
                kinds.append(kind)
        return {"type": "array", "items": {"anyOf": kinds}} if kinds else {"type": "array"}
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, str):
        return {"type": "string"}
    return {} if value is None else {"type": "number"}


def _validator(schema: dict[str, Json]) -> Validator:
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    # With a registry of its own the library fetches nothing from the network.
    return kind(schema, registry=SPECIFICATIONS, format_checker=kind.FORMAT_CHECKER)


def _check_references(schema: dict[str, Json]) -> None:
    """Follow every reference once, so that a wrong one is told before anything is asked."""
    root = Resource.from_contents(schema, default_specification=DRAFT202012)
    resolver = SPECIFICATIONS.with_resource(root.id() or "", root).resolver(root.id() or "")

    def walk(part: Resource[Any], resolver: Any) -> None:
        reference = part.contents.get("$ref") if isinstance(part.contents, dict) else None
        if isinstance(reference, str):
            try:
                resolver.lookup(reference)
            except Unresolvable:
                raise ValueError(
                    f"a schema may refer only to its own parts, got $ref {reference!r}; "
                    "write the part under $defs"
                ) from None
        for inner in part.subresources():
            walk(inner, resolver.in_subresource(inner))

    walk(root, resolver)


def _check_end(validator: Validator) -> None:
    try:
        validator.is_valid(None)
    except RecursionError:
        raise ValueError(
            "a schema must come to an end, got one that refers to itself before it looks into "
            "the answer; put the reference under properties or items"
        ) from None


def _validated(validator: Validator, answer: Json) -> Mark:
    try:
        fault = next(iter(validator.iter_errors(answer)), None)
    except RecursionError:
        return Mark(0.0, "nested deeper than the schema can be followed")
    if fault is None:
        return Mark(1.0)
    said = f"at {fault.json_path[:80]}: {fault.message[:200]}"
    # A lone surrogate in the answer must not make the reason impossible to write down.
    return Mark(0.0, said.encode("utf-8", "backslashreplace").decode())
