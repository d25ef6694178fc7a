"""Where everything measured is kept: records in, records out.

One SQLite file for a study by default, or any database that an SQLAlchemy URL names. Responses are
kept by content (arm, question, repeat, purpose), so cache, resume and history are one thing. The
store does not know what a record means, never asks a model, and forgets nothing.

What a verb that keeps has returned for is safe: each call is one committed transaction, written to
the operating system before it returns. So the end of the process at any moment, also by
``kill -9``, loses nothing that was kept. The end of the machine (power, kernel) never damages the
file, but may take the last moments with it: the file is synchronised with the disk at checkpoints
(``synchronous=NORMAL`` with a write-ahead log), not at each of thousands of answers.
"""

from __future__ import annotations

import datetime
import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Select, Table, func, select

from tuneornot.errors import StoreError
from tuneornot.records import Adapter, Label, Ledger, Look, Order, Phase, Record, Response, Verdict
from tuneornot.store import bodies, migrations, schema
from tuneornot.store.database import ALONE, EACH, connect, told
from tuneornot.store.upsert import Ready, ready, upsert

Key = tuple[str, str, int, str]
"""What identifies a response: ``Response.key``."""

R = TypeVar("R", bound=Record)
T = TypeVar("T")

_BLOCK = 500
# Questions in one query, and rows in one transaction of many: memory stays flat, and the number of
# parameters far below what any database allows.


class Plan(NamedTuple):
    """A plan under which something was measured."""

    fingerprint: str
    study: str
    text: str
    """The plan as it was written."""
    first_seen: str
    """ISO 8601, UTC."""


class Judged(NamedTuple):
    """A verdict of the past."""

    at: str
    """ISO 8601, UTC."""
    verdict: Verdict


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class Store:
    """An open store. Its verbs may be called from several threads.

    Args:
        where: path of a SQLite file (made if missing, with its folder) or an SQLAlchemy URL.
        wait_s: how long to wait for another process that is writing, in seconds.
        now: the clock.

    Raises:
        StoreError: from every verb, in one sentence: the place cannot be written (disk full,
            read-only, held by another program), is no store, or is newer than this program.
    """

    def __init__(
        self,
        where: str | Path,
        *,
        wait_s: float = 10.0,
        now: Callable[[], datetime.datetime] = _utc_now,
    ) -> None:
        self.where = str(where)
        self._now = now
        self._turn = threading.Lock()
        self._ready: dict[Table, Ready] = {}
        with told(self.where, "opened"):
            self._engine = connect(where, wait_s)
        try:
            with told(self.where, "opened"):
                self._migrate()
                # One statement is one transaction: four times as fast as begin and commit.
                self._writer = self._engine.connect().execution_options(**EACH)
        except StoreError:
            self._engine.dispose()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database; may be called twice."""
        with self._turn:
            self._writer.close()
            self._engine.dispose()

    def keep_response(self, response: Response) -> None:
        """Keep one response, safely before this returns.

        An answer is never replaced: the first text for a key stays. A failure is replaced by
        whatever comes later, a timing by a later timing that succeeded.
        """
        self._keep(schema.responses, self._response_row(response))

    def keep_responses(self, responses: Iterable[Response]) -> None:
        """Keep many at a time: as ``keep_response``, in transactions of some hundred rows."""
        statement = upsert(self._engine.dialect.name, schema.responses)
        for block in _blocks(responses):
            rows = [self._response_row(response) for response in block]
            with told(self.where, "written"), self._turn, self._engine.begin() as connection:
                connection.execute(statement, rows)

    def responses(self, keys: Sequence[Key]) -> dict[Key, Response]:
        """The responses that exist for the given keys, failures among them."""
        wanted = set(keys)
        questions: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        for arm, question, _, purpose in keys:
            questions[arm, purpose][question] = None
        found = (
            response
            for (arm, purpose), asked in questions.items()
            for block in _blocks(asked)
            for response in self._read(_asked(arm, purpose, block), Response)
        )
        return {response.key: response for response in found if response.key in wanted}

    def each_response(self, arm: str | None = None) -> Iterator[Response]:
        """Every response (of one arm's fingerprint), one after the other in flat memory."""
        table = schema.responses
        query = select(table.c.body).order_by(*table.primary_key)
        return self._read(query if arm is None else query.where(table.c.arm == arm), Response)

    def keep_adapter(self, key: str, adapter: Adapter) -> None:
        """Keep an adapter under what determined it; one for each seed, the last one stays."""
        row = {"key": key, "seed": adapter.seed, "at": self._time(), "body": bodies.encode(adapter)}
        self._keep(schema.adapters, row)

    def adapters(self, key: str) -> tuple[Adapter, ...]:
        """The adapters under a key, by seed."""
        table = schema.adapters
        query = select(table.c.body).where(table.c.key == key).order_by(table.c.seed)
        return tuple(self._read(query, Adapter))

    def keep_order(self, order: Order) -> None:
        """Keep a training ordered from a host as it is now."""
        row = {"key": order.key, "at": self._time(), "body": bodies.encode(order)}
        self._keep(schema.orders, row)

    def order(self, key: str) -> Order | None:
        """The order of a training, if there is one."""
        query = select(schema.orders.c.body).where(schema.orders.c.key == key)
        return next(iter(self._read(query, Order)), None)

    def keep_ledger(self, key: str, ledger: Ledger) -> None:
        """Keep the ledger of a search under what determined it; the last one stays."""
        row = {"key": key, "at": self._time(), "body": bodies.encode(ledger)}
        self._keep(schema.ledgers, row)

    def ledger(self, key: str) -> Ledger | None:
        """The ledger under a key, if that search was done."""
        query = select(schema.ledgers.c.body).where(schema.ledgers.c.key == key)
        found = list(self._read(query, Ledger))
        return found[0] if found else None

    def keep_plan(self, fingerprint: str, text: str, *, study: str = "") -> None:
        """Note a plan; the time at which it was first seen stays."""
        row = {
            "fingerprint": fingerprint,
            "study": study,
            "text": text,
            "first_seen": self._time(),
        }
        self._keep(schema.plans, row)

    def plans(self, study: str | None = None) -> tuple[Plan, ...]:
        """The plans (of one study), in the order in which they were first seen."""
        table = schema.plans
        query = select(table.c.fingerprint, table.c.study, table.c.text, table.c.first_seen)
        if study is not None:
            query = query.where(table.c.study == study)
        rows = self._rows(query.order_by(table.c.first_seen, table.c.fingerprint))
        return tuple(Plan(*row) for row in rows)

    def keep_look(self, look: Look) -> None:
        """Note a look at a set that a verdict rests on."""
        row = {"plan": look.plan, "dataset": look.dataset, "arm": look.arm, "at": look.at}
        self._keep(schema.looks, {**row, "n": look.n})

    def looks(self, plan: str | None = None) -> tuple[Look, ...]:
        """The looks (under one plan), earliest first."""
        table = schema.looks
        query = select(table.c.plan, table.c.dataset, table.c.arm, table.c.at, table.c.n)
        if plan is not None:
            query = query.where(table.c.plan == plan)
        rows = self._rows(query.order_by(table.c.at, table.c.dataset, table.c.arm))
        return tuple(
            Look(plan=plan, dataset=dataset, arm=arm, at=at, n=n)
            for plan, dataset, arm, at, n in rows
        )

    def keep_verdict(self, verdict: Verdict) -> None:
        """Add a verdict to the history."""
        row = {
            "plan": verdict.plan,
            "baseline": verdict.baseline,
            "candidate": verdict.candidate,
            "at": self._time(),
            "body": bodies.encode(verdict),
        }
        self._keep(schema.verdicts, row)

    def verdicts(self, plan: str | None = None) -> tuple[Judged, ...]:
        """The verdicts (under one plan), earliest first."""
        table = schema.verdicts
        query = select(table.c.at, table.c.body)
        if plan is not None:
            query = query.where(table.c.plan == plan)
        rows = self._rows(query.order_by(table.c.at, table.c.baseline, table.c.candidate))
        return tuple(Judged(at, bodies.decode(body, Verdict)) for at, body in rows)

    def keep_phase(self, plan: str, phase: Phase, *, at: str | None = None) -> str:
        """Note how long a phase of the work took under a plan, and what it used.

        Args:
            plan: its fingerprint.
            phase: as it is, or as it is so far.
            at: what the first call for this phase returned; later ones take its place.

        Returns:
            The time under which it is kept, ISO 8601.
        """
        at = at or self._time()
        row = {"plan": plan, "name": phase.name, "at": at, "body": bodies.encode(phase)}
        self._keep(schema.phases, row)
        return at

    def phases(self, plan: str | None = None) -> tuple[Phase, ...]:
        """The phases (under one plan), in the order in which they were first kept."""
        table = schema.phases
        query = select(table.c.body)
        if plan is not None:
            query = query.where(table.c.plan == plan)
        return tuple(self._read(query.order_by(table.c.at), Phase))

    def keep_label(self, label: Label) -> None:
        """Keep what a person said of something; the last word of each person stays."""
        row = {
            "item": label.item,
            "who": label.who,
            "at": self._time(),
            "body": bodies.encode(label),
        }
        self._keep(schema.labels, row)

    def labels(self) -> tuple[Label, ...]:
        """Every label, in the order in which they were last given."""
        table = schema.labels
        query = select(table.c.body).order_by(table.c.at, table.c.item, table.c.who)
        return tuple(self._read(query, Label))

    def counts(self) -> dict[str, int]:
        """Rows of each table."""
        return {
            table.name: int(n)
            for table in schema.metadata.sorted_tables
            if table is not schema.schema_version
            for (n,) in self._rows(select(func.count()).select_from(table))
        }

    def _migrate(self) -> None:
        with self._engine.connect() as connection:
            if migrations.is_current(connection):
                return
        # Asked again under the lock: another process may have opened the same new file.
        with (
            self._engine.connect().execution_options(**ALONE) as connection,
            connection.begin(),
        ):
            migrations.apply(connection, self._time())

    def _time(self) -> str:
        return self._now().astimezone(datetime.UTC).isoformat(timespec="microseconds")

    def _response_row(self, response: Response) -> dict[str, object]:
        return {
            "arm": response.arm,
            "purpose": response.purpose,
            "question": response.question,
            "repeat": response.repeat,
            "answered": response.text is not None,
            "at": self._time(),
            "body": bodies.encode(response),
        }

    def _keep(self, table: Table, row: Mapping[str, object]) -> None:
        with told(self.where, "written"), self._turn:
            if table not in self._ready:
                self._ready[table] = ready(self._engine.dialect, table)
            statement = self._ready[table]
            if self._writer.invalidated:  # the last write was interrupted: begin afresh
                self._writer.close()
                self._writer = self._engine.connect().execution_options(**EACH)
            self._writer.exec_driver_sql(statement.sql, statement.values(row))

    def _rows(self, query: Select[Any]) -> Iterator[Sequence[Any]]:
        with told(self.where, "read"), self._engine.connect() as connection:
            yield from connection.execution_options(yield_per=_BLOCK).execute(query)

    def _read(self, query: Select[Any], kind: type[R]) -> Iterator[R]:
        return (bodies.decode(body, kind) for (body,) in self._rows(query))


def _asked(arm: str, purpose: str, questions: Sequence[str]) -> Select[Any]:
    table = schema.responses
    return select(table.c.body).where(
        table.c.arm == arm, table.c.purpose == purpose, table.c.question.in_(questions)
    )


def _blocks(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while block := list(itertools.islice(rest, _BLOCK)):
        yield block
