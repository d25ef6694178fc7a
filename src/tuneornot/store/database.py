"""The connection to the database: SQLite's settings, and its complaints as sentences.

The only file that knows anything particular to SQLite. Other databases are used as SQLAlchemy
opens them.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from tuneornot.errors import StoreError

EACH = {"isolation_level": "AUTOCOMMIT"}
"""Execution options of a connection on which each statement is a transaction of its own."""

ALONE = {"tuneornot_begin": "BEGIN IMMEDIATE"}
"""Execution options of a connection whose transactions lock out other writers from the start."""

_WRITABLE = "make the file and its folder writable, or name a place that is"
_PLACE = "name a place whose folder can be made"
_ADVICE = {
    "disk is full": "free some space and run the same command again: what was kept so far is safe",
    "no space left": "free some space and run the same command again: what was kept so far is safe",
    "readonly": _WRITABLE,
    "read-only": _WRITABLE,
    "permission denied": _WRITABLE,
    "unable to open": _WRITABLE,
    "not a directory": _PLACE,
    "file exists": _PLACE,
    "no such file": _PLACE,
    "is locked": "another program holds it: let it end, and run the same command again",
    "not a database": "the file is something else: name another one",
    "malformed": "the file is damaged: restore it from a copy, or name another one",
    "no module named": "install the driver of that database",
    "load plugin": "name a file, or a URL that begins with postgresql",
}
"""What to do, by a word of the complaint (SQLite's own messages, and the operating system's)."""

_ANY = "run the same command again when that is put right: what was kept so far is safe"


def connect(where: str | Path, wait_s: float) -> Engine:
    """An engine for a path or a URL; a SQLite file's folder is made if missing.

    Raises:
        OSError: the folder cannot be made.
        SQLAlchemyError: the URL is wrong.
        ImportError: the database's driver is not installed.
    """
    name = str(where)
    url = make_url(name) if "://" in name else URL.create("sqlite", database=name)
    if url.get_backend_name() != "sqlite":
        return create_engine(url)
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": wait_s})
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


@contextlib.contextmanager
def told(where: str, what: str) -> Iterator[None]:
    """Turn what the database or the disk says into a sentence.

    Args:
        where: the store, as the user named it.
        what: what could not be done with it: ``opened``, ``read``, ``written``.

    Raises:
        StoreError: instead of the complaint.
    """
    try:
        yield
    except (SQLAlchemyError, OSError, ImportError) as error:
        said = str(getattr(error, "orig", None) or error)
        advice = next((do for word, do in _ADVICE.items() if word in said.lower()), _ANY)
        raise StoreError(f"the store {where!r} could not be {what}: {said}; {advice}") from error


def _set_up(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    # 40 MB of log between checkpoints instead of 4: nearly twice as many answers kept per second.
    connection.execute("PRAGMA wal_autocheckpoint = 10000")


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") == EACH["isolation_level"]:
        return
    # The driver would begin only before a change of rows, and leave out changes of tables.
    connection.exec_driver_sql(str(options.get("tuneornot_begin", "BEGIN")))
