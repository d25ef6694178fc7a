"""Between asynchronous and ordinary code: a loop in a thread of its own, a call in a thread.

It knows nothing of what runs there. The threads are daemons, so that a program that forgets to stop
one, or cannot, can still end.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class BackgroundLoop:
    """Starts its thread at once; ``finish`` ends it."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def soon(self, call: Callable[[*Ts], object], *args: *Ts) -> None:
        """Call a function on the loop's thread; return at once."""
        self._loop.call_soon_threadsafe(call, *args)

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop; return its result or raise its exception.

        An interrupt (Ctrl-C) while waiting cancels the coroutine.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def finish(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a last coroutine, then end the loop and its thread."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        # The garbage collector may call this on the loop's own thread, which cannot await itself.
        if threading.current_thread() is self._thread:
            future.add_done_callback(lambda _: self._loop.stop())
            return
        try:
            future.result()
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


async def in_thread(
    call: Callable[..., Any], *args: object, after: Callable[[], object] | None = None
) -> Any:
    """Call a function in a thread of its own; ``after`` is called on the loop when it has ended.

    The thread is a daemon, so that a call that never ends cannot keep the program from ending, as
    the threads of an executor would.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def end(said: Any, failure: BaseException | None) -> None:
        if after is not None:
            after()
        if not future.done():  # else nobody waits any more
            future.set_result((said, failure))

    def run() -> None:
        said, failure = None, None
        try:
            said = call(*args)
        except BaseException as raised:
            failure = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(end, said, failure)

    threading.Thread(target=run, name="tuneornot-call", daemon=True).start()
    said, failure = await future
    if failure is None:
        return said
    # What ends a program or a loop by being raised must not do so from inside a model.
    raise failure if isinstance(failure, Exception) else RuntimeError(repr(failure))
