"""How a store comes from any earlier version to the present one: numbered steps, in order.

A step that was released is never edited: a store in somebody's folder has already taken it. A
change of the tables is a new step at the end of ``STEPS`` and the same change in ``schema``; a
test holds both together. The statements are SQL that SQLite and PostgreSQL both read.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, inspect, select, text

from tuneornot.errors import StoreError
from tuneornot.store import schema


class Step(NamedTuple):
    """One change of the tables."""

    version: int
    """Of the store after this step; 1, 2, 3 and so on."""
    what: str
    """What it changes, for whoever reads the version table."""
    statements: tuple[str, ...]


STEPS = (
    Step(
        1,
        "responses, adapters, ledgers, plans, looks, verdicts, phases",
        (
            "CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY,"
            " what TEXT NOT NULL, at VARCHAR(32) NOT NULL)",
            "CREATE TABLE responses (arm VARCHAR(20) NOT NULL, purpose VARCHAR(16) NOT NULL,"
            " question VARCHAR(20) NOT NULL, repeat INTEGER NOT NULL, answered BOOLEAN NOT NULL,"
            " at VARCHAR(32) NOT NULL, body TEXT NOT NULL,"
            " PRIMARY KEY (arm, purpose, question, repeat))",
            "CREATE TABLE adapters (key VARCHAR(64) NOT NULL, seed INTEGER NOT NULL,"
            " at VARCHAR(32) NOT NULL, body TEXT NOT NULL, PRIMARY KEY (key, seed))",
            "CREATE TABLE ledgers (key VARCHAR(64) NOT NULL PRIMARY KEY,"
            " at VARCHAR(32) NOT NULL, body TEXT NOT NULL)",
            "CREATE TABLE plans (fingerprint VARCHAR(20) NOT NULL PRIMARY KEY,"
            " study TEXT NOT NULL, text TEXT NOT NULL, first_seen VARCHAR(32) NOT NULL)",
            "CREATE TABLE looks (plan VARCHAR(20) NOT NULL, dataset VARCHAR(255) NOT NULL,"
            " arm VARCHAR(255) NOT NULL, at VARCHAR(32) NOT NULL,"
            " PRIMARY KEY (plan, dataset, arm, at))",
            "CREATE TABLE verdicts (plan VARCHAR(20) NOT NULL, baseline VARCHAR(255) NOT NULL,"
            " candidate VARCHAR(255) NOT NULL, at VARCHAR(32) NOT NULL, body TEXT NOT NULL,"
            " PRIMARY KEY (plan, baseline, candidate, at))",
            "CREATE TABLE phases (plan VARCHAR(20) NOT NULL, name VARCHAR(255) NOT NULL,"
            " at VARCHAR(32) NOT NULL, body TEXT NOT NULL, PRIMARY KEY (plan, name, at))",
        ),
    ),
    Step(
        2,
        "labels",
        (
            "CREATE TABLE labels (item VARCHAR(20) NOT NULL, who VARCHAR(255) NOT NULL,"
            " at VARCHAR(32) NOT NULL, body TEXT NOT NULL, PRIMARY KEY (item, who))",
        ),
    ),
    Step(
        3,
        "cases of the set at each look",
        ("ALTER TABLE looks ADD COLUMN n INTEGER",),
    ),
    Step(
        4,
        "trainings ordered from hosts",
        (
            "CREATE TABLE orders (key VARCHAR(255) NOT NULL PRIMARY KEY,"
            " at VARCHAR(32) NOT NULL, body TEXT NOT NULL)",
        ),
    ),
)


def version(connection: Connection) -> int:
    """The version of a store; 0 for an empty database.

    Raises:
        StoreError: the database holds other tables, so it belongs to another program.
    """
    tables = inspect(connection).get_table_names()
    if schema.schema_version.name in tables:
        found: int | None = connection.scalar(select(func.max(schema.schema_version.c.version)))
        return found or 0
    if tables:
        raise StoreError(
            f"a store needs a database of its own, got one that holds {sorted(tables)[:5]!r}; "
            "name another file or database"
        )
    return 0


def is_current(connection: Connection) -> bool:
    """Whether the store has taken every step.

    Raises:
        StoreError: it has taken steps that this program does not know, or is not a store.
    """
    found, latest = version(connection), STEPS[-1].version
    if found > latest:
        raise StoreError(
            f"a store must not be newer than the program that reads it, got version {found!r} "
            f"where {latest} is the newest known; update tuneornot"
        )
    return found == latest


def apply(connection: Connection, now: str) -> None:
    """Take the steps that the store lacks, inside the connection's transaction.

    Args:
        connection: with a transaction begun that nobody else can write beside.
        now: the time to note, ISO 8601.

    Raises:
        StoreError: as ``is_current``.
    """
    if is_current(connection):
        return
    found = version(connection)
    for step in STEPS:
        if step.version <= found:
            continue
        for statement in step.statements:
            connection.execute(text(statement))
        connection.execute(
            schema.schema_version.insert(),
            {"version": step.version, "what": step.what, "at": now},
        )
