"""The metric of SQL that is run: does the query give what the expected query gives.

Queries run on a SQLite file that is never written: the connection is read-only, statements other
than queries are refused by SQLite's authorizer before they begin, and time, rows and sizes have
limits. Other databases, and queries whose rows hang on the time or on chance, are not covered.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from tuneornot import fingerprint
from tuneornot.metrics.base import LACKING, Mark, settings_of
from tuneornot.records import Case, Json, Response, Scale

Value = str | bytes | float | int | None
Rows = list[tuple[Value, ...]]

LARGEST = 1_000_000
"""Bytes of the largest text or blob that a query may make."""
MOST = 50_000_000
"""Bytes of texts and blobs in all rows of a query."""
STEPS = 10_000
"""Instructions of SQLite's machine between two looks at the clock."""
_FENCE = re.compile(r"```[a-z]*\s*\n(.*?)```", re.I | re.S)
_ALLOWED = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
    }
)


class Failed(Exception):
    """A query that gave no rows; the text says why."""


@dataclasses.dataclass(kw_only=True)
class SqlResult:
    """1 if the answer, run as SQL, gives the expected rows, else 0.

    The case expects a query, which is run too, or the rows themselves as a list of lists. Columns
    count by their place, not by their name. Rows are compared as often as they stand there; in
    order only where ``ordered`` says so. Numbers are equal if twelve digits are, whole or not;
    texts and blobs must be the same; NULL equals NULL. Queries that agree on this database may
    differ on another.
    """

    database: str
    """The SQLite file, a path from the study's folder."""
    name: str = "sql_result"
    ordered: Literal["expected", "always", "never"] = "expected"
    """When rows must be in order: where the expected query is, always, or never."""
    seconds: float = 5.0
    """How long one query may take."""
    rows: int = 10_000
    """Rows that a query may give."""
    lenient: bool = False
    """Take the content of a code fence where the answer has one."""
    folder: Path = Path()
    """Where the study file stands."""
    scale = Scale(binary=True)

    def __post_init__(self) -> None:
        if not self.seconds > 0 or self.rows < 1:
            raise ValueError(
                f"seconds and rows must be above 0, got {self.seconds!r} and {self.rows!r}; "
                "5 and 10000 are usual"
            )
        self._path = (self.folder / self.database).resolve()
        self._content = _checked(self._path, self.database)
        self._known: dict[str, Rows | Failed] = {}

    def settings(self) -> dict[str, Json]:
        """What determines its values, the database's content among it."""
        return settings_of(self, "sql_result", content=self._content)

    def score(self, case: Case, response: Response) -> Mark:
        """1 or 0; ``None`` where the case expects nothing that can be had."""
        if case.expected is None:
            return Mark(None, f"{LACKING} answer")
        try:
            expected = self._expected(case)
        except Failed as failure:
            return Mark(None, f"the expected query {failure}")
        text = response.text or ""
        fence = _FENCE.search(text) if self.lenient else None
        try:
            found = self._run(fence.group(1) if fence else text)
        except Failed as failure:
            return Mark(0.0, f"the query {failure}")
        if _same(found, expected, ordered=self._is_ordered(case)):
            return Mark(1.0)
        return Mark(0.0, _difference(found, expected))

    def _expected(self, case: Case) -> Rows:
        """The expected rows; a query is run once, however many answers are held against it."""
        if isinstance(case.expected, list) and all(isinstance(one, list) for one in case.expected):
            return [tuple(map(_plain, row)) for row in case.expected if isinstance(row, list)]
        query = case.answer
        if query not in self._known:
            try:
                self._known[query] = self._run(query)
            except Failed as failure:
                self._known[query] = failure
        known = self._known[query]
        if isinstance(known, Failed):
            raise known
        return known

    def _is_ordered(self, case: Case) -> bool:
        if self.ordered == "expected":
            return isinstance(case.expected, str) and _ends_in_order(case.expected)
        return self.ordered == "always"

    def _run(self, query: str) -> Rows:
        """The rows of a query.

        Raises:
            Failed: it is no query, is wrong, or takes too long.
        """
        with _opened(self._path) as connection:
            end = time.monotonic() + self.seconds
            connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
            try:
                return self._taken(connection.execute(query))
            except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
                if str(error) == "interrupted":
                    raise Failed(f"took longer than {self.seconds:g} s") from None
                raise Failed(f"is refused: {error}"[:200]) from None

    def _taken(self, cursor: sqlite3.Cursor) -> Rows:
        """The rows of a query, as long as there are not too many of them and they are not large."""
        found: Rows = []
        size = 0
        for row in cursor:
            size += sum(len(value) for value in row if isinstance(value, str | bytes))
            if len(found) == self.rows or size > MOST:
                raise Failed(f"gives more than {self.rows} rows or {MOST // 1_000_000} MB")
            found.append(row)
        return found


def _checked(path: Path, named: str) -> str:
    """The fingerprint of a database that can be read without touching it.

    Raises:
        ValueError: there is none, or a part of it stands in another file.
    """
    journal = path.with_name(path.name + "-wal")
    if path.is_file() and journal.is_file() and journal.stat().st_size:
        raise ValueError(
            f"database must be one whole file, got {named!r} with unmerged changes in "
            f"{journal.name!r}; run PRAGMA wal_checkpoint(TRUNCATE) on it first"
        )
    try:
        with _opened(path) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return fingerprint.of_file(path)
    except (sqlite3.Error, OSError) as error:
        raise ValueError(
            f"database must be a SQLite file, got {named!r} ({error}); its path is read from the "
            "study's folder"
        ) from None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can only read; ``immutable`` keeps SQLite from making lock files too."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
        connection.set_authorizer(_authorized)
        yield connection
    finally:
        connection.close()


def _authorized(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    harmless = action in _ALLOWED and (second or "").lower() != "load_extension"
    return sqlite3.SQLITE_OK if harmless else sqlite3.SQLITE_DENY


def _same(found: Rows, expected: Rows, *, ordered: bool) -> bool:
    ours, theirs = ([tuple(map(_comparable, row)) for row in rows] for rows in (found, expected))
    return ours == theirs if ordered else Counter(ours) == Counter(theirs)


def _comparable(value: Value) -> Value:
    """A value as it is compared: fractions to twelve digits; whole numbers equal both kinds."""
    return float(f"{value:.12g}") if isinstance(value, float) and math.isfinite(value) else value


def _plain(value: Json) -> Value:
    """A value of expected JSON as SQLite would give it."""
    if value is None or isinstance(value, str | float | int):
        return int(value) if isinstance(value, bool) else value
    return str(value)


def _ends_in_order(query: str) -> bool:
    """Whether ORDER BY stands outside all brackets, quotes and comments."""
    bare = re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", " ", query, flags=re.S)
    depth, outside = 0, []
    for piece in re.split(r"([()])", bare):
        depth += {"(": 1, ")": -1}.get(piece, 0)
        outside.append(piece if depth == 0 else " ")
    return re.search(r"\border\s+by\b", "".join(outside), re.I) is not None


def _difference(found: Rows, expected: Rows) -> str:
    """What tells two results apart, in a few words."""
    ours, theirs = ([tuple(map(_comparable, row)) for row in rows] for rows in (found, expected))
    lacking, beyond = [*(Counter(theirs) - Counter(ours))], [*(Counter(ours) - Counter(theirs))]
    if not lacking and not beyond:
        return "the right rows in another order"
    said = f"{len(found)} rows, expected {len(expected)}"
    said += f"; lacking {lacking[0]!r}" if lacking else ""
    return (said + (f"; too many {beyond[0]!r}" if beyond else ""))[:300]
