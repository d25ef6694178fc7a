"""Verdicts whose primary is a figure of the whole run: macro-F1, corpus BLEU.

A population of answered cases (``benchmarks/whole_run.py``) is the truth: the figure of all of it.
Cases are drawn from it, the shipped interval is made by ``stats.whole`` as ``compare.whole`` makes
it, and ``decide.verdict`` applies a rule whose worthwhile gain is the true one, where each decision
is wrong, or half of it, where ``tune`` is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from benchmarks import whole_run
from benchmarks.verdicts.ours import compared, unmeasured
from benchmarks.verdicts.scenarios import ROUNDING

from tuneornot import decide
from tuneornot.records import Claim, Estimate, Rule, Scale
from tuneornot.stats.whole import Paired

POPULATIONS = ("macro-F1, 3 labels (10%), gain", "macro-F1, 10 labels (1%), gain", "BLEU, gain")
WHOLE = Scale(whole=True)


@dataclass(frozen=True, eq=False)
class Figured:
    """A population under a rule."""

    population: whole_run.Population
    part: float
    """What is worthwhile, in parts of the true gain."""
    promised: bool = True
    """Whether error rates are promised."""

    @property
    def name(self) -> str:
        """Of the row."""
        return f"{self.population.name} {self.gain:.3f}, worthwhile {self.worthwhile:.3f}"

    @property
    def gain(self) -> float:
        """The true one."""
        figure = next(iter(self.population.metric.figures().values()))
        first, second = self.population.arms
        return float(figure(second.sum(axis=0)) - figure(first.sum(axis=0)))

    @property
    def worthwhile(self) -> float:
        """What the rule asks for."""
        return self.part * self.gain

    def once(self, rng: np.random.Generator, n: int) -> tuple[str, bool]:
        """One draw of cases: the outcome, and whether it is a wrong decision."""
        figure = next(iter(self.population.metric.figures().values()))
        first, second = self.population.arms
        rows = rng.integers(len(first), size=n)
        known: dict[float, Estimate] = {}

        def evidence(claim: Claim, alpha: float) -> Estimate:
            if alpha not in known:
                made = Paired(first[rows], second[rows], self.population.metric.missed, alpha=alpha)
                known[alpha] = made.difference(figure, within=(-1.0, 1.0))
            return known[alpha]

        rule = Rule(primary="figure", worthwhile=self.worthwhile)
        found = decide.verdict(compared(unmeasured("figure", WHOLE, n)), evidence, rule).outcome
        above = self.gain > self.worthwhile + ROUNDING
        return found, found == "keep-prompting" or (found == "tune" and not above)


def figured() -> Iterator[Figured]:
    """Each population at the edge and with a gain that is worthwhile."""
    for name in POPULATIONS:
        [population] = whole_run.populations(name)
        for part in (1.0, 0.5):
            yield Figured(population, part)
