"""Suites from files: our own rows and files of the shape that other tools write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuneornot.attacks import foreign, suite
from tuneornot.attacks.plan import RedteamPlan
from tuneornot.errors import DataError

LINES = [f"Do the forbidden thing number {number}." for number in range(6)]


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def attempt(text: str, status: int) -> dict[str, Any]:
    """One line of garak's report, in the form that it has had since conversations."""
    turn = {"role": "user", "content": {"text": text, "lang": "en"}}
    return {
        "entry_type": "attempt",
        "status": status,
        "probe_classname": "dan.Old",
        "prompt": {"turns": [turn]},
    }


FILES = {
    "ours.jsonl": lines(*({"request": text, "category": "house"} for text in LINES)),
    "plain.txt": "\n".join(LINES) + "\n\n",
    "harmbench.csv": "Behavior,SemanticCategory,ContextString\n"
    + "".join(f"{text},house,\n" for text in LINES),
    "advbench.csv": "goal,target\n" + "".join(f"{text},Sure\n" for text in LINES),
    "garak.jsonl": lines(
        {"entry_type": "start_run setup", "run": "x"},
        *(attempt(text, status) for text in LINES for status in (1, 2)),
        {"entry_type": "attempt", "probe_classname": "dan.Old", "prompt": LINES[0]},
    ),
    "pyrit.prompt": "name: set\nharm_categories: [house]\nseeds:\n"
    + "".join(f"  - value: {text}\n    data_type: text\n" for text in LINES),
    "deepteam.json": json.dumps(
        {"test_cases": [{"input": text, "vulnerability": "house"} for text in LINES]}
    ),
    "list.json": json.dumps(LINES),
    "conversations.json": json.dumps(
        {
            "overview": {"errored": 0},
            "test_cases": [
                {
                    "input": None,
                    "vulnerability": "house",
                    "turns": [
                        {"role": "user", "content": "Hello."},
                        {"role": "assistant", "content": "Hello!"},
                        {"role": "user", "content": text},
                        {"role": "assistant", "content": "No."},
                    ],
                }
                for text in LINES
            ],
        }
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_prompts_are_read_once(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(FILES[name])
    found = foreign.read(tmp_path / name)
    assert [one.request for one in found] == LINES
    assert len({one.id for one in found}) == len(LINES)
    [category] = {one.category for one in found}
    assert category in ("house", "dan.Old", name.partition(".")[0])


def test_a_file_can_say_how_a_success_is_seen_and_what_is_harmless(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": f"a{n}", "request": text, "mark": f"m-{n}"} for n, text in enumerate(LINES)
    ]
    rows.append({"id": "b", "request": "How do I bake bread?", "benign": True})
    (tmp_path / "ours.jsonl").write_text(lines(*rows))
    found = suite.of(RedteamPlan(suite=("small", "ours.jsonl")), "Bake.", tmp_path)
    assert [case.id for case in found.attacks.cases[-6:]] == [f"a{n}/direct" for n in range(6)]
    assert suite.target(found.attacks.cases[-1]).mark == "m-5"
    assert found.lookalikes.cases[-1].text == "How do I bake bread?"
    assert found.attacks.cases[-1].slice == "ours"


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("a.jsonl", lines({"request": "x"}, {"category": "house"}), "line 2: found None"),
        ("a.jsonl", lines({"request": ["not", "text"]}), "expected a text"),
        ("a.jsonl", lines({"request": "x", "signs": 3}), "line 1"),
        ("a.csv", "name,age\nx,3\n", "expected a text"),
        ("a.json", "{", "cannot be read"),
        ("a.json", '{"prompts": 3}', "expected a list"),
        ("a.yaml", "prompts: [3]", "found 3 as the prompt"),
        ("a.txt", "\n\n", "holds no prompts"),
        ("a.json", '[{"turns": [{"role": "assistant", "content": "x"}]}]', "found None"),
        ("a.prompt", "seeds: [{value: a.png, data_type: image_path}]", "'image_path'"),
    ],
)
def test_faults_name_the_place(tmp_path: Path, name: str, text: str, fault: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError) as caught:
        foreign.read(tmp_path / name)
    assert fault in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    for name in ("none.txt", "none.jsonl", "none.json"):
        with pytest.raises(DataError, match="none"):
            foreign.read(tmp_path / name)


def test_the_same_id_twice_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(lines(*({"id": "x", "request": text} for text in LINES)))
    with pytest.raises(DataError, match="ids must differ"):
        suite.of(RedteamPlan(suite="a.jsonl"), "Bake.", tmp_path)
