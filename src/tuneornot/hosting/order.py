"""Order a training once, follow it to its end, cancel it.

Everything is kept before the next step is taken: that a file is sent, its id, that an order is on
its way, the job's id, every word of the host on it. After a crash between an order and its id the
host's own list is searched for the order's tag before anything is ordered again; so is it where an
answer was lost on the way. A job that failed is never ordered again by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import msgspec

from tuneornot.errors import ModelError, ServerError, TrainingError
from tuneornot.hosting.file import TrainingFile
from tuneornot.hosting.hosts import HOSTS, Job
from tuneornot.hosting.line import Gone, Line, Refused, Unclear
from tuneornot.hosting.plan import HostedPlan
from tuneornot.models.address import Address
from tuneornot.models.pace import Clock
from tuneornot.records import Order

FIRST_LOOK_S, LONGEST_LOOK_S = 1.0, 30.0
"""Seconds between looks at a job: soon at first, for one that is refused, then ever more rarely."""
SLOWER = 1.5
N_SEARCHES = 3
PAGE = 100
MOST_PAGES = 20
AGAIN = "order it again after `tuneornot jobs STUDY --forget`"


class Desk:
    """Where one training is ordered.

    Args:
        plan: the study's settings.
        model: that is trained, as the arm names it.
        keep: keeps an order as it is now.
        say: told what the host says of the job.
        clock: where time comes from; tests give their own.

    Raises:
        ModelError: the address or the key in the environment cannot be one.
    """

    def __init__(
        self,
        plan: HostedPlan,
        model: str,
        *,
        keep: Callable[[Order], None],
        say: Callable[[str], None],
        clock: Clock | None = None,
    ) -> None:
        self._plan = plan
        self._where: Address = plan.address(model)
        self._serving = model.partition("#")[0]
        self._host = HOSTS[plan.spoken(model)]
        self._keep = keep
        self._say = say
        self._clock = clock

    def train(self, order: Order, file: TrainingFile) -> Order:
        """Carry an order on from wherever it stands to its end.

        Raises:
            TrainingError: the host does not take it, or the job failed, was cancelled or is gone.
            ModelError: the host refuses the key.
            ServerError: it cannot be reached, or an order may have been lost on its way.
        """
        return asyncio.run(self._train(order, file))

    def cancel(self, order: Order) -> Order:
        """End a job that is not done, as far as the host still can.

        Raises:
            ModelError: the host refuses the key.
            ServerError: it cannot be reached.
        """
        return asyncio.run(self._cancelled(order))

    async def _train(self, order: Order, file: TrainingFile) -> Order:
        if order.state in ("failed", "cancelled"):
            raise _ended(order)
        async with Line(self._where, self._clock) as line:
            if order.state == "sending":
                order = await self._sent(line, order, file)
            elif order.state == "ordering":
                order = await self._found(line, order) or order
            if order.job is None:
                order = await self._ordered(line, order)
            return await self._followed(line, order)

    async def _sent(self, line: Line, order: Order, file: TrainingFile) -> Order:
        self._keep(order)
        if order.file is None:
            send = line.send_elsewhere if self._host.sends_elsewhere else line.send
            order = self._now(order, file=await send(self._host.files, file.text))
        return order

    async def _ordered(self, line: Line, order: Order) -> Order:
        """Post the order, having kept that it is on its way."""
        order = self._now(order, state="ordering")
        body = self._host.order(
            self._plan, self._where.model, order.file or "", seed=order.seed, tag=order.tag
        )
        try:
            found = await line.order(self._host.jobs, body)
        except Refused as refused:
            raise self._failed(order, f"the order was refused: {refused}") from refused
        except Unclear as unclear:
            return await self._searched(line, order, str(unclear))
        return self._now(order, state="waiting", job=_job(self._host.job, found).id)

    async def _searched(self, line: Line, order: Order, said: str) -> Order:
        """The order, of which it is not known whether it arrived, found in the host's list."""
        wait_s = FIRST_LOOK_S
        for _ in range(N_SEARCHES):
            await line.clock.sleep(wait_s)
            found = await self._found(line, order)
            if found is not None:
                return found
            wait_s *= 2
        raise ServerError(
            f"An order must be answered; of the one for {order.arm!r}, with the suffix "
            f"{order.tag!r}, it is not known whether it arrived at {order.host} ({said}), and it "
            "is not in the list of jobs there. Wait a little and run the same command: it looks "
            "there again before it orders."
        )

    async def _found(self, line: Line, order: Order) -> Order | None:
        """The order with its job, if the host's list has one with its tag."""
        query = {"limit": str(PAGE)}
        for _ in range(MOST_PAGES):
            try:
                found = await line.get(self._host.jobs, query)
            except Gone as gone:
                raise TrainingError(
                    f"The host at {order.host} keeps no list of jobs, so it is not known whether "
                    f"the order for {order.arm!r} arrived. Look there for a job with the suffix "
                    f"{order.tag!r}: cancel it if there is one, then {AGAIN}."
                ) from gone
            listed = found.get("data") if isinstance(found, dict) else found
            jobs = [one for one in listed or [] if isinstance(one, dict) and "id" in one]
            for one in jobs:
                if self._host.tagged(one, order.tag):
                    return self._now(order, state="waiting", job=str(one["id"]))
            if not jobs or not (isinstance(found, dict) and found.get("has_more")):
                return None
            query["after"] = str(jobs[-1]["id"])
        return None

    async def _followed(self, line: Line, order: Order) -> Order:
        """Look at the job until it ends."""
        begun, before = line.clock.now(), order.seconds
        wait_s, told = FIRST_LOOK_S, _Told(self._say, order.arm)
        while True:
            try:
                job = _job(self._host.job, await line.get(f"{self._host.jobs}/{order.job}"))
            except Gone as gone:
                said = f"the host knows no job {order.job!r} any more: {gone}"
                raise self._failed(order, said) from gone
            await told.news(line, f"{self._host.jobs}/{order.job}/events")
            if job.said != order.said:
                told.say(f"job {order.job} is {job.said}")
            spent = before + line.clock.now() - begun
            order = self._now(order, said=job.said, n_tokens=job.n_tokens, seconds=spent)
            if job.state != "waiting":
                return self._at_end(order, job)
            await line.clock.sleep(wait_s)
            wait_s = min(SLOWER * wait_s, LONGEST_LOOK_S)

    def _at_end(self, order: Order, job: Job) -> Order:
        if job.state == "done" and job.served:
            return self._now(order, state="done", served=f"{self._serving}#{job.served}")
        if job.state == "done":
            raise self._failed(order, f"job {order.job} is {job.said} but names no model")
        error = job.error or "the host does not say why"
        raise self._failed(order, f"job {order.job} is {job.said}: {error}", job.state)

    async def _cancelled(self, order: Order) -> Order:
        async with Line(self._where, self._clock) as line:
            if order.state == "ordering":
                order = await self._found(line, order) or order
            if order.job is not None:
                # One that is gone needs no cancelling.
                with contextlib.suppress(Gone):
                    await line.cancel(f"{self._host.jobs}/{order.job}/cancel")
        return self._now(order, state="cancelled", error="cancelled by `tuneornot jobs --cancel`")

    def _failed(self, order: Order, error: str, state: str = "failed") -> TrainingError:
        return _ended(self._now(order, state=state, error=error))

    def _now(self, order: Order, **changes: Any) -> Order:
        """The order with changes, kept."""
        changed = msgspec.structs.replace(order, **changes)
        self._keep(changed)
        return changed


class _Told:
    """What a host says of a job on its way, each thing once."""

    def __init__(self, say: Callable[[str], None], arm: str) -> None:
        self._say = say
        self._arm = arm
        self._known: set[tuple[str, str]] = set()
        self._offered = True

    def say(self, text: str) -> None:
        self._say(f"{self._arm}: {text}")

    async def news(self, line: Line, path: str) -> None:
        """Tell the events that are new; a host that offers none is no fault."""
        if not self._offered:
            return
        try:
            found = await line.get(path)
        except (Gone, ModelError):
            self._offered = False
            return
        listed = found.get("data") if isinstance(found, dict) else found
        events = [one for one in listed or [] if isinstance(one, dict) and one.get("message")]
        for event in sorted(events, key=lambda one: str(one.get("created_at", ""))):
            mark = (str(event.get("created_at")), str(event["message"]))
            if mark not in self._known:
                self._known.add(mark)
                self.say(mark[1])


def _job(read: Callable[[Any], Job], found: Any) -> Job:
    if not isinstance(found, dict) or "id" not in found:
        raise ServerError(
            f"A host must tell a job's id and state, found {str(found)[:160]!r}. "
            "The same command asks again."
        )
    return read(found)


def _ended(order: Order) -> TrainingError:
    return TrainingError(
        f"The training of {order.arm!r} (seed {order.seed}) at {order.host} must succeed, but "
        f"{order.error}. Mend what it names: another plan is another order; or {AGAIN}."
    )
