from __future__ import annotations

import jsonschema
import pytest

from tuneornot.baseline import phrases
from tuneornot.records import MARKER, Case, Json


def cases(*expected: Json) -> list[Case]:
    return [Case(id=str(i), input=f"q{i}", expected=one) for i, one in enumerate(expected)]


@pytest.mark.parametrize(
    ("expected", "kind"),
    [
        ([{"a": 1}, [2]], "json"),
        (['{"a": 1}', '["x"]'], "json"),
        (["yes", "no"] * 10, "label"),
        ([True, False] * 10, "label"),
        ([f"city {i}" for i in range(20)], "short"),
        ([f"{i} " + "word " * 20 for i in range(20)], "text"),
        ([f"{i % 2} " + "word " * 20 for i in range(20)], "text"),
        ([None, None], "text"),
    ],
)
def test_the_kind_is_read_off_the_answers(expected: list[Json], kind: str) -> None:
    assert phrases.kind(cases(*expected)) == kind


@pytest.mark.parametrize("kind", ["json", "label", "short", "text"])
def test_every_frame_holds_the_task_as_the_user_wrote_it(kind: phrases.Kind) -> None:
    task = "Turn {it} into 100% JSON."
    frames = phrases.instructions(task, kind)
    assert len(frames) >= 4
    assert next(iter(frames.values())) == task
    assert all(task in text for text in frames.values())
    assert len(set(frames.values())) == len(frames)


def test_json_hints_give_keys_and_types() -> None:
    found = cases({"a": 1, "b": {"c": "x"}}, '{"a": 2.5, "b": {"c": null}, "d": ["t"]}')
    hints = phrases.hints(found, "json")
    assert list(hints) == ["no hint", "schema", "keys"]
    assert '"a", "b", "d"' in hints["keys"]
    shape = hints["schema"].partition(": ")[2]
    assert shape == '{"a": <integer or number>, "b": {"c": <null or text>}, "d": ["<text>"]}'


def test_the_schema_admits_every_expected_answer_and_is_as_strict_as_they_are() -> None:
    found = cases(
        {"a": 1, "b": {"c": "x"}, "e": [1, "two"]},
        '{"a": 2.5, "b": {"c": null}, "d": ["t"], "e": []}',
    )
    schema = phrases.schema(found)
    jsonschema.Draft202012Validator.check_schema(schema)
    for value in ({"a": 1, "b": {"c": "x"}, "e": [1, "two"]}, {"a": 2, "b": {"c": None}, "e": []}):
        jsonschema.validate(value, schema)
    refused: list[Json] = [{"a": 1}, {"a": "1", "b": {"c": "x"}, "e": []}, {"a": 1, "b": {}}, []]
    for wrong in refused:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
    extra = {"a": 1, "b": {"c": "x"}, "e": [], "f": 1}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(extra, schema)


def test_thinking_is_asked_for_with_the_task_and_the_marker() -> None:
    told = phrases.thinking("Sort it.", "label")
    assert told.startswith("Sort it.")
    assert f'"{MARKER}"' in told


def test_lists_have_a_schema_but_no_keys() -> None:
    assert list(phrases.hints(cases([1, True], []), "json")) == ["no hint", "schema"]


def test_label_hints_list_every_label_once() -> None:
    hints = phrases.hints(cases("b", "a", "b"), "label")
    assert hints["labels"].endswith("- a\n- b")


def test_text_hints_tell_length_and_show_one() -> None:
    hints = phrases.hints(cases(*["one two three four"] * 10), "short")
    assert "4 words" in hints["length"]
    assert hints["shape"].endswith("one two three four")


def test_without_answers_there_is_no_hint() -> None:
    assert phrases.hints(cases(None), "text") == {"no hint": ""}
