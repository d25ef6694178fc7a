"""Progress on stderr: bars with the time left on a terminal, lines elsewhere.

Where nobody watches (a log, a pipe) each phase has a line at its start, one about once a minute
while it lasts, and one at its end, so that a long silence always means that something is wrong.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
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

from tuneornot.report import amounts

console = Console(stderr=True, highlight=False)
"""Words go to stderr, so that stdout holds data only."""
EVERY_S = 60.0
"""So often a phase is told of where there is no terminal."""


class Bars:
    """A listener for people: what is at work and how far it is, and a line when it ended."""

    def __init__(
        self, *, quiet: bool = False, every_s: float = EVERY_S, to: Console = console
    ) -> None:
        """``quiet`` says nothing at all (for ``--json`` in scripts)."""
        self._to = to
        self._quiet = quiet
        self._live = not quiet and to.is_terminal
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=to,
            transient=True,
        )
        self._task: TaskID | None = None
        self._pace: Pace | None = None
        self._every_s = every_s
        self._over = threading.Event()
        self._teller = threading.Thread(target=self._tell, name="progress", daemon=True)

    def __enter__(self) -> Self:
        if self._live:
            self._progress.start()
        elif not self._quiet:
            self._teller.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end(finished=kind is None)
        self._over.set()
        if self._live:
            self._progress.stop()
        elif not self._quiet:
            self._teller.join()

    def begin(self, phase: str, total: int | None) -> None:
        """Close the last phase with its time, open the next."""
        self.end(finished=True)
        self._pace = Pace(phase)
        if self._live:
            self._task = self._progress.add_task(phase, total=total)
        elif not self._quiet:
            self._to.print(f"begin {phase}", markup=False, soft_wrap=True)

    def advance(self, done: int, total: int | None = None) -> None:
        """Move the bar."""
        if self._pace is not None:
            self._pace.advance(done, total)
        if self._task is None:
            return
        if total is None:
            self._progress.update(self._task, completed=done)
        else:
            self._progress.update(self._task, completed=done, total=total)

    def end(self, *, finished: bool) -> None:
        """Close the phase with its time, if one is open."""
        pace, self._pace = self._pace, None
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        if pace is not None and finished and not self._quiet:
            self._to.print(f"[green]done[/green] {pace.phase} [dim]{pace.seconds():.1f} s[/dim]")

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        if not self._quiet:
            self._to.print(text, markup=False)

    def _tell(self) -> None:
        while not self._over.wait(self._every_s):
            pace = self._pace
            if pace is not None:
                self._to.print(pace.told(), markup=False, soft_wrap=True)


class Pace:
    """How far a phase is, and how long it will take at the pace so far.

    Args:
        phase: its name.
        clock: seconds.
    """

    def __init__(self, phase: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.phase = phase
        self._clock = clock
        self._begun = clock()
        self._counted_from = (0, self._begun)
        self._done: tuple[int, int] | None = None

    def advance(self, done: int, total: int | None) -> None:
        """So much of the phase, or of its present part, is done."""
        if self._done is not None and done < self._done[0]:
            # Another set, another seed: what was done before says nothing of this count.
            self._counted_from = (0, self._clock())
        self._done = None if total is None else (done, total)

    def seconds(self) -> float:
        """Since its begin."""
        return self._clock() - self._begun

    def told(self) -> str:
        """A line: ``still measure tuned: 25 of 100, after 1 min 2 s, about 3 min 6 s left``."""
        passed = amounts.duration(self.seconds())
        if self._done is None:
            return f"still {self.phase}: after {passed}"
        done, total = self._done
        first, since = self._counted_from
        told = f"still {self.phase}: {done:,} of {total:,}, after {passed}"
        if done <= first:
            return told
        left = (self._clock() - since) * (total - done) / (done - first)
        return f"{told}, about {amounts.duration(left)} left"
