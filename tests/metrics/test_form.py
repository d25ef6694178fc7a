from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given, settings

from tests.metrics.marking import mark, value
from tests.metrics.test_reading import VALUES
from tuneornot.errors import StudyError
from tuneornot.metrics.form import schema_of
from tuneornot.metrics.registry import Entry
from tuneornot.records import Json

CITATION_SCHEMA: Json = {
    "type": "object",
    "properties": {
        "volume": {"type": "integer", "minimum": 1},
        "reporter": {"type": "string"},
        "date": {"type": "string", "format": "date"},
    },
    "required": ["volume", "reporter"],
    "additionalProperties": False,
}


def test_json_valid_is_strict_unless_told() -> None:
    fenced = '```json\n{"a": 1}\n```'
    assert value("json_valid", '{"a": 1}') == 1
    assert value("json_valid", "3") == 1
    assert value("json_valid", fenced) == 0
    assert value({"json_valid": {"lenient": True}}, fenced) == 1
    assert mark("json_valid", '{"a": 1,}').value == 0
    assert "character" in str(mark("json_valid", '{"a": 1,}').reason)


@pytest.mark.parametrize(
    ("answer", "score", "why"),
    [
        ('{"volume": 410, "reporter": "U.S."}', 1, None),
        ('{"volume": 410.0, "reporter": "U.S."}', 1, None),
        ('{"volume": "410", "reporter": "U.S."}', 0, "$.volume"),
        ('{"volume": 0, "reporter": "U.S."}', 0, "minimum"),
        ('{"volume": 410}', 0, "'reporter' is a required property"),
        ('{"volume": 410, "reporter": "U.S.", "x": 1}', 0, "Additional properties"),
        ('{"volume": 410, "reporter": "U.S.", "date": "1973-02-30"}', 0, "is not a 'date'"),
        ('{"volume": 410, "reporter": "U.S.", "date": "1973-02-28"}', 1, None),
        ("[]", 0, "is not of type 'object'"),
        ("oops", 0, "not JSON"),
    ],
)
def test_json_schema(answer: str, score: float, why: str | None) -> None:
    found = mark({"json_schema": {"schema": CITATION_SCHEMA}}, answer)
    assert found.value == score
    assert (found.reason is None) if why is None else (why in str(found.reason))


@pytest.mark.parametrize(
    ("expected", "answer", "score"),
    [
        ({"a": 1, "b": "x"}, '{"b": "other", "a": 2}', 1),
        ({"a": 1, "b": "x"}, '{"a": 2}', 0),
        ({"a": 1}, '{"a": 2, "b": 3}', 0),
        ({"a": 1}, '{"a": "2"}', 0),
        ({"a": 1}, '{"a": true}', 0),
        ({"a": None}, '{"a": [1]}', 1),
        ({"a": [1, 2]}, '{"a": []}', 1),
        ({"a": [1, 2]}, '{"a": ["x"]}', 0),
        ({"a": [1, "y"]}, '{"a": ["x", 2]}', 1),
        ({"a": {"b": False}}, '{"a": {"b": 0}}', 0),
        ('{"a": 1}', '{"a": 5}', 1),
        ("a text", '{"a": 5}', None),
        (None, '{"a": 5}', None),
    ],
)
def test_without_a_schema_the_expected_answer_is_the_pattern(
    expected: Json, answer: str, score: float | None
) -> None:
    assert value("json_schema", answer, expected) == score


@settings(deadline=None)
@given(VALUES)
def test_a_value_satisfies_the_schema_made_from_it(value: Json) -> None:
    jsonschema.Draft202012Validator(schema_of(value)).validate(value)


def test_a_recursive_schema_is_followed() -> None:
    schema: Json = {"type": "object", "properties": {"x": {"$ref": "#"}}}
    entry = {"json_schema": {"schema": schema}}
    deep = '{"x":' * 50 + "{}" + "}" * 50
    assert value(entry, deep) == 1
    assert value(entry, deep.replace("{}", "3")) == 0


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "objct"}, "'objct'"),
        ({"$ref": "#/$defs/none"}, "#/$defs/none"),
        ({"allOf": [{"$ref": "#"}]}, "must come to an end"),
        ({"properties": {"a": {"items": {"$ref": "http://example.org/s"}}}}, "example.org"),
    ],
)
def test_a_wrong_schema_is_told_before_anything_is_asked(schema: Json, why: str) -> None:
    with pytest.raises(StudyError) as error:
        value({"json_schema": {"schema": schema}}, "{}")
    assert why in str(error.value)


def test_a_property_may_be_called_ref() -> None:
    schema: Json = {"properties": {"$ref": {"type": "string"}}, "required": ["$ref"]}
    assert value({"json_schema": {"schema": schema}}, '{"$ref": "x"}') == 1


def test_nesting_that_the_schema_cannot_follow_is_a_failure_of_the_answer() -> None:
    # Eight references for each level of the answer: too many calls for the deepest answers only.
    schema: Json = {"properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": {}}
    assert isinstance(schema, dict)
    for i in range(8):
        schema["$defs"][f"d{i}"] = {"allOf": [{"$ref": f"#/$defs/d{i + 1}" if i < 7 else "#"}]}
    entry = {"json_schema": {"schema": schema}}
    assert value(entry, '{"x": {"x": {}}}') == 1
    found = mark(entry, '{"x":' * 55 + "{}" + "}" * 55)
    assert found == (0.0, "nested deeper than the schema can be followed")


@pytest.mark.parametrize(
    ("settings", "answer", "score"),
    [
        ({"pattern": r"\d{4}"}, "in 1973", 1),
        ({"pattern": r"^\d{4}$"}, "in 1973", 0),
        ({"pattern": "(?i)SORRY"}, "I am sorry", 1),
        ({"pattern": "(?i)sorry", "forbidden": True}, "Sorry!", 0),
        ({"pattern": "(?i)sorry", "forbidden": True}, "Done.", 1),
    ],
)
def test_regex(settings: dict[str, Json], answer: str, score: float) -> None:
    assert value({"regex": settings}, answer) == score


@pytest.mark.parametrize(
    ("settings", "score"),
    [
        ({"min": 3, "max": 3}, 1),
        ({"max": 2}, 0),
        ({"min": 4}, 0),
        ({"min": 11, "max": 11, "unit": "characters"}, 1),
        ({"max": 10, "unit": "characters"}, 0),
        ({"max": 5, "unit": "tokens"}, 1),
        ({"max": 4, "unit": "tokens"}, 0),
    ],
)
def test_length(settings: dict[str, Json], score: float) -> None:
    assert mark({"length": settings}, " one two\nend ", n_output_tokens=5).value == score


def test_length_in_tokens_needs_a_model_that_counts() -> None:
    found = mark({"length": {"max": 4, "unit": "tokens"}}, "one")
    assert found.value is None
    assert "tokens" in str(found.reason)


def test_reasons_can_be_written_down_whatever_the_answer_holds() -> None:
    answer = json.dumps({"\ud800": "\udfff", "volume": "\ud800"})
    integers: Json = {"additionalProperties": {"type": "integer"}}
    entries: list[Entry] = [
        "field_match",
        {"json_schema": {"schema": CITATION_SCHEMA}},
        {"json_schema": {"schema": integers}},
    ]
    for entry in entries:
        reason = mark(entry, answer, {"volume": 1}).reason
        assert reason is not None
        reason.encode("utf-8")


@pytest.mark.parametrize(
    ("unit", "n"), [("words", 11), ("sentences", 4), ("lines", 3), ("paragraphs", 2)]
)
def test_length_in_other_units(unit: str, n: int) -> None:
    text = 'One. Two, 2.5 three!\n"Is it?" Yes\n\n \nlast line is this\n'
    for most, score in ((n, 1), (n - 1, 0)):
        assert value({"length": {"max": most, "unit": unit}}, text) == score
    assert value({"length": {"min": 1, "unit": unit}}, " \n") == 0
