"""A model behind a server: ``http://127.0.0.1:8000/v1#model-name`` or ``anthropic:model-name``.

``connection`` makes one try, in the words of ``chat`` or ``claude``; ``pooled`` and ``pool`` make
many of them. It serves whatever the server serves: a tuned model must stand there under a name of
its own.
"""

from __future__ import annotations

import random
from typing import Any

from tuneornot import fingerprint
from tuneornot.errors import ModelError, ServerError
from tuneornot.models import address
from tuneornot.models.chat import Chat
from tuneornot.models.claude import Claude
from tuneornot.models.connection import Connection, weights
from tuneornot.models.pace import Clock, Policy, RealClock
from tuneornot.models.pool import Fault
from tuneornot.models.pooled import PooledModel
from tuneornot.models.wire import Wire
from tuneornot.records import Adapter


class HttpModel(PooledModel):
    """Answers by asking a server.

    Args:
        name: base address, ``#``, the model's name on the server; or ``anthropic:`` and a name.
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
        self._address = address.parse(name)
        self._key = address.key(self._address)
        self._who = f"The server at {self._address.base}"
        self._identity: str | None = None
        clock = clock or RealClock()
        wire: Wire = Chat(self._address) if self._address.api == "openai" else Claude(self._address)
        self._connection = Connection(wire, self._key, timeout_s=timeout_s, clock=clock)
        super().__init__(
            name,
            self._connection,
            who=self._who,
            most=concurrency,
            policy=Policy(max_tries=max_tries),
            clock=clock,
        )
        self._connection.on_used_up = self._pool.pause

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
            # A name without an address does not tell models at two addresses apart.
            where = f" at {self._address.base}" if self._address.moved else ""
            self._identity = self._address.model + said + where
        return self._identity

    def _no_adapter(self, adapter: Adapter) -> str:
        return (
            f"A model on a server answers as it is served; {self.name!r} was given the adapter "
            f"{adapter.path!r}. Serve the adapter under a name of its own (for vLLM: "
            "--lora-modules NAME=PATH) and write that name after the #."
        )

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
                    f"{self._who} must be running; {got.sentence}. "
                    "Start it, or correct the address in the study."
                )
            wait_s = got.wait_s or self._policy.backoff_s(n_tries, jitter)
            await self._clock.sleep(min(wait_s, self._policy.longest_wait_s))
        self._pool.reached = True
        return got
