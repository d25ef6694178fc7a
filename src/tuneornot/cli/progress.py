"""Progress on stderr: bars with the time left on a terminal, one line a phase elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

console = Console(stderr=True, highlight=False)
"""Words go to stderr, so that stdout holds data only."""


class Bars:
    """A listener for people: a bar for the phase at work, a line for each that ended."""

    def __init__(self, *, quiet: bool = False) -> None:
        """``quiet`` says nothing at all (for ``--json`` in scripts)."""
        self._quiet = quiet
        self._live = not quiet and sys.stderr.isatty()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task: TaskID | None = None
        self._phase = ""
        self._begun = 0.0

    def __enter__(self) -> Self:
        if self._live:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._end()
        if self._live:
            self._progress.stop()

    def begin(self, phase: str, total: int | None) -> None:
        """Close the last phase with its time, open the next."""
        self._end()
        self._phase, self._begun = phase, time.monotonic()
        if self._live:
            self._task = self._progress.add_task(phase, total=total)

    def advance(self, done: int, total: int | None = None) -> None:
        """Move the bar."""
        if self._task is None:
            return
        if total is None:
            self._progress.update(self._task, completed=done)
        else:
            self._progress.update(self._task, completed=done, total=total)

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        if not self._quiet:
            console.print(text, markup=False)

    def _end(self) -> None:
        if not self._phase:
            return
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        if not self._quiet:
            took = time.monotonic() - self._begun
            console.print(f"[green]done[/green] {self._phase} [dim]{took:.1f} s[/dim]")
        self._phase = ""
