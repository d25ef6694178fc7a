"""A process to be killed: measures a few hundred cases on a server that misbehaves, into a store.

    python -m tests.models.drill NAME STORE OUT

``KINDS`` says how the server misbehaves on each case. Time runs ``HURRY`` times as fast as the
clock on the wall, so that waits of seconds take moments. When the run is done, its scores are
written to OUT.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from tuneornot import measure
from tuneornot.metrics import registry
from tuneornot.models.http import HttpModel
from tuneornot.records import Arm, Case, Dataset, Run
from tuneornot.store.store import Store

HURRY = 50
IN_FLIGHT = 16
TIMEOUT_S = 0.5

PASSING = {
    "429 x1": "without a word on how long to wait",
    "wait x1": "429 with Retry-After",
    "wait-date x1": "503 with a date in Retry-After",
    "500 x2": "an error of the server, twice",
    "html-502 x1": "a page of a gateway",
    "wrapped-429 x1": "a refusal that came as a success",
    "drop x1": "the connection is dropped",
    "cut x2": "the body is cut off, twice",
    "cut-unnoticed x1": "the body is cut off, and its length with it",
    "never x1": "no answer at all",
    "slow": "an answer after a while",
    "fine": "an answer at once",
}
LASTING = {
    "400": "HTTP 400",
    "html": "instead of JSON",
    "garbage": "invalid JSON",
    "null": "the message has no text",
}
"""Faults that no second try mends, with what must be told of each."""

KINDS = [*PASSING, *LASTING]
N_CASES = 15 * len(KINDS)


def cases() -> Dataset:
    """Cases whose input says how the server behaves, each kind as often as any other."""
    made = []
    for n in range(N_CASES):
        text = f"{KINDS[n % len(KINDS)]} number {n}"
        made.append(Case(id=f"c{n}", input=text, expected=f"echo: {text}"))
    return Dataset(name="eval", cases=tuple(made))


class Hurried:
    """The machine's time, made faster."""

    def now(self) -> float:
        return time.perf_counter() * HURRY

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / HURRY)


def measured(name: str, where: Path) -> Run:
    """Carry out whatever of the run is not in the store yet."""
    model = HttpModel(name, concurrency=IN_FLIGHT, timeout_s=TIMEOUT_S, clock=Hurried())
    try:
        with Store(where) as store:
            return measure.run(
                model,
                Arm(name="prompted", kind="prompted", model=name),
                cases(),
                [registry.build("exact_match")],
                known=store.responses,
                keep=store.keep_response,
            )
    finally:
        model.close()


if __name__ == "__main__":
    run = measured(sys.argv[1], Path(sys.argv[2]))
    rows = [(score.case_id, score.value, score.reason) for score in run.scores]
    Path(sys.argv[3]).write_text(json.dumps(rows), encoding="utf-8")
