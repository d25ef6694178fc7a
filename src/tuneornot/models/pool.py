"""Many requests at once to something that may refuse, stall or vanish: retries and giving up.

The pool knows nothing of HTTP. It is given a coroutine that makes one try and returns a ``Reply``
or a ``Fault``; the fault says whether trying again can help. The pool decides

- how many tries run at once (``pace.Pace``);
- when to try again: exponential backoff with jitter, or when the other side asked for it. A request
  that waits gives up its place, and comes first when it returns;
- when to give up on everything: a refusal that every request would meet, a server that cannot be
  reached, too many failures in a row. Then every caller gets one error instead of many replies.

Every request ends exactly once: as a reply with a text, as a reply with an error, or by that one
error. All of it runs on one event loop; nothing here may be called from another thread.
It does not cover budgets of calls, tokens or money: whoever hands in requests stops handing them.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import NamedTuple

import msgspec

from tuneornot.errors import ModelError, ServerError
from tuneornot.models.base import Reply, Request
from tuneornot.models.pace import Clock, Pace, Policy


class Fault(NamedTuple):
    """Why one try gave no answer, and what follows from it."""

    sentence: str
    """What happened, without a full stop; may hold a short excerpt, never a secret."""
    retry: bool = False
    """Whether the same request may succeed later."""
    overload: bool = False
    """Whether fewer requests at once would help."""
    unreachable: bool = False
    """No connection could be made at all."""
    wait_s: float | None = None
    """How long the other side asked to wait."""
    misunderstood: bool = False
    """Whether something in the request was not understood, so that a plainer one may be."""
    stop: ModelError | None = None
    """Set where every request would fail in the same way: raised instead of a reply."""


Outcome = tuple[int, Reply] | Exception


Send = Callable[[Request, bool], Awaitable[Reply | Fault]]
"""Makes one try; told whether the request runs alone, to be timed."""


class Errand:
    """What one caller asked for: where its replies go, and what of it is under way."""

    def __init__(self, deliver: Callable[[Outcome], None], *, alone: bool = False) -> None:
        self.deliver = deliver
        self.alone = alone
        """Each of its requests runs while nothing else does."""
        self.n_answers = 0
        self.tasks: set[asyncio.Task[None]] = set()


class Job(NamedTuple):
    """One request of an errand."""

    errand: Errand
    position: int
    request: Request
    n_tries: int = 0
    """Tries that failed so far."""


class Pool:
    """Carries jobs to one server, for any number of errands, until each has its outcome.

    Args:
        send: makes one try.
        who: who answers, as the beginning of a sentence: ``The server at ...``.
        most: tries at once.
        policy: how patient it is.
        clock: where time comes from.
    """

    def __init__(
        self,
        send: Send,
        *,
        who: str,
        most: int,
        policy: Policy,
        clock: Clock,
    ) -> None:
        self.pace = Pace(most)
        self.reached = False
        """Whether the server ever responded, with whatever."""
        self.answered = False
        """Whether it ever gave an answer."""
        self._send = send
        self._who = who
        self._policy = policy
        self._clock = clock
        self._jitter = random.Random()
        self._queue: deque[Job] = deque()
        self._errands: set[Errand] = set()
        self._n_running = 0
        self._n_in_flight = 0
        self._alone = False
        self._open_at = float("-inf")
        self._unreachable_at = float("-inf")
        self._n_unreachable = 0
        self._n_failed_in_row = 0

    def pause(self, seconds: float) -> None:
        """Begin no try before so many seconds have passed; those under way go on."""
        until = self._clock.now() + min(seconds, self._policy.longest_wait_s)
        self._open_at = max(self._open_at, until)

    def submit(self, errand: Errand, requests: Iterable[tuple[int, Request]]) -> None:
        """Take on requests, each with its position."""
        self._errands.add(errand)
        self._queue.extend(Job(errand, position, request) for position, request in requests)
        self._dispatch()

    async def drop(self, errand: Errand) -> None:
        """Forget an errand, cancel what of it is under way, and wait until that has ended."""
        self._errands.discard(errand)
        self._queue = deque(job for job in self._queue if job.errand is not errand)
        running = tuple(errand.tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def close(self) -> None:
        """End every errand with an error, and wait until nothing is under way."""
        running = [task for errand in self._errands for task in errand.tasks]
        self._give_up(ModelError("The model was closed while it was asked; ask it before closing."))
        await asyncio.gather(*running, return_exceptions=True)

    def _dispatch(self) -> None:
        while self._queue and self._n_running < int(self.pace.limit) and not self._alone:
            if self._queue[0].errand.alone:
                if self._n_running:
                    return
                self._alone = True
            job = self._queue.popleft()
            self._n_running += 1
            self._start(job.errand, self._carry(job)).add_done_callback(self._free_place)

    def _start(self, errand: Errand, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        errand.tasks.add(task)
        task.add_done_callback(errand.tasks.discard)
        return task

    # A callback of the task and not a ``finally`` inside it, because a task that is cancelled
    # before its first step never enters its body.
    def _free_place(self, _: asyncio.Task[None]) -> None:
        self._n_running -= 1
        self._alone = False
        self._dispatch()

    async def _carry(self, job: Job) -> None:
        try:
            await self._wait_until_open()
            outcome = await self._try(job)
        except Exception as error:  # a fault of this program: the caller's thread must see it
            job.errand.deliver(error)
            return
        if isinstance(outcome, ModelError):
            self._give_up(outcome)
        elif outcome is not None:
            job.errand.deliver((job.position, outcome))

    async def _try(self, job: Job) -> Reply | ModelError | None:
        """One try; ``None`` where the job will come back for another."""
        sent_at = self._clock.now()
        self._n_in_flight += 1
        load = self._n_in_flight
        try:
            got = await self._send(job.request, job.errand.alone)
        finally:
            self._n_in_flight -= 1
        n_tries = job.n_tries + 1
        if isinstance(got, Reply):
            self._note_answer(job.errand)
            return msgspec.structs.replace(got, load=load, n_tries=n_tries)
        ended = self._note_fault(got, job.errand, sent_at)
        if ended is not None:
            return ended
        # That a server is down says nothing of a request, so it costs none of the request's tries.
        most = self._policy.max_tries + (self._policy.n_unreachable if got.unreachable else 0)
        if got.retry and n_tries < most:
            self._start(job.errand, self._return(job._replace(n_tries=n_tries), got))
            return None
        return self._failed(job.errand, got, n_tries=n_tries, load=load)

    async def _return(self, job: Job, fault: Fault) -> None:
        """Wait outside of the queue, then come first; pauses of the whole pool come on top."""
        if fault.wait_s is None and not fault.unreachable:
            await self._clock.sleep(self._policy.backoff_s(job.n_tries, self._jitter))
        self._queue.appendleft(job)
        self._dispatch()

    async def _wait_until_open(self) -> None:
        while (left := self._open_at - self._clock.now()) > 0:
            await self._clock.sleep(left)

    def _note_answer(self, errand: Errand) -> None:
        self.reached = self.answered = True
        errand.n_answers += 1
        self._n_unreachable = self._n_failed_in_row = 0
        if self._n_running >= int(self.pace.limit):  # else nothing was learnt about the limit
            self.pace.went_well()

    def _note_fault(self, fault: Fault, errand: Errand, sent_at: float) -> ModelError | None:
        """Learn from a failed try; the error that ends everything, where it does."""
        now = self._clock.now()
        if fault.unreachable:
            return self._note_unreachable(fault, errand, sent_at)
        self.reached = True
        self._n_unreachable = 0
        if fault.stop is not None:
            return fault.stop
        if fault.overload:
            self.pace.overloaded(sent_at=sent_at, now=now)
        if fault.retry and fault.wait_s is not None:
            if fault.wait_s > self._policy.longest_wait_s:
                return self._ended(
                    errand, f"{fault.sentence}; it asks to wait {fault.wait_s:.0f} s"
                )
            self._open_at = max(self._open_at, now + fault.wait_s)
        return None

    def _note_unreachable(self, fault: Fault, errand: Errand, sent_at: float) -> ModelError | None:
        if not self.reached:
            return ServerError(
                f"{self._who} must be running; {fault.sentence}. "
                "Start it, or correct the address in the study."
            )
        # Requests that were in flight together fail together: that counts as one failure.
        if sent_at > self._unreachable_at:
            self._n_unreachable += 1
            self._unreachable_at = self._clock.now()
            pause = self._policy.backoff_s(self._n_unreachable, self._jitter)
            self._open_at = max(self._open_at, self._unreachable_at + pause)
        if self._n_unreachable >= self._policy.n_unreachable:
            return self._ended(errand, f"{fault.sentence}, {self._n_unreachable} times in a row")
        return None

    def _failed(
        self, errand: Errand, fault: Fault, *, n_tries: int, load: int
    ) -> Reply | ServerError:
        # A request that is refused by itself (too long, not allowed) says nothing of the others,
        # unless nothing was ever answered.
        if fault.retry or not self.answered:
            self._n_failed_in_row += 1
        if self._n_failed_in_row >= self._policy.n_failed_in_row:
            n = self._n_failed_in_row
            return self._ended(errand, f"{n} requests in a row failed, the last: {fault.sentence}")
        tries = f" ({n_tries} tries)" if n_tries > 1 else ""
        return Reply(error=f"{fault.sentence}{tries}.", load=load, n_tries=n_tries)

    def _ended(self, errand: Errand, why: str) -> ServerError:
        n = errand.n_answers
        return ServerError(
            f"{self._who} stopped answering: {why}. "
            f"{n} answer{'s were' if n != 1 else ' was'} received before that and kept. When it "
            "answers again, the same command continues from there."
        )

    def _give_up(self, error: ModelError) -> None:
        errands, self._errands = self._errands, set()
        self._queue.clear()
        self._n_unreachable = self._n_failed_in_row = 0
        self._open_at = float("-inf")
        for errand in errands:
            for task in errand.tasks:
                if task is not asyncio.current_task():
                    task.cancel()
            errand.deliver(error)
