from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tuneornot.errors import StudyError
from tuneornot.metrics import registry
from tuneornot.metrics.base import Mark
from tuneornot.records import Case, Json, Response

ROWS = [(1, "Arles", 2.5), (2, "Basel", 3.0), (3, "Cork", None), (4, "Basel", 0.1)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("CREATE TABLE sale (id INTEGER, town TEXT, price REAL)")
    connection.executemany("INSERT INTO sale VALUES (?, ?, ?)", ROWS)
    connection.commit()
    connection.close()
    return tmp_path


def mark(folder: Path, answer: str, expected: Json, **settings: Json) -> Mark:
    metric = registry.build({"sql_result": {"database": "shop.db", **settings}}, folder=folder)
    case = Case(id="c", input="q", expected=expected)
    return metric.score(case, Response(arm="a", question="q", text=answer))


@pytest.mark.parametrize(
    ("answer", "expected", "value"),
    [
        ("SELECT town FROM sale WHERE id = 1;", "SELECT 'Arles'", 1),
        ("SELECT town AS t FROM sale", "SELECT town FROM sale ORDER BY id DESC LIMIT 4", 0),
        ("SELECT town FROM sale ORDER BY id DESC", "SELECT town FROM sale", 1),
        ("SELECT DISTINCT town FROM sale", "SELECT town FROM sale", 0),
        ("SELECT count(*) FROM sale", "SELECT 4.0", 1),
        ("SELECT sum(price) FROM sale", "SELECT 2.5 + 3 + 0.1", 1),
        ("SELECT 0.1 + 0.2", "SELECT 0.3", 1),
        ("SELECT id, town FROM sale", "SELECT town, id FROM sale", 0),
        ("SELECT price FROM sale WHERE id = 3", "SELECT NULL", 1),
        ("SELECT price FROM sale WHERE id = 3", "SELECT 0", 0),
        ("WITH t AS (SELECT 1 AS x) SELECT x FROM t", "SELECT 1", 1),
        ("SELECT '4'", "SELECT 4", 0),
        ("SELECT id FROM sale WHERE id < 3", [[2], [1]], 1),
        ("SELECT town FROM sale WHERE price IS NULL", [["Cork"]], 1),
    ],
)
def test_rows_decide(folder: Path, answer: str, expected: Json, value: float) -> None:
    assert mark(folder, answer, expected).value == value


def test_order_counts_where_the_expected_query_ends_in_it_or_the_study_says_so(
    folder: Path,
) -> None:
    down, up = "SELECT id FROM sale ORDER BY id DESC", "SELECT id FROM sale ORDER BY id"
    assert mark(folder, down, up) == Mark(0.0, "the right rows in another order")
    assert mark(folder, down, up, ordered="never").value == 1
    assert mark(folder, down, "SELECT id FROM sale", ordered="always").value == 0
    inner = "SELECT id FROM (SELECT id FROM sale ORDER BY id) -- order by id"
    assert mark(folder, down, inner).value == 1


def test_reasons_say_what_differs(folder: Path) -> None:
    made = mark(folder, "SELECT town FROM sale WHERE id < 3", "SELECT town FROM sale WHERE id = 1")
    assert made == Mark(0.0, "2 rows, expected 1; too many ('Basel',)")
    assert mark(folder, "SELECT missing FROM sale", "SELECT 1") == Mark(
        0.0, "the query is refused: no such column: missing"
    )
    broken = mark(folder, "SELECT 1", "SELECT missing FROM sale")
    assert broken == Mark(None, "the expected query is refused: no such column: missing")
    assert mark(folder, "SELECT 1", None).value is None


@pytest.mark.parametrize(
    "answer",
    [
        "DELETE FROM sale",
        "DROP TABLE sale",
        "INSERT INTO sale VALUES (9, 'x', 1)",
        "CREATE TEMP TABLE t (x)",
        "PRAGMA journal_mode = WAL",
        "ATTACH DATABASE 'other.db' AS other",
        "VACUUM INTO 'copy.db'",
        "SELECT 1; DROP TABLE sale",
        "BEGIN IMMEDIATE",
        "SELECT load_extension('x')",
    ],
)
def test_nothing_is_ever_written(folder: Path, answer: str) -> None:
    before = (folder / "shop.db").read_bytes()
    made = mark(folder, answer, "SELECT 1")
    assert made.value == 0
    assert (made.reason or "").startswith("the query is refused: ")
    assert (folder / "shop.db").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["shop.db"]


def test_a_query_without_end_is_ended(folder: Path) -> None:
    endless = "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT {} FROM t"
    made = mark(folder, endless.format("max(x)"), "SELECT 1", seconds=0.05)
    assert made == Mark(0.0, "the query took longer than 0.05 s")
    many = mark(folder, endless.format("x"), "SELECT 1", rows=100, seconds=60)
    assert many == Mark(0.0, "the query gives more than 100 rows or 50 MB")
    large = mark(folder, endless.format("hex(zeroblob(400000))"), "SELECT 1", seconds=60)
    assert large == many._replace(reason="the query gives more than 10000 rows or 50 MB")
    assert "too big" in (mark(folder, "SELECT zeroblob(9000000)", "SELECT 1").reason or "")


def test_a_code_fence(folder: Path) -> None:
    fenced = "Here it is:\n```sql\nSELECT 4\n```"
    assert mark(folder, fenced, "SELECT count(*) FROM sale").value == 0
    assert mark(folder, fenced, "SELECT count(*) FROM sale", lenient=True).value == 1


def test_a_database_that_cannot_serve_is_a_fault(folder: Path) -> None:
    (folder / "text.db").write_text("no database, but long enough to be looked at\n" * 9)
    connection = sqlite3.connect(folder / "busy.db")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (x)")
    wrong: list[tuple[dict[str, Json], str]] = [
        ({"database": "none.db"}, "must be a SQLite file, got 'none.db'"),
        ({"database": "text.db"}, "must be a SQLite file, got 'text.db'"),
        ({"database": "busy.db"}, "unmerged changes in 'busy.db-wal'; run PRAGMA"),
        ({"database": "shop.db", "seconds": 0}, "must be above 0"),
        ({"database": "shop.db", "ordered": "maybe"}, "maybe"),
    ]
    for settings, sentence in wrong:
        with pytest.raises(StudyError, match=sentence):
            registry.build({"sql_result": settings}, folder=folder)
    connection.close()


def test_another_content_is_another_metric(folder: Path) -> None:
    entry: registry.Entry = {"sql_result": {"database": "shop.db"}}
    before = registry.build(entry, folder=folder).settings()
    connection = sqlite3.connect(folder / "shop.db")
    connection.execute("DELETE FROM sale")
    connection.commit()
    connection.close()
    assert registry.build(entry, folder=folder).settings() != before
