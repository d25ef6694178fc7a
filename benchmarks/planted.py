"""Whether planted truths are found: studies whose answers are drawn, through the whole pairing.

    python benchmarks/planted.py [--draws N] [--edges N] [--family NAME]

An arm that drops under shift, one that loses refusals, one that is equivalent and four times
faster, each with its twins that have nothing to find. Every draw is a study with its answers,
their scores by the package's own metrics, timings and red team; ``Pairing`` compares and decides,
as it does for a study that was measured. The tables stand in docs/reference/planted-truths.md.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
import typing
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from scipy import special

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.planted_answers import NEW, OLD, World
from benchmarks.verdicts import arms
from benchmarks.verdicts.arms import Floats

from tuneornot.records import Outcome

MARGIN = 0.05
"""Of every claim: the gain, equivalence, the drop, what may be lost under attack."""
FACTOR = 3
SIZES = (50, 100, 300)
N_TIMED = 50
"""Cases that are timed where a truth says nothing else; a study times 12 unless told."""
CASE, ARM, ASKING = 0.85, 0.05, 0.1
"""Shares of an answer's variance: the case, what the arm makes of it, and how it is asked."""
ALIKE = 0.5
"""Correlation of an arm's outcomes on attacks that put the same request."""

Family = Literal["drop", "refusals", "guarded", "economy"]
Deserved = Literal["tune", "keep-prompting", "blocked", "neither"]


@dataclass(frozen=True)
class Truth:
    """What is true of the two arms."""

    family: Family
    name: str
    rate: float
    """Of the baseline's right answers."""
    gain: float = 0.0
    lost: float = 0.0
    """What the candidate drops under shift, more than the baseline does."""
    ratio: float = 1.0
    """The candidate's mean latency as a share of the baseline's."""
    n_timed: int = N_TIMED
    attacks: tuple[float, float] = (0.2, 0.2)
    """Shares of attacks that succeed, baseline and candidate."""
    declined: tuple[float, float] = (0.05, 0.05)
    """Shares of harmless requests that are declined."""

    @property
    def at_edge(self) -> bool:
        """Whether a truth lies exactly at a threshold, where error rates are greatest."""
        lost = [after - before for before, after in (self.attacks, self.declined)]
        return self.deserves == "neither" or any(_side(one - MARGIN) == 0 for one in lost)

    @property
    def deserves(self) -> Deserved:
        """The verdict by the study's rule; ``neither`` where a truth lies at a threshold.

        A loss of safety of exactly the margin is tolerated and deserves no block; where it is
        guarded too, that nothing more is lost cannot be shown.
        """
        pairs = (self.attacks, self.declined)
        lost = max(_side(after - before - MARGIN) for before, after in pairs)
        if lost > 0:
            return "blocked"
        if lost == 0 and self.family == "guarded":
            return "neither"
        better = _side(self.gain - MARGIN)
        cheaper = min(_side(self.gain + MARGIN), _side(1 / FACTOR - self.ratio))
        kept = _side(MARGIN - self.lost)
        verdicts: tuple[Deserved, ...] = ("keep-prompting", "neither", "tune")
        return verdicts[min(max(better, cheaper), kept) + 1]


TRUTHS = (
    Truth("drop", "loses 0.15 under shift", 0.7, lost=0.15, ratio=0.25),
    Truth("drop", "loses 0.05 under shift, the margin", 0.7, lost=0.05, ratio=0.25),
    Truth("drop", "loses nothing (twin)", 0.7, ratio=0.25),
    Truth("refusals", "attacks succeed in 50%", 0.5, gain=0.2, attacks=(0.2, 0.5)),
    Truth("refusals", "attacks succeed in 35%", 0.5, gain=0.2, attacks=(0.2, 0.35)),
    Truth("refusals", "declines 35% of what is harmless", 0.5, gain=0.2, declined=(0.05, 0.35)),
    Truth("refusals", "attacks succeed in 25%, the margin", 0.5, gain=0.2, attacks=(0.2, 0.25)),
    Truth("refusals", "attacks succeed in 20% (twin)", 0.5, gain=0.2),
    Truth("guarded", "guarded: attacks succeed in 35%", 0.5, gain=0.2, attacks=(0.2, 0.35)),
    Truth("guarded", "guarded: declines 35%", 0.5, gain=0.2, declined=(0.05, 0.35)),
    Truth("guarded", "guarded: attacks in 25%, the margin", 0.5, gain=0.2, attacks=(0.2, 0.25)),
    Truth("guarded", "guarded: attacks in 20% (twin)", 0.5, gain=0.2),
    Truth("economy", "equivalent, 4 times faster", 0.7, ratio=0.25),
    Truth("economy", "equivalent, 4 times faster, 12 timed", 0.7, ratio=0.25, n_timed=12),
    Truth("economy", "equivalent, 3 times faster, the factor", 0.7, ratio=1 / 3),
    Truth("economy", "equivalent, as fast (twin)", 0.7),
    Truth("economy", "loses 0.05, the margin, 4 times faster", 0.7, gain=-0.05, ratio=0.25),
    Truth("economy", "loses 0.15, 4 times faster (twin)", 0.7, gain=-0.15, ratio=0.25),
)


@dataclass(frozen=True)
class Found:
    """Shares of the draws."""

    n: int
    """Draws."""
    shares: dict[Outcome, float]
    wrong: float
    """Decisions that these arms do not deserve; ``not-yet`` never is one."""

    @property
    def noise(self) -> float:
        """Monte Carlo standard error of ``wrong``."""
        return math.sqrt(self.wrong * (1 - self.wrong) / self.n)


def verdict(truth: Truth, world: World, rng: np.random.Generator) -> Outcome:
    """The verdict on one drawn study."""
    n = world.n
    if truth.family == "drop":
        plain, changed = _shifted(truth, world, rng)
    else:
        disagreement = max(0.1, abs(truth.gain) + 0.05)
        plain, changed = arms.binary(truth.rate, truth.gain, disagreement)(rng, n), ()
    first, second = arms.times(truth.ratio)(rng, truth.n_timed)
    timed = {OLD: first, NEW: second}
    has_team = truth.family in ("refusals", "guarded")
    attacked = _attacked(truth, world, rng) if has_team else {}
    return world.verdict(plain, changed, timed=timed, attacked=attacked)


def found(truth: Truth, n: int, n_draws: int) -> Found:
    """Draw a truth many times; the seed is a function of its name and of the number of cases."""
    rng = np.random.default_rng([zlib.crc32(truth.name.encode()), n])
    world = World(truth.family, n)
    outcomes = [verdict(truth, world, rng) for _ in range(n_draws)]
    names: tuple[Outcome, ...] = ("tune", "keep-prompting", "blocked", "not-yet")
    shares = {name: outcomes.count(name) / n_draws for name in names}
    right = {"not-yet", truth.deserves}
    if truth.family == "guarded" and truth.deserves == "blocked":
        right.add("keep-prompting")  # a broken guardrail is a right reason too
    wrong = sum(outcome not in right for outcome in outcomes) / n_draws
    return Found(n=n_draws, shares=shares, wrong=wrong)


def table(n_draws: int, n_edges: int, family: str | None = None) -> Iterator[str]:
    """Markdown, in percent of the draws of a cell; so many where a truth is at an edge."""
    yield "| the candidate | deserves | n | tune | keep | blocked | not yet | wrong |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    for truth in TRUTHS:
        if family not in (None, truth.family):
            continue
        for n in SIZES:
            made = found(truth, n, n_edges if truth.at_edge else n_draws)
            cells = " | ".join(f"{100 * share:.1f}" for share in made.shares.values())
            wrong = f"{100 * made.wrong:.1f} ± {100 * made.noise:.1f}"
            yield f"| {truth.name} | {truth.deserves} | {n} | {cells} | {wrong} |"


def _shifted(
    truth: Truth, world: World, rng: np.random.Generator
) -> tuple[tuple[Floats, Floats], tuple[tuple[Floats, Floats], ...]]:
    """Both arms' plain scores (n,) and those under each way of asking: equal but for ``lost``."""
    case = np.sqrt(CASE) * rng.standard_normal(world.n)
    rates = (truth.rate, truth.rate - truth.lost)
    sides = []
    for rate in rates:
        own = case + np.sqrt(ARM) * rng.standard_normal(world.n)
        asked = own + np.sqrt(ASKING) * rng.standard_normal((world.n_ways + 1, world.n))
        cuts = special.ndtri(np.r_[truth.rate, np.full(world.n_ways, rate)])
        sides.append((asked < cuts[:, np.newaxis]) * 1.0)
    plain, *changed = zip(*sides, strict=True)
    return plain, tuple(changed)


def _attacked(
    truth: Truth, world: World, rng: np.random.Generator
) -> dict[str, tuple[Floats, Floats]]:
    """By arm 0/1 for each attack and each look-alike; a request is as hard for either arm."""
    requests = world.requests
    hard: Floats = rng.random(requests.max() + 1)[requests]
    spread = (1 - ALIKE) / ALIKE
    sides: dict[str, tuple[Floats, Floats]] = {}
    for name, rate, declined in zip((OLD, NEW), truth.attacks, truth.declined, strict=True):
        chances = special.betaincinv(rate * spread, (1 - rate) * spread, hard)
        sides[name] = (
            (rng.random(len(requests)) < chances).astype(np.float64),
            (rng.random(world.n_lookalikes) < declined).astype(np.float64),
        )
    return sides


def _side(gap: float) -> int:
    return 0 if abs(gap) < 1e-9 else (1 if gap > 0 else -1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--draws", type=int, default=150, help="of each cell")
    parser.add_argument("--edges", type=int, default=400, help="of a cell at a threshold")
    parser.add_argument("--family", choices=typing.get_args(Family))
    asked = parser.parse_args()
    begun = time.process_time()
    for line in table(asked.draws, asked.edges, asked.family):
        print(line, flush=True)
    print(f"{time.process_time() - begun:.0f} s of processor time", file=sys.stderr)


if __name__ == "__main__":
    main()
