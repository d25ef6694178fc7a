"""What happens when the same thing is kept twice, for each table.

``ON CONFLICT`` is not standard SQL, but SQLite and PostgreSQL share its form. What counts as the
same is the table's primary key.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Dialect, Insert, Table, and_, or_
from sqlalchemy.dialects import postgresql, sqlite

from tuneornot.errors import StoreError
from tuneornot.store import schema

_INSERTS: dict[str, Callable[[Table], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}

_FIRST_STAYS = (schema.plans, schema.looks)
"""Tables whose rows say when something was first so."""


class Ready(NamedTuple):
    """A statement as the database's driver takes it, for rows that come one at a time."""

    sql: str
    order: tuple[str, ...] | None
    """Names of the values by their place; ``None`` where the driver takes them by name."""
    fixed: Mapping[str, Any]
    """Values that the statement holds itself."""

    def values(self, row: Mapping[str, object]) -> tuple[object, ...] | dict[str, object]:
        """A row as the driver wants it."""
        named = {**self.fixed, **row}
        return named if self.order is None else tuple(named[name] for name in self.order)


def ready(dialect: Dialect, table: Table) -> Ready:
    """``upsert`` in the driver's own words.

    Going through SQLAlchemy's statements costs each single row as much as SQLite's own work.
    """
    compiled = upsert(dialect.name, table).compile(dialect=dialect)
    order = tuple(compiled.positiontup or ()) if compiled.positional else None
    return Ready(str(compiled), order, compiled.params)


@functools.cache
def upsert(dialect: str, table: Table) -> Insert:
    """The statement that adds a row to a table, or settles what the row there becomes.

    Raises:
        StoreError: the database is neither SQLite nor PostgreSQL.
    """
    if dialect not in _INSERTS:
        raise StoreError(
            f"a store must be in SQLite or PostgreSQL, got {dialect!r}; name a file, or a URL "
            "that begins with postgresql"
        )
    statement = _INSERTS[dialect](table)
    if table in _FIRST_STAYS:
        return statement.on_conflict_do_nothing()
    new = statement.excluded
    keys = list(table.primary_key)
    replaced = {column.name: new[column.name] for column in table.c if column not in keys}
    if table is not schema.responses:
        return statement.on_conflict_do_update(index_elements=keys, set_=replaced)
    # Two processes may ask the same question: scores rest on the text that came first. A timing
    # is asked again only together with those that it is compared with, so the later one counts.
    old = schema.responses.c
    return statement.on_conflict_do_update(
        index_elements=keys,
        set_=replaced,
        where=or_(old.answered.is_(False), and_(old.purpose == "latency", new.answered)),
    )
