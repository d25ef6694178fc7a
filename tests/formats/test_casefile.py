from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tuneornot.formats import casefile
from tuneornot.formats.rows import Row
from tuneornot.records import Case, Message


def made(
    *values: dict[str, Any], fields: Mapping[str, str] | None = None
) -> tuple[list[Case], list[str]]:
    faults: list[str] = []
    listed = [Row(f"line {number}", row) for number, row in enumerate(values, start=1)]
    return casefile.cases(listed, fields or {}, faults), faults


def test_every_field_is_read_and_other_columns_are_not() -> None:
    row = {"id": 7, "input": "q", "expected": {"a": [1]}, "context": ["x", "y"], "slice": "s"}
    cases, faults = made({**row, "group": 3, "remark": object()})
    assert faults == []
    assert cases == [
        Case(id="7", input="q", expected={"a": [1]}, context="x\n\ny", slice="s", group="3")
    ]


def test_fields_lead_to_other_and_nested_columns() -> None:
    fields = {"input": "question", "expected": "gold.sql", "slice": "meta.kind"}
    row = {"id": "1", "question": "q", "gold": {"sql": "S"}, "meta.kind": "dotted", "meta": {}}
    cases, _ = made(row, fields=fields)
    assert cases == [Case(id="1", input="q", expected="S", slice="dotted")]


def test_a_chat_of_a_fine_tuning_file_gives_its_last_turn_as_expected() -> None:
    turns = [
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": [{"type": "text", "text": "hi"}], "name": "x"},
        {"role": "assistant", "content": "hello", "weight": 1},
    ]
    cases, faults = made({"messages": turns})
    assert faults == []
    assert cases[0].expected == "hello"
    assert cases[0].input == (
        Message(role="system", content="be brief"),
        Message(role="user", content="hi"),
    )


def test_ids_are_made_from_content_where_there_are_none() -> None:
    first, _ = made({"input": "a"}, {"input": "b"}, {"input": "a"})
    again, _ = made({"input": "b"}, {"input": "a"}, {"input": "a"})
    assert len({case.id for case in first}) == 3
    assert {case.id: case.input for case in first} == {case.id: case.input for case in again}


def test_empty_cells_are_absent_values() -> None:
    cases, faults = made({"id": "1", "input": "q", "context": "", "slice": "", "group": ""})
    assert (cases, faults) == ([Case(id="1", input="q")], [])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"input": None}, "input: found None, expected a text or a list of messages"),
        ({"input": 5}, "input: found 5"),
        ({"input": []}, "input: found []"),
        ({"input": [{"role": "tool", "content": "x"}]}, "as message 1"),
        ({"input": [{"role": "user", "content": None}]}, "as message 1"),
        ({"input": [{"role": "system", "content": "x"}]}, "the last is from the user"),
        ({"input": "q", "id": None}, "id: found None, expected a text or a whole number"),
        ({"input": "q", "id": True}, "id: found True"),
        ({"input": "q", "slice": 1.5}, "slice: found 1.5"),
        ({"input": "q", "context": {"a": 1}}, "context: found {'a': 1}"),
        ({"input": "q", "expected": b"x"}, "expected: found b'x', expected a text or JSON"),
        ({"input": "q", "expected": [float("nan")]}, "expected: found [nan]"),
    ],
)
def test_a_bad_value_is_told_with_place_value_and_expectation(
    row: dict[str, Any], expected: str
) -> None:
    cases, faults = made({"id": "bad", "expected": "e", **row}, {"id": "good", "input": "q"})
    assert [case.id for case in cases] == ["good"]
    assert len(faults) == 1
    assert faults[0].startswith("line 1: ")
    assert expected in faults[0]


def test_a_final_answer_and_an_expected_one_contradict() -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    _, faults = made({"input": turns, "expected": "b"})
    assert "because the messages end with the assistant's answer" in faults[0]


def test_all_faults_of_all_rows_are_told() -> None:
    _, faults = made({"id": "1", "input": 1, "slice": []}, {"id": "1", "input": "q"}, {"id": "2"})
    assert len(faults) == 3
    assert "line 3: input: found nothing" in faults[2]


def test_a_repeated_id_names_both_places() -> None:
    _, faults = made({"id": "1", "input": "a"}, {"id": "1", "input": "b"})
    assert faults == ["line 2: the id '1' stands on line 1 already"]


def test_a_column_that_no_row_has_is_one_fault() -> None:
    cases, faults = made({"q": "a"}, {"q": "b"}, fields={"expected": "sql", "inptu": "q"})
    assert cases == []
    assert len(faults) == 3
    assert faults[0].startswith("fields: 'inptu' is not a field of a case")
    assert "column 'input' for the field 'input'; columns are ['q']" in faults[1]
    assert "column 'sql' for the field 'expected'" in faults[2]
