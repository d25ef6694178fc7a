"""How often a verdict is right: many draws of one scenario, counted.

The seed is a function of the scenario's name and the number of cases, so that a cell of the table
can be drawn again alone. It knows no other rules than ours.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from benchmarks.verdicts import ours
from benchmarks.verdicts.scenarios import Scenario, wrong

Once = Callable[[np.random.Generator, int], tuple[str, bool]]
"""From a generator and a number of cases to an outcome, and whether it is a wrong decision."""
PROMISE = 0.05
"""The greatest rate of either wrong verdict."""


@dataclass(frozen=True)
class Counts:
    """Shares of all draws."""

    n_sets: int
    tune: float
    keep: float
    wrong_tune: float
    wrong_keep: float

    @property
    def open(self) -> float:
        """``not-yet``."""
        return 1 - self.tune - self.keep

    @property
    def worst(self) -> float:
        """The greater rate of a wrong verdict."""
        return max(self.wrong_tune, self.wrong_keep)


@dataclass(frozen=True)
class Rates(Counts):
    """And how often bounds were wrong."""

    covered: float
    """Two-sided interval of the primary's gain."""
    low_errors: float
    """Lower one-sided bound above the true gain."""
    high_errors: float


def rates(scenario: Scenario, n: int, n_sets: int, *, again: int = 0) -> Rates:
    """Draw a scenario many times.

    Args:
        scenario: arms, rule and truth.
        n: cases.
        n_sets: draws.
        again: a number that makes other draws of the same scenario.
    """
    rng = generator(scenario, n, again)
    deserved, gain = scenario.deserved(), scenario.gain
    rows = np.zeros((n_sets, 7))
    for row in rows:
        verdict = ours.verdict(scenario, scenario.draw(rng, n))
        found, estimate = verdict.outcome, verdict.reasons[0].estimate
        if estimate is None:
            raise AssertionError("the first reason of a verdict is the primary's")
        mistaken = wrong(deserved, found)
        row[:] = (
            found == "tune",
            found == "keep-prompting",
            mistaken and found == "tune",
            mistaken and found == "keep-prompting",
            estimate.low <= gain <= estimate.high,
            estimate.lower > gain,
            estimate.upper < gain,
        )
    return Rates(n_sets, *rows.mean(axis=0).tolist())


def counts(name: str, n: int, n_sets: int, once: Once, *, n_anew: int | None) -> Counts:
    """Draw anything that ends in a verdict many times, anew where it breaks the promise.

    Args:
        name: of what is drawn, which seeds the draws.
        n: cases.
        n_sets: draws.
        once: draws it once.
        n_anew: draws of a cell above the promise by more than two Monte Carlo errors; ``None``
            where nothing is promised.
    """
    found = _counted(name, n, n_sets, once, again=0)
    if n_anew is None or not broken(found):
        return found
    return _counted(name, n, n_anew, once, again=1)


def _counted(name: str, n: int, n_sets: int, once: Once, *, again: int) -> Counts:
    rng = np.random.default_rng([zlib.crc32(name.encode()), n, again])
    rows = np.zeros((n_sets, 4))
    for row in rows:
        found, mistaken = once(rng, n)
        tune, keep = found == "tune", found == "keep-prompting"
        row[:] = tune, keep, tune and mistaken, keep and mistaken
    return Counts(n_sets, *rows.mean(axis=0).tolist())


def generator(scenario: Scenario, n: int, again: int = 0) -> np.random.Generator:
    """Where the draws of a scenario come from."""
    name = zlib.crc32(f"{scenario.family}: {scenario.name}".encode())
    return np.random.default_rng([name, n, again])


def noise(rate: float, n_sets: int) -> float:
    """Monte Carlo standard error of a rate."""
    return math.sqrt(rate * (1 - rate) / n_sets)


def broken(found: Counts, *, errors: float = 2.0) -> bool:
    """Whether a wrong verdict is more frequent than promised, beyond so many Monte Carlo errors."""
    return found.worst > PROMISE + errors * noise(PROMISE, found.n_sets)
