"""A model for tests that counts what it is asked and answers as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tuneornot.models.base import Reply, Request
from tuneornot.records import Adapter


class CountingModel:
    """Answers each request by a function of its last message; remembers everything asked."""

    def __init__(self, answer: Callable[[str], Reply], *, name: str = "counting") -> None:
        self.name = name
        self.answer = answer
        self.asked: list[Request] = []
        self.adapters: list[Adapter | None] = []
        self.alone: list[bool] = []
        self.backwards = False

    def identity(self) -> str:
        return "counting-1"

    def close(self) -> None:
        pass

    def ask(
        self,
        requests: Iterable[Request],
        *,
        adapter: Adapter | None = None,
        one_by_one: bool = False,
    ) -> Iterator[tuple[int, Reply]]:
        numbered = list(enumerate(requests))
        for position, request in reversed(numbered) if self.backwards else numbered:
            self.asked.append(request)
            self.adapters.append(adapter)
            self.alone.append(one_by_one)
            yield position, self.answer(request.messages[-1].content)
