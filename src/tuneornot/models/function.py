"""A model that a study writes as a Python function: ``python:module:function``.

The function is called with the messages, a list of ``{"role": ..., "content": ...}``, and the
``records.Sampling``. It returns the answer's text, or a ``base.Reply`` where tokens or times are
known, or raises. An ordinary function is called in threads, up to eight at a time; an ``async`` one
on one event loop, which it must not block. What it raises is the reason of that one answer's
failure, except for ``ModelError``: that ends the run.

It refuses to know what the function does with seeds, forms and limits: it is told all of them. A
call that takes too long is given up, but a thread cannot be ended from outside.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tuneornot import functions
from tuneornot.errors import ModelError
from tuneornot.models.background import in_thread
from tuneornot.models.base import Reply, Request
from tuneornot.models.pace import Clock, Policy, RealClock
from tuneornot.models.pool import Fault
from tuneornot.models.pooled import PooledModel

MOST = 8
"""Calls at a time."""
TIMEOUT_S = 120.0
"""Longest wait for one answer."""
SHOWN = 300
"""Characters shown of what a function raised."""


class FunctionModel(PooledModel):
    """Answers by calling a function.

    Args:
        name: ``python:module:function``.
        folder: where the study file stands; the module may stand beside it.
        timeout_s: longest wait for one answer.

    Raises:
        ModelError: there is no such function, or it does not take (messages, sampling).
    """

    def __init__(self, name: str, folder: Path, *, timeout_s: float = TIMEOUT_S) -> None:
        address = name.removeprefix("python:")
        try:
            found = functions.find(address, folder, what="a model")
        except ValueError as fault:
            raise ModelError(f"A model must be found; {fault}.") from None
        _check(found.call, address)
        self._identity = f"{address} {found.source or ''}".strip()
        clock = RealClock()
        super().__init__(
            name,
            Calls(found.call, address, timeout_s=timeout_s, clock=clock),
            who=f"The function {address}",
            most=MOST,
            policy=Policy(max_tries=1),
            clock=clock,
        )

    def identity(self) -> str:
        """The function and a fingerprint of its module's file: an edit is another model."""
        return self._identity


class Calls:
    """See ``pooled.Sender``."""

    def __init__(
        self, call: Callable[..., Any], address: str, *, timeout_s: float, clock: Clock
    ) -> None:
        self._call = call
        self._address = address
        self._timeout_s = timeout_s
        self._clock = clock
        self._threads = asyncio.Semaphore(MOST)

    async def send(self, request: Request, alone: bool = False) -> Reply | Fault:
        """Call the function once."""
        messages = [{"role": m.role, "content": m.content} for m in request.messages]
        try:
            async with asyncio.timeout(self._timeout_s) as limit:
                said, spent_s = await self._called(messages, request)
        except ModelError as failure:
            return Fault(str(failure), stop=failure)
        except Exception as failure:
            # The function is somebody else's code: it may raise anything, a TimeoutError too.
            if isinstance(failure, TimeoutError) and limit.expired():
                return Fault(f"no answer within {self._timeout_s:g} s")
            return Fault(f"{self._address} raised {failure!r}"[:SHOWN])
        return self._reply(said, spent_s)

    async def close(self) -> None:
        """Nothing is held; calls that were given up may still run in their threads."""
        self._threads = asyncio.Semaphore(MOST)  # of the next event loop

    async def _called(self, messages: list[dict[str, str]], request: Request) -> tuple[Any, float]:
        """What the function returned, and how long it took."""
        if inspect.iscoroutinefunction(self._call):
            began_s = self._clock.now()
            said = await self._call(messages, request.sampling)
            return said, self._clock.now() - began_s
        threads = self._threads
        await threads.acquire()
        began_s = self._clock.now()
        # A place is free again when the thread has ended, not when it is no longer waited for.
        said = await in_thread(self._call, messages, request.sampling, after=threads.release)
        return said, self._clock.now() - began_s

    def _reply(self, said: object, spent_s: float) -> Reply | Fault:
        if isinstance(said, str):
            return Reply(text=said, latency_s=spent_s)
        if isinstance(said, Reply) and said.text is None and said.error is not None:
            return Fault(said.error.removesuffix("."))
        if not isinstance(said, Reply) or said.text is None or said.error is not None:
            return Fault(
                f"{self._address} must return a text or a Reply with a text or an error; "
                f"it returned {said!r}"[:SHOWN]
            )
        if said.latency_s is not None:
            return said
        return msgspec.structs.replace(said, latency_s=spent_s)


def _check(call: Callable[..., Any], address: str) -> None:
    try:
        signature = inspect.signature(call)
    except ValueError:  # functions written in C do not tell
        return
    try:
        signature.bind([], None)
    except TypeError:
        raise ModelError(
            f"The function of a model must take (messages, sampling), got {address!r} with "
            f"{signature}; change its parameters."
        ) from None
