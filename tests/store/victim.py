"""A process to be killed: measures 200 cases with a slow model into a store.

Usage: python -m tests.store.victim STORE CALLS. Each call appends a line to CALLS before its answer
exists, so the file knows more than the store does, never less.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator

from tuneornot import measure
from tuneornot.metrics import registry
from tuneornot.models.base import Reply, Request
from tuneornot.records import Adapter, Arm, Case, Dataset
from tuneornot.store.store import Store

N_CASES = 200
IN_FLIGHT = 4
"""Calls that are under way at a time, as for a server or a batch."""

ARM = Arm(name="prompted", kind="prompted", model="slow")
CASES = Dataset(
    name="eval",
    cases=tuple(Case(id=f"c{i}", input=f"q{i}", expected=f"a{i}") for i in range(N_CASES)),
)


class SlowModel:
    """Answers in batches, each after a few milliseconds."""

    name = "slow"

    def __init__(self, calls: str) -> None:
        self._calls = os.open(calls, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def identity(self) -> str:
        return "slow-1"

    def close(self) -> None:
        os.close(self._calls)

    def ask(
        self,
        requests: Iterable[Request],
        *,
        adapter: Adapter | None = None,
        one_by_one: bool = False,
    ) -> Iterator[tuple[int, Reply]]:
        numbered = list(enumerate(requests))
        for start in range(0, len(numbered), IN_FLIGHT):
            batch = numbered[start : start + IN_FLIGHT]
            for _, request in batch:
                os.write(self._calls, f"{request.messages[-1].content}\n".encode())
            time.sleep(0.008)
            for position, request in batch:
                yield position, Reply(text=request.messages[-1].content.replace("q", "a"))


def main(where: str, calls: str) -> None:
    model = SlowModel(calls)
    with Store(where) as store:
        run = measure.run(
            model,
            ARM,
            CASES,
            [registry.build("exact_match")],
            known=store.responses,
            keep=store.keep_response,
        )
    assert [score.value for score in run.scores] == [1.0] * N_CASES


if __name__ == "__main__":
    main(*sys.argv[1:])
