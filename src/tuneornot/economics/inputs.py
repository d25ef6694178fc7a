"""What money is reckoned from: what the study states and what was measured, as draws.

An input has a name, its ends, its middle, and one draw for each turn of the simulation. A stated
range is uniform between its ends; a measured mean is drawn with its error, its ends hold 95% of
the draws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tuneornot.economics.measured import Floats
from tuneornot.records import ArmCosts, EconomicsPlan, Range

N_DRAWS = 10_000
"""Ends of 95% intervals are then quantiles of which 250 draws lie outside: their own error is about
3% of the interval's half for a normal total."""

CALLS, WEEK, LABEL = "calls a month", "a week of engineering", "a label"
PARTS = {
    "weeks": "weeks of engineering",
    "labels": "labels",
    "training": "a training",
    "per_year": "times a year made again",
    "weeks_again": "weeks to make it again",
    "labels_again": "labels to make it again",
    "life": "months of its base model",
    "hosting": "hosting a month",
    "per_call": "an answer",
}
"""Fields of an arm's costs, as its inputs are called."""


class Input(NamedTuple):
    """One uncertain or fixed figure."""

    least: float
    middle: float
    most: float
    draws: Floats

    @property
    def uncertain(self) -> bool:
        """Whether it has two ends that differ in more than rounding."""
        return not math.isclose(self.least, self.most, rel_tol=1e-9)


Inputs = Mapping[str, Input]


def stated(value: Range, rng: np.random.Generator) -> Input:
    """An input as the study states it."""
    least, most = value if isinstance(value, tuple) else (value, value)
    return Input(least, (least + most) / 2, most, rng.uniform(least, most, size=N_DRAWS))


def drawn(middle: float, draws: Floats) -> Input:
    """An input that was measured, with the draws of its mean."""
    least, most = np.quantile(draws, [0.025, 0.975])
    return Input(float(least), middle, float(most), draws)


def key(arm: str, part: str) -> str:
    """The name of an arm's input."""
    return f"{arm}: {PARTS[part]}"


def gather(
    plan: EconomicsPlan,
    arms: Mapping[str, ArmCosts],
    answers: Mapping[str, Input],
    rng: np.random.Generator,
) -> Inputs:
    """Every input of a study by name.

    Args:
        plan: what the study states.
        arms: every arm's costs; those without a training of their own have it as measured, or 0.
        answers: by arm what an answer costs as measured, where its costs do not state it.
        rng: of the draws.
    """
    found = {
        CALLS: stated(plan.calls_per_month, rng),
        WEEK: stated(plan.week, rng),
        LABEL: stated(plan.label, rng),
    }
    for arm, costs in arms.items():
        for part in PARTS:
            value = getattr(costs, part)
            if value is not None:
                found[key(arm, part)] = stated(value, rng)
        if costs.per_call is None:
            found[key(arm, "per_call")] = answers[arm]
    return found
