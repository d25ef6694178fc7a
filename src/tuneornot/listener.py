"""Who is told how the work goes on: a progress bar, a log, a page, or nobody."""

from __future__ import annotations

from typing import Protocol


class Listener(Protocol):
    """Who is told how the work goes on."""

    def begin(self, phase: str, total: int | None) -> None:
        """A phase begins; ``total`` counts what ``advance`` will report, if it is known."""
        ...

    def advance(self, done: int, total: int | None = None) -> None:
        """So much of the phase is done."""
        ...

    def end(self, *, finished: bool) -> None:
        """The phase that was begun last is over, or broken off."""
        ...

    def say(self, text: str) -> None:
        """One line worth reading."""
        ...
