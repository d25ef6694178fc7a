"""How often a verdict with a guarded drop is right, where the drops are known.

    python benchmarks/stress.py [--draws N]

Arms are drawn that are equal in what they gain on the plain cases and differ in what they lose on
changed ones. A case is asked plainly and in several other ways; its answers hang together through
its difficulty and through what each arm finds hard. The table stands in docs/concepts/stress.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.verdicts import simulate
from benchmarks.verdicts.arms import Floats
from benchmarks.verdicts.scenarios import PRIMARY, Drawn, Scenario, Scores, rail, rule

from tuneornot.records import Scale

MARGIN = 0.05
SIZES = (50, 100, 300)
STRESS = ("score", "stress")
CASE, ARM, ASKING = 0.5, 0.3, 0.2
"""Shares of an answer's variance: the case, what the arm makes of it, and how it is asked."""


@dataclass(frozen=True)
class Truth:
    """Rates of right answers, and in how many other ways the cases are asked."""

    name: str
    baseline: tuple[float, float]
    """Plainly, and asked in other ways."""
    candidate: tuple[float, float]
    n_ways: int = 5
    noise: float = ASKING
    """0: an answer changes only where its rate does."""

    @property
    def drop(self) -> float:
        """The true difference of the drops."""
        return round(
            (self.candidate[1] - self.candidate[0]) - (self.baseline[1] - self.baseline[0]), 12
        )


TRUTHS = (
    Truth("no answer ever changes", (0.5, 0.5), (0.7, 0.7), noise=0.0),
    Truth("neither loses", (0.5, 0.5), (0.7, 0.7)),
    Truth("both lose 0.15", (0.5, 0.35), (0.7, 0.55)),
    Truth("both lose 0.15, asked in one way", (0.5, 0.35), (0.7, 0.55), n_ways=1),
    Truth("the candidate loses 0.05", (0.5, 0.5), (0.7, 0.65)),
    Truth("the candidate loses 0.05, asked in one way", (0.5, 0.5), (0.7, 0.65), n_ways=1),
    Truth("a twentieth of its answers lost, else nothing", (0.5, 0.5), (0.7, 0.65), noise=0.0),
    Truth("the candidate loses 0.15", (0.5, 0.5), (0.7, 0.55)),
    Truth("the candidate loses 0.3, the baseline 0.1", (0.5, 0.4), (0.7, 0.4)),
)


def scenario(truth: Truth) -> Scenario:
    """The truth with the rule: a gain above 0.05, and a drop of at most 0.05 more."""

    def draw(rng: np.random.Generator, n: int) -> Drawn:
        case = rng.standard_normal(n)
        first, changed = _arm(truth.baseline, truth, case, rng)
        second, moved = _arm(truth.candidate, truth, case, rng)
        return {PRIMARY: Scores(first, second), STRESS: Scores(changed, moved)}

    return Scenario(
        family="guardrail: drop",
        name=truth.name,
        rule=rule(guardrails=(rail("drop", MARGIN, dataset="stress"),)),
        draw=draw,
        truths={
            (*PRIMARY, "mean"): truth.candidate[0] - truth.baseline[0],
            (*STRESS, "drop"): truth.drop,
        },
        scales={"score": Scale(binary=True)},
        sizes=SIZES,
    )


def _arm(
    rates: tuple[float, float], truth: Truth, case: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Plain scores (n,) and changes (n, ways) of one arm."""
    n, ways = len(case), truth.n_ways
    own = np.sqrt(CASE) * case + np.sqrt(1 - CASE - truth.noise) * rng.standard_normal(n)
    asked = own[:, np.newaxis] + np.sqrt(truth.noise) * rng.standard_normal((n, ways + 1))
    plain = (asked[:, 0] < stats.norm.ppf(rates[0])).astype(np.float64)
    changed = (asked[:, 1:] < stats.norm.ppf(rates[1])).astype(np.float64)
    return plain, changed - plain[:, np.newaxis]


def table(n_draws: int) -> Iterator[str]:
    """Markdown, in percent of the draws."""
    yield "| truth (difference of the drops) | deserves | n | tune | keep | open | wrong |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    for truth in TRUTHS:
        made = scenario(truth)
        for n in made.sizes:
            found = simulate.rates(made, n, n_draws)
            shares = (found.tune, found.keep, found.open, found.worst)
            cells = " | ".join(f"{100 * share:.1f}" for share in shares)
            deserved = {"edge": "neither", "keep-prompting": "keep"}.get(
                made.deserved(), made.deserved()
            )
            yield f"| {truth.name} ({truth.drop:+g}) | {deserved} | {n} | {cells} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--draws", type=int, default=600, help="of each cell")
    asked = parser.parse_args()
    begun = time.process_time()
    for line in table(asked.draws):
        print(line, flush=True)
    print(f"{time.process_time() - begun:.0f} s of processor time", file=sys.stderr)


if __name__ == "__main__":
    main()
