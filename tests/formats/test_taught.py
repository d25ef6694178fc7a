"""Training files of the usual shapes become cases that can be held against those that judge."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneornot.errors import DataError
from tuneornot.formats import taught

SYSTEM = {"role": "system", "content": "Tell the price."}
USER = {"role": "user", "content": "What do anvils cost?"}
ANSWER = {"role": "assistant", "content": "five"}


def file(folder: Path, *rows: object) -> Path:
    path = folder / "train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [SYSTEM, USER, ANSWER]},
        {"messages": [USER, ANSWER], "id": 7, "expected": "ignored", "context": {"of": "theirs"}},
        {"prompt": [SYSTEM, USER], "completion": [ANSWER]},
        {"prompt": USER["content"], "completion": "five"},
        {"question": USER["content"], "expected": "five", "id": "again"},
    ],
)
def test_every_shape_is_the_same_question(tmp_path: Path, row: dict[str, object]) -> None:
    found = taught.read(file(tmp_path, row, row), {"input": "question", "id": "id"})
    assert found.n_rows == 2
    assert [(case.input, case.answer) for case in found.cases] == [(USER["content"], "five")] * 2
    assert [case.id for case in found.cases] == ["line 1", "line 2"]


def test_shapes_may_be_mixed_and_system_messages_are_told(tmp_path: Path) -> None:
    rows = [{"messages": [SYSTEM, USER, ANSWER]}, {"messages": [USER, ANSWER]}]
    path = file(tmp_path, *rows, {"prompt": "What do kites cost?", "completion": "six"})
    found = taught.read(path, {})
    assert found.told == ("Tell the price.", None)
    assert [case.answer for case in found.cases] == ["five", "five", "six"]


def test_a_longer_chat_is_each_of_its_questions(tmp_path: Path) -> None:
    more = [{"role": "user", "content": "And kites?"}, {"role": "assistant", "content": "six"}]
    found = taught.read(file(tmp_path, {"messages": [SYSTEM, USER, ANSWER, *more]}), {})
    whole, first, second = found.cases
    assert not isinstance(whole.input, str)
    assert [turn.role for turn in whole.input] == ["user", "assistant", "user"]
    assert (first.input, first.answer) == (USER["content"], "five")
    assert (second.input, second.answer) == ("And kites?", "six")
    assert len({case.id for case in found.cases}) == 3


def test_every_fault_is_told_with_its_place(tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "robot", "content": "hm"}]}, {"prompt": 3, "completion": "x"}]
    with pytest.raises(DataError, match="bring-your-own") as caught:
        taught.read(file(tmp_path, *rows), {})
    assert [fault[:7] for fault in caught.value.faults] == ["line 1:", "line 2:"]
