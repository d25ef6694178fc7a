"""The reference of the kinds of models says what the program does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec

from tests.models.misbehaving import question
from tuneornot.models import command, function, registry
from tuneornot.records import Sampling

PAGE = (Path(__file__).parents[2] / "docs/reference/models.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_every_kind_stands_in_the_table() -> None:
    for prefix in registry.kinds():
        assert re.search(rf"^\|.*`{prefix}:", PAGE, re.M), prefix


def test_the_function_is_a_model(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(block("python"))
    model = registry.open("python:mine:answer", folder=tmp_path)
    assert [reply.text for _, reply in model.ask([question("hello")])] == ["HELLO"]
    model.close()


def test_the_line_is_what_a_program_reads(tmp_path: Path) -> None:
    model = registry.open("command:cat", folder=tmp_path)
    [(_, reply)] = model.ask([question("...")])
    model.close()
    assert json.loads(reply.text or "") == json.loads(block("json"))
    assert msgspec.convert(json.loads(block("json"))["sampling"], Sampling) == Sampling()


def test_the_figures_are_the_defaults() -> None:
    assert (function.MOST, function.TIMEOUT_S) == (8, 120)
    assert (command.MOST, command.TIMEOUT_S) == (4, 120)
    assert "up to eight at a time" in PAGE
    assert "up to four at a" in PAGE
