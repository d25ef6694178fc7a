"""The pool's judgement of a server, with a server that is a function."""

from __future__ import annotations

import asyncio

import pytest

from tests.models.misbehaving import question
from tuneornot.errors import ServerError
from tuneornot.models.base import Reply, Request
from tuneornot.models.pace import Policy, RealClock
from tuneornot.models.pool import Errand, Fault, Outcome, Pool, Send

QUICK = Policy(first_wait_s=0.001, n_unreachable=3, n_failed_in_row=3)


async def carried(send: Send, n: int, *, policy: Policy, alone: bool = False) -> list[Outcome]:
    """Every outcome of n requests, up to the error that ends them all."""
    outcomes: list[Outcome] = []
    came = asyncio.Event()

    def deliver(outcome: Outcome) -> None:
        outcomes.append(outcome)
        came.set()

    pool = Pool(send, who="Somebody", most=16, policy=policy, clock=RealClock())
    errand = Errand(deliver, alone=alone)
    pool.submit(errand, ((index, question(str(index))) for index in range(n)))
    while len(outcomes) < n and not any(isinstance(o, Exception) for o in outcomes):
        await asyncio.wait_for(came.wait(), 5)
        came.clear()
    await pool.drop(errand)
    return outcomes


def unreachable_for(n_tries: int) -> Send:
    n_sent = 0

    async def send(_: Request, alone: bool) -> Reply | Fault:
        nonlocal n_sent
        n_sent += 1
        number = n_sent
        await asyncio.sleep(0.001)
        # The first answer shows that the server is there at all.
        if 1 < number <= 1 + n_tries:
            return Fault("gone", retry=True, unreachable=True)
        return Reply(text="here")

    return send


async def test_failures_of_one_moment_count_once() -> None:
    # Four in flight at once fail together; three separate failures would end the run.
    outcomes = await carried(unreachable_for(4), 30, policy=QUICK)
    assert sorted(o[0] for o in outcomes if isinstance(o, tuple)) == list(range(30))


async def test_failures_of_different_moments_add_up() -> None:
    outcomes = await carried(unreachable_for(4), 30, policy=QUICK, alone=True)
    assert isinstance(outcomes[-1], ServerError)
    assert "gone, 3 times in a row. 1 answer was received" in str(outcomes[-1])


@pytest.mark.parametrize(("every", "ends"), [(2, False), (1, True)])
async def test_an_answer_between_failures_starts_the_count_again(every: int, ends: bool) -> None:
    async def send(request: Request, alone: bool) -> Reply | Fault:
        if int(request.messages[-1].content) % every == 0:
            return Fault("broken", retry=True)
        return Reply(text="fine")

    outcomes = await carried(send, 20, policy=QUICK._replace(max_tries=1), alone=True)
    assert any(isinstance(outcome, ServerError) for outcome in outcomes) is ends
    assert len(outcomes) == (3 if ends else 20)


async def test_questions_asked_alone_teach_nothing_of_the_limit() -> None:
    async def send(_: Request, alone: bool) -> Reply | Fault:
        await asyncio.sleep(0)
        return Reply(text="fine")

    pool = Pool(send, who="Somebody", most=16, policy=QUICK, clock=RealClock())
    done = asyncio.Event()
    errand = Errand(lambda _: done.set(), alone=True)
    pool.submit(errand, [(0, question("a"))])
    await asyncio.wait_for(done.wait(), 5)
    assert pool.pace.limit == 4
    await pool.drop(errand)
