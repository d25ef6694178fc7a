"""The face of a pool for ordinary code: a model that is asked many questions at once.

Requests are taken from the caller's iterator in the caller's thread, a few more than are in flight;
an event loop in one background thread carries them; replies come back as they are ready. Leaving
the iterator early, by ``close``, an exception or Ctrl-C, cancels what is in flight.

It knows no network, no functions and no programs: what makes one try is a ``Sender``.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import weakref
from collections.abc import Iterable, Iterator
from typing import Protocol

from tuneornot.errors import ModelError
from tuneornot.models.background import BackgroundLoop
from tuneornot.models.base import Reply, Request
from tuneornot.models.pace import Clock, Policy, RealClock
from tuneornot.models.pool import Errand, Fault, Outcome, Pool
from tuneornot.records import Adapter


class Sender(Protocol):
    """Makes one try at one request."""

    async def send(self, request: Request, alone: bool = False) -> Reply | Fault:
        """One try; ``alone`` where it is to be timed. Raises only for faults of the program."""
        ...

    async def close(self) -> None:
        """Free what it holds; may be called twice."""
        ...


class PooledModel:
    """The part of a model that is the same for everything that a pool can ask.

    Args:
        name: as arms name it.
        sender: makes one try.
        who: who answers, as the beginning of a sentence.
        most: most requests in flight; it starts with 4 and rises while answers come.
        policy: how patient the pool is.
        clock: where time comes from; tests give their own.
    """

    def __init__(
        self,
        name: str,
        sender: Sender,
        *,
        who: str,
        most: int,
        policy: Policy,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self._sender = sender
        self._clock = clock or RealClock()
        self._policy = policy
        self._pool = Pool(sender.send, who=who, most=most, policy=policy, clock=self._clock)
        self._loop: BackgroundLoop | None = None
        self._finalizer: weakref.finalize[..., PooledModel] | None = None

    def ask(
        self,
        requests: Iterable[Request],
        *,
        adapter: Adapter | None = None,
        one_by_one: bool = False,
    ) -> Iterator[tuple[int, Reply]]:
        """Answer requests; yield (position, reply) as soon as each is ready, in any order.

        Raises:
            ModelError: an adapter was given; or, from the iterator, nothing can be answered at all.
            ServerError: from the iterator: whoever answers cannot be reached or stopped answering.
        """
        if adapter is not None:
            raise ModelError(self._no_adapter(adapter))
        return self._answers(iter(requests), one_by_one)

    def close(self) -> None:
        """Free what is held and end the background thread; a later ``ask`` begins again."""
        if self._finalizer is not None:
            self._finalizer()
        self._loop = self._finalizer = None

    def _no_adapter(self, adapter: Adapter) -> str:
        return (
            f"Only local models take an adapter; {self.name!r} was given {adapter.path!r}. "
            "Name a local model in the arm."
        )

    def _answers(
        self, requests: Iterator[Request], one_by_one: bool
    ) -> Iterator[tuple[int, Reply]]:
        outbox: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        loop = self._running()
        errand = Errand(outbox.put, alone=one_by_one)
        numbered = enumerate(requests)
        n_waiting = 0
        try:
            while True:
                # Twice what is in flight, so that a slow caller leaves no place on the line empty.
                n_wanted = 2 * int(self._pool.pace.limit) - n_waiting
                batch = list(itertools.islice(numbered, max(0, n_wanted)))
                if batch:
                    loop.soon(self._pool.submit, errand, batch)
                    n_waiting += len(batch)
                if not n_waiting:
                    return
                # Whatever is there by now: to look for more work once for each answer would wake
                # the other thread, and wait for it, as often.
                for outcome in _arrived(outbox):
                    if isinstance(outcome, Exception):
                        raise outcome
                    n_waiting -= 1
                    yield outcome
        finally:
            if loop is self._loop:  # else the model was closed meanwhile, and nothing runs
                loop.wait(self._pool.drop(errand))

    def _running(self) -> BackgroundLoop:
        if self._loop is None:
            self._loop = BackgroundLoop(f"tuneornot-{self.name.partition(':')[0]}")
            # Runs at close, when the model is garbage, or when the program ends.
            self._finalizer = weakref.finalize(self, _shut, self._loop, self._pool, self._sender)
        return self._loop


def _arrived(outbox: queue.SimpleQueue[Outcome]) -> list[Outcome]:
    """Waits for an outcome; that one and all that have come with it."""
    found = [outbox.get()]
    with contextlib.suppress(queue.Empty):
        while True:
            found.append(outbox.get_nowait())
    return found


def _shut(loop: BackgroundLoop, pool: Pool, sender: Sender) -> None:
    async def everything() -> None:
        await pool.close()
        await sender.close()

    loop.finish(everything())
