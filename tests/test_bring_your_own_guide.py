"""The guide to models that were tuned elsewhere does what it says, on a real server."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.test_cli import ROOT, carried_out, refused, shop
from tests.world import questions

GUIDE = (ROOT / "docs" / "guides" / "bring-your-own.md").read_text(encoding="utf-8")
SERVER = "http://127.0.0.1:8000/v1"


def block(language: str) -> str:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, re.M | re.S)
    [text] = [text for name, text in found if name == language]
    return str(text)


def trained_on(folder: Path, rows: list[dict[str, str]]) -> None:
    shape = json.loads(block("json"))["messages"]
    chats = (
        [shape[0], {**shape[1], "content": row["input"]}, {**shape[2], "content": row["expected"]}]
        for row in rows
    )
    lines = "".join(json.dumps({"messages": chat}) + "\n" for chat in chats)
    (folder / "trained_on.jsonl").write_text(lines, encoding="utf-8")


@pytest.mark.slow
def test_the_commands_of_the_guide(tmp_path: Path) -> None:
    rows = "".join(json.dumps(row) + "\n" for row in questions(360))
    (tmp_path / "cases.jsonl").write_text(rows, encoding="utf-8")
    trained_on(tmp_path, questions(100, first=900))
    with shop(tmp_path / "asked") as server:
        (tmp_path / "study.yaml").write_text(block("yaml").replace(SERVER, server))
        said = [*carried_out(block("sh"), tmp_path).values()]
        trained_on(tmp_path, questions(360))
        assert "arms.ours.tuned.trained_on 'line" in refused(4, "check", tmp_path)
    for line in block("").splitlines():
        assert line.replace(SERVER, server) in said[1].splitlines()
    report = json.loads((tmp_path / "results" / "report.json").read_text())
    told = {check["name"] for check in report["findings"]["comparisons"][0]["checks"]}
    assert told >= set(re.findall(r"^\| `([a-z-]+)` \|", GUIDE, re.M))
    assert "Fine-tune: ours is better than prompted" in said[2]
