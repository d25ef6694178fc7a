from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import MetaData, Table, create_engine, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from tests.store import kept
from tuneornot.errors import StoreError
from tuneornot.store import migrations, schema
from tuneornot.store.migrations import STEPS, Step
from tuneornot.store.store import Store
from tuneornot.store.upsert import ready, upsert

NEXT = Step(
    STEPS[-1].version + 1,
    "a note for each plan",
    ("ALTER TABLE plans ADD COLUMN note TEXT", "CREATE TABLE notes (at VARCHAR(32) NOT NULL)"),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    with Store(path) as store:
        store.keep_response(kept.response(1))
    return path


def shape(table: Table) -> set[tuple[str, str, bool, bool]]:
    return {(c.name, str(c.type), bool(c.nullable), bool(c.primary_key)) for c in table.c}


def test_the_steps_lead_to_the_tables_that_queries_use(path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    found = MetaData()
    found.reflect(engine)
    assert set(found.tables) == set(schema.metadata.tables)
    for name, table in schema.metadata.tables.items():
        assert shape(found.tables[name]) == shape(table), name
        key = inspect(engine).get_pk_constraint(name)["constrained_columns"]
        assert key == [column.name for column in table.primary_key], name
    engine.dispose()


def test_versions_are_numbered_from_one() -> None:
    assert [step.version for step in STEPS] == list(range(1, len(STEPS) + 1))


def test_an_older_store_takes_the_steps_that_it_lacks(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "STEPS", (*STEPS, NEXT))
    for _ in range(2):
        with Store(path) as store:
            assert store.counts()["responses"] == 1
    with sqlite3.connect(path) as other:
        versions = other.execute("SELECT version, what FROM schema_version").fetchall()
        columns = {row[1] for row in other.execute("PRAGMA table_info(plans)")}
    other.close()
    assert versions == [(step.version, step.what) for step in (*STEPS, NEXT)]
    assert "note" in columns


def test_a_step_that_fails_leaves_the_store_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Step(NEXT.version, "a mistake", (NEXT.statements[1], NEXT.statements[1]))
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "STEPS", (*STEPS, broken))
        with pytest.raises(StoreError, match="could not be opened: table notes already exists"):
            Store(path)
    with Store(path) as store:
        assert store.counts()["responses"] == 1
    with sqlite3.connect(path) as other:
        tables = {name for (name,) in other.execute("SELECT name FROM sqlite_master")}
    other.close()
    assert "notes" not in tables


def test_a_newer_store_is_refused_and_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("INSERT INTO schema_version VALUES (99, 'later', 'later')")
    other.close()
    newest = STEPS[-1].version
    with pytest.raises(StoreError, match=f"got version 99 where {newest} .* update tuneornot"):
        Store(path)


def test_postgresql_reads_the_same_tables_and_statements() -> None:
    # No server is at hand here: what can be held is that its dialect can write all of it, and
    # that the steps use only types that both databases have.
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in schema.metadata.tables.values():
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
        if table is not schema.schema_version:
            written = str(upsert("postgresql", table).compile(dialect=dialect))
            assert "ON CONFLICT" in written
    for step in STEPS:
        for statement in step.statements:
            for word in ("AUTOINCREMENT", "ROWID", "DATETIME", "BLOB", "PRAGMA"):
                assert word not in statement.upper()


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(StoreError, match="must be in SQLite or PostgreSQL, got 'mysql'"):
        upsert("mysql", schema.plans)


def test_a_single_row_goes_to_each_driver_as_it_wants_it() -> None:
    places = sqlite.dialect()
    names = postgresql.dialect()  # type: ignore[no-untyped-call]
    row = {"key": "k", "seed": 1, "at": "now", "body": "{}"}
    by_place = ready(places, schema.adapters)
    assert by_place.sql.count("?") == 4
    assert by_place.values(row) == ("k", 1, "now", "{}")
    by_name = ready(names, schema.adapters)
    assert "%(seed)s" in by_name.sql
    assert by_name.values(row) == row
    # What the statement holds itself comes along.
    assert "latency" in ready(places, schema.responses).fixed.values()
