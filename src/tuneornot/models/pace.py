"""How fast and how patiently a server is asked: the clock, the policy of waiting, the pace.

Plain arithmetic on counts and times; it knows neither requests nor connections. Used by ``pool``.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import NamedTuple, Protocol


class Clock(Protocol):
    """The one door through which time enters."""

    def now(self) -> float:
        """Seconds that never run backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let others run for so long."""
        ...


class RealClock:
    """The machine's own time."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        return time.perf_counter()

    async def sleep(self, seconds: float) -> None:
        """Sleep on the event loop."""
        await asyncio.sleep(seconds)


class Policy(NamedTuple):
    """How patient the pool is."""

    max_tries: int = 5
    first_wait_s: float = 0.5
    longest_backoff_s: float = 30.0
    longest_wait_s: float = 300.0
    """A server that asks for more is not waited for: the run ends and can go on later."""
    n_unreachable: int = 5
    """Failed attempts to connect, one after another, until the server counts as down."""
    n_failed_in_row: int = 10
    """Requests that failed for good, with no answer between, until the run ends."""

    def backoff_s(self, n_tries: int, jitter: random.Random) -> float:
        """Wait after so many failed tries: doubling, capped, then shortened by up to a half."""
        doublings = min(n_tries - 1, 60)  # more would overflow, long after the cap
        longest = min(self.longest_backoff_s, self.first_wait_s * 2.0**doublings)
        return longest * jitter.uniform(0.5, 1.0)


class Pace:
    """How many requests may be in flight: starts moderate, rises while answers come.

    Additive increase, multiplicative decrease, as in the control of network congestion (Chiu and
    Jain 1989, doi:10.1016/0169-7552(89)90019-6). Until the first overload every answer raises the
    limit by one, so that it doubles within one round trip; afterwards a whole limit's worth of
    answers raises it by one. An overload halves it, once for all requests that were sent before
    it became known.
    """

    def __init__(self, most: int, start: int = 4) -> None:
        self.most = most
        self.limit = float(min(start, most))
        self._careful = False
        self._halved_at = float("-inf")

    def went_well(self) -> None:
        """An answer came."""
        step = 1 / self.limit if self._careful else 1.0
        self.limit = min(float(self.most), self.limit + step)

    def overloaded(self, *, sent_at: float, now: float) -> None:
        """A request that was sent at this time met an overload."""
        self._careful = True
        if sent_at > self._halved_at:
            self._halved_at = now
            self.limit = max(1.0, self.limit / 2)
