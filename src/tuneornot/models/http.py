"""A model behind an OpenAI-compatible server, named ``http://127.0.0.1:8000/v1#model-name``.

The face of ``connection`` (one try) and ``pool`` (many tries) for ordinary code: requests are taken
from the caller's iterator in the caller's thread, a few more than are in flight; an event loop in
one background thread sends them; replies come back as they are ready. Leaving the iterator early,
by ``close``, an exception or Ctrl-C, cancels what is in flight.

It serves whatever the server serves: a tuned model must stand there under a name of its own.
"""

from __future__ import annotations

import itertools
import queue
import random
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

from tuneornot import fingerprint
from tuneornot.errors import ModelError, ServerError
from tuneornot.models import address
from tuneornot.models.background import BackgroundLoop
from tuneornot.models.base import Reply, Request
from tuneornot.models.connection import Connection, weights
from tuneornot.models.pace import Clock, Policy, RealClock
from tuneornot.models.pool import Errand, Fault, Outcome, Pool
from tuneornot.records import Adapter


class HttpModel:
    """Answers by asking a server.

    Args:
        name: base address, ``#``, the model's name on the server.
        concurrency: most requests in flight; it starts with 4 and rises while answers come.
        timeout_s: longest wait for one whole answer; a time-out is tried again.
        max_tries: tries of one request before its reply is an error.
        clock: where time comes from; tests give their own.

    Raises:
        ModelError: the name is not of this form.
    """

    def __init__(
        self,
        name: str,
        *,
        concurrency: int = 16,
        timeout_s: float = 120.0,
        max_tries: int = 5,
        clock: Clock | None = None,
    ) -> None:
        if concurrency < 1 or max_tries < 1 or timeout_s <= 0:
            raise ModelError(
                "A server needs at least one request in flight, one try and some time; found "
                f"concurrency={concurrency!r}, max_tries={max_tries!r}, timeout_s={timeout_s!r}. "
                "Give positive numbers."
            )
        self.name = name
        self._clock = clock or RealClock()
        self._policy = Policy(max_tries=max_tries)
        self._address = address.parse(name)
        self._key = address.key(self._address)
        self._connection = Connection(
            self._address, self._key, timeout_s=timeout_s, clock=self._clock
        )
        self._pool = Pool(
            self._connection.send,
            where=self._address.base,
            most=concurrency,
            policy=self._policy,
            clock=self._clock,
        )
        self._identity: str | None = None
        self._loop: BackgroundLoop | None = None
        self._finalizer: weakref.finalize[..., HttpModel] | None = None

    def __repr__(self) -> str:
        return f"HttpModel({self.name!r}, key={self._key!r})"

    def identity(self) -> str:
        """The served name, and a hash of what the server says of the model where it says anything.

        Raises:
            ModelError: the server does not offer a model of this name, or refuses the key.
            ServerError: it cannot be reached, or fails every time.
        """
        if self._identity is None:
            card = weights(self._running().wait(self._card()))
            said = f" {fingerprint.of(card)}" if card else ""
            self._identity = self._address.model + said
        return self._identity

    def ask(
        self,
        requests: Iterable[Request],
        *,
        adapter: Adapter | None = None,
        one_by_one: bool = False,
    ) -> Iterator[tuple[int, Reply]]:
        """Answer requests; yield (position, reply) as soon as each is ready, in any order.

        Raises:
            ModelError: an adapter was given; or, from the iterator, the key or the model's name is
                refused.
            ServerError: from the iterator: the server cannot be reached or stopped answering.
        """
        if adapter is not None:
            raise ModelError(
                f"A model on a server answers as it is served; {self.name!r} was given the adapter "
                f"{adapter.path!r}. Serve the adapter under a name of its own (for vLLM: "
                "--lora-modules NAME=PATH) and write that name after the #."
            )
        return self._answers(iter(requests), one_by_one)

    def close(self) -> None:
        """Close connections and end the background thread; a later ``ask`` opens them again."""
        if self._finalizer is not None:
            self._finalizer()
        self._loop = self._finalizer = None

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
                outcome = outbox.get()
                if isinstance(outcome, Exception):
                    raise outcome
                n_waiting -= 1
                yield outcome
        finally:
            if loop is self._loop:  # else the model was closed meanwhile, and nothing runs
                loop.wait(self._pool.drop(errand))

    async def _card(self) -> dict[str, Any]:
        """Ask for the model's card, patiently."""
        jitter = random.Random()
        n_tries = 0
        while isinstance(got := await self._connection.card(), Fault):
            n_tries += 1
            if got.stop is not None:
                raise got.stop
            if got.unreachable or n_tries >= self._policy.max_tries:
                raise ServerError(
                    f"A server must be running at {self._address.base}; {got.sentence}. "
                    "Start it, or correct the address in the study."
                )
            wait_s = got.wait_s or self._policy.backoff_s(n_tries, jitter)
            await self._clock.sleep(min(wait_s, self._policy.longest_wait_s))
        self._pool.reached = True
        return got

    def _running(self) -> BackgroundLoop:
        if self._loop is None:
            self._loop = BackgroundLoop("tuneornot-http")
            # Runs at close, when the model is garbage, or when the program ends.
            self._finalizer = weakref.finalize(
                self, _shut, self._loop, self._pool, self._connection
            )
        return self._loop


def _shut(loop: BackgroundLoop, pool: Pool, connection: Connection) -> None:
    async def everything() -> None:
        await pool.close()
        await connection.close()

    loop.finish(everything())
