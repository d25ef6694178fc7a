"""What is put to the verdict: arms with a known truth under a rule written down before.

A scenario draws every metric that its rule needs and carries the true value of every quantity that
the rule names; the verdict that it deserves follows from these alone. ``deserved`` knows three
answers: ``tune``, ``keep-prompting``, and ``edge``, where a truth lies exactly at a threshold and
either decision is wrong. Edges are where error rates are greatest. The scenarios themselves are
listed in ``listing``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from benchmarks.verdicts.arms import Floats
from numpy.typing import NDArray

from tuneornot.decide import SMALLER_IS_BETTER
from tuneornot.records import Guardrail, Quantity, Rule, Scale

Deserved = Literal["tune", "keep-prompting", "edge"]
Place = tuple[str, str]
"""Metric and dataset."""
PRIMARY: Place = ("score", "eval")
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Scores:
    """Both arms' scores on one metric and set: (n,) or (n, repeats), NaN for unscored."""

    baseline: Floats
    candidate: Floats
    groups: NDArray[np.intp] | None = None


Drawn = Mapping[Place, Scores]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Arms, rule and truth."""

    family: str
    name: str
    rule: Rule
    draw: Callable[[np.random.Generator, int], Drawn]
    truths: Mapping[tuple[str, str, Quantity], float]
    """(metric, dataset, quantity) to its true value, for each that the rule names."""
    scales: Mapping[str, Scale]
    """By metric."""
    sizes: tuple[int, ...] = (30, 50, 100, 300)
    note: str = ""

    @property
    def gain(self) -> float:
        """True mean difference of the primary."""
        return self.truths[(*PRIMARY, "mean")]

    def deserved(self) -> Deserved:
        """The verdict that these arms deserve under this rule."""
        sign = min(self._better(), *(self._kept(rail) for rail in self.rule.guardrails), 1)
        return ("keep-prompting", "edge", "tune")[sign + 1]

    def _better(self) -> int:
        rule = self.rule
        first = _side(self.gain - rule.worthwhile)
        if rule.economy is None or rule.equivalent is None:
            return first
        ratio = self.truths[(rule.economy.metric, "eval", "ratio")]
        equal = _side(self.gain + rule.equivalent)
        return max(first, min(equal, _side(1 / rule.economy.factor - ratio)))

    def _kept(self, rail: Guardrail) -> int:
        truth = self.truths[(rail.metric, rail.dataset, rail.quantity)]
        if rail.quantity in SMALLER_IS_BETTER:
            return _side(rail.margin - truth)
        return _side(truth + rail.margin)


def wrong(deserved: Deserved, outcome: str) -> bool:
    """Whether a verdict is a decision that the arms do not deserve; ``not-yet`` never is."""
    return outcome != "not-yet" and outcome != deserved


def rail(
    quantity: Quantity, margin: float, *, metric: str = "score", dataset: str = "eval"
) -> Guardrail:
    """A guardrail."""
    return Guardrail(metric=metric, dataset=dataset, quantity=quantity, margin=margin)


def rule(worthwhile: float = 0.05, guardrails: Sequence[Guardrail] = ()) -> Rule:
    """The rule that most scenarios share."""
    return Rule(primary="score", worthwhile=worthwhile, guardrails=tuple(guardrails))


def _side(gap: float) -> int:
    return 0 if abs(gap) < ROUNDING else (1 if gap > 0 else -1)
