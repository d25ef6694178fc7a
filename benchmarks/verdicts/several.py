"""Several candidates against one baseline: how often a recommendation among all of them is wrong.

A study with k candidates makes each comparison at a k-th of the error rate (``pairing``) and
recommends one of all arms (``decide.recommend``). Wrong is a candidate whose gain is not above what
is worthwhile, and the baseline where some candidate's gain is not below it. Whether the rate is
shared is a choice here, so that both can be seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from benchmarks.verdicts import ours
from benchmarks.verdicts.arms import Floats
from benchmarks.verdicts.listing import BITS, SHARES
from benchmarks.verdicts.scenarios import PRIMARY, ROUNDING, Drawn, Scenario, Scores, rule
from scipy import special

from tuneornot import decide
from tuneornot.records import Scale, Verdict

RATE = 0.6


@dataclass(frozen=True)
class Field:
    """One baseline and its candidates."""

    name: str
    gains: tuple[float, ...]
    """True gains of the candidates over the baseline."""
    scale: Scale
    promised: bool = True
    """Whether the candidates share the error rate, as they do in a study."""

    def once(self, rng: np.random.Generator, n: int) -> tuple[str, bool]:
        """One draw: whether a candidate or the baseline is recommended, and wrongly."""
        scenario = self._scenario()
        k = len(self.gains) if self.promised else 1
        made = [
            self._named(ours.verdict(scenario, drawn, spend=lambda alpha: alpha / k), place)
            for place, drawn in enumerate(self.draw(rng, n))
        ]
        arm = decide.recommend(made)
        line = scenario.rule.worthwhile
        if arm is None:
            return "not-yet", False
        if arm == made[0].baseline:
            return "keep-prompting", max(self.gains) >= line - ROUNDING
        return "tune", self.gains[int(arm)] <= line + ROUNDING

    def draw(self, rng: np.random.Generator, n: int) -> list[Drawn]:
        """Each candidate's scores beside the baseline's; all arms share half of their luck."""
        luck = rng.standard_normal(n) + rng.standard_normal((1 + len(self.gains), n))
        means = [RATE, *(RATE + gain for gain in self.gains)]
        levels = special.ndtr(math.sqrt(0.5) * luck)
        first, *others = (
            self._scores(level, mean) for level, mean in zip(levels, means, strict=True)
        )
        return [{PRIMARY: Scores(first, each)} for each in others]

    def _scores(self, level: Floats, mean: float) -> Floats:
        """0/1 at a rate, or grades spread evenly from 2 mean - 1 to 1."""
        if self.scale.binary:
            return (level < mean).astype(np.float64)
        return 1 - (2 - 2 * mean) * level

    @staticmethod
    def _named(made: Verdict, place: int) -> Verdict:
        return msgspec.structs.replace(made, candidate=str(place))

    def _scenario(self) -> Scenario:
        return Scenario(
            family="several candidates",
            name=self.name,
            rule=rule(),
            draw=lambda rng, n: self.draw(rng, n)[0],
            truths={(*PRIMARY, "mean"): self.gains[0]},
            scales={"score": self.scale},
        )


def fields() -> Sequence[Field]:
    """Three and five candidates: all at the edge, one that is good, none that is."""
    return (
        Field("0/1 scores, 3 candidates that gain 0.05", (0.05,) * 3, BITS),
        Field("0/1 scores, 5 candidates that gain 0.05", (0.05,) * 5, BITS),
        Field("0/1 scores, 3 that gain 0.05, rate not shared", (0.05,) * 3, BITS, promised=False),
        Field("0/1 scores, one gains 0.2 and two 0.05", (0.2, 0.05, 0.05), BITS),
        Field("0/1 scores, 3 candidates that lose 0.1", (-0.1,) * 3, BITS),
        Field("grades, 3 candidates that gain 0.05", (0.05,) * 3, SHARES),
        Field("grades, 5 candidates that gain 0.05", (0.05,) * 5, SHARES),
    )
