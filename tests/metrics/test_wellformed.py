from __future__ import annotations

import logging
import sys

import pytest

from tests.metrics.marking import mark, value
from tuneornot.errors import MissingExtra, StudyError
from tuneornot.metrics import language, registry
from tuneornot.records import Json

TABLE = "| a | b |\n|:--|--:|\n| 1 | x \\| y |\n| 2 | z |"


@pytest.mark.parametrize(
    ("text", "score"),
    [
        (TABLE, 1),
        ("a|b\n-|-\n1|2", 1),
        (TABLE + "\n| 3 |", 0),
        (TABLE.replace("|:--|--:|", "|---|"), 0),
        ("| a | b |\n|---|---|", 0),
        ("| a | b |\n| 1 | 2 |", 0),
        ("Here it is:\n\n" + TABLE, 0),
        (TABLE + "\n\nThat is all.", 0),
        ("", 0),
    ],
)
def test_markdown_tables(text: str, score: float) -> None:
    assert value({"well_formed": {"kind": "markdown_table"}}, text) == score


def test_a_table_within_a_text_and_its_header() -> None:
    around = f"Here it is:\n\n{TABLE}\n\nThat is all."
    settings: dict[str, Json] = {"kind": "markdown_table", "lenient": True}
    assert value({"well_formed": settings}, around) == 1
    assert value({"well_formed": {**settings, "columns": ["a", "b"]}}, around) == 1
    found = mark({"well_formed": {**settings, "columns": ["b", "a"]}}, around)
    assert found == (0.0, "the header is ['a', 'b'], expected ['b', 'a']")


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("<p>x</p>", 1),
        ('<?xml version="1.0"?>\n<a b="c">&amp;<d/></a>', 1),
        ("<p>x</p> and more", 0),
        ("<p>x", 0),
        ("<p>&nbsp;</p>", 0),
        ('<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', 0),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 0),
        ("x", 0),
    ],
)
def test_xml(text: str, score: float) -> None:
    assert value({"well_formed": {"kind": "xml"}}, text) == score


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("a: 1\nb:\n  - x\n  - 2024-13-45", 1),
        ("- 1\n- 2", 1),
        ('{"a": 1}', 1),
        ("a plain sentence", 0),
        ("a: b: c", 0),
        ("a: [1", 0),
        ("a: *unknown", 0),
        ("a: 1\n---\nb: 2", 0),
        ("", 0),
    ],
)
def test_yaml(text: str, score: float) -> None:
    assert value({"well_formed": {"kind": "yaml"}}, text) == score


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ('a,b\n1,"x\ny"\n3,4\n', 1),
        ("a,b\n1,2,3", 0),
        ("a,b", 0),
        ("a\n1", 0),
        ('a,b\n1,"2', 0),
        ('a,b\n1,"2" x', 0),
    ],
)
def test_csv(text: str, score: float) -> None:
    assert value({"well_formed": {"kind": "csv"}}, text) == score


def test_csv_of_one_column_and_other_delimiters() -> None:
    assert value({"well_formed": {"kind": "csv", "columns": ["a"]}}, "a\n1") == 1
    assert value({"well_formed": {"kind": "csv", "delimiter": ";"}}, "a;b\n1;2") == 1
    with pytest.raises(StudyError, match="one character, got ';;'"):
        registry.build({"well_formed": {"kind": "csv", "delimiter": ";;"}})


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("SELECT count(*) FROM t JOIN u USING (id) WHERE a > 1", 1),
        ("WITH x AS (SELECT 1) SELECT * FROM x; DELETE FROM t", 1),
        ("CREATE TABLE t (a int); ALTER TABLE t ADD b int; DROP TABLE t", 1),
        ("SELECT * FORM t", 0),
        ("SELECT a FROM t WHERE", 0),
        ("hello world", 0),
        ("explain it to me", 0),
        ("", 0),
    ],
)
def test_sql(text: str, score: float, caplog: pytest.LogCaptureFixture) -> None:
    assert value({"well_formed": {"kind": "sql"}}, text) == score
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


def test_dialects_of_sql() -> None:
    text = "SELECT TOP 5 [a b] FROM t"
    assert value({"well_formed": {"kind": "sql", "dialect": "tsql"}}, text) == 1
    assert value({"well_formed": {"kind": "sql", "dialect": "sqlite"}}, "SELECT `a` FROM t") == 1
    with pytest.raises(StudyError, match=r"dialect must be one of .*sqlite.*, got 'oracel'"):
        registry.build({"well_formed": {"kind": "sql", "dialect": "oracel"}})


def test_a_fence_is_accepted_only_if_asked() -> None:
    fenced = "```yaml\na: 1\n```"
    assert value({"well_formed": {"kind": "yaml"}}, fenced) == 0
    assert value({"well_formed": {"kind": "yaml", "lenient": True}}, fenced) == 1


def test_a_very_long_answer_is_told_from_a_broken_one() -> None:
    found = mark({"well_formed": {"kind": "yaml"}}, "- a\n" * 20_000)
    assert found == (0.0, "80000 characters are more than 50000")


@pytest.mark.parametrize(
    ("package", "entry"),
    [
        ("defusedxml", {"well_formed": {"kind": "xml"}}),
        ("sqlglot", {"well_formed": {"kind": "sql"}}),
        ("py3langid.langid", {"language": {"language": "de"}}),
    ],
)
def test_a_missing_package_is_told_in_a_sentence(
    package: str, entry: registry.Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    language._identifier.cache_clear()
    with pytest.raises(MissingExtra, match=r"pip install 'tuneornot\[metrics\]'"):
        registry.build(entry)
