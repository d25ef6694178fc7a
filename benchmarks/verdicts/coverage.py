"""How often the interval of the primary's gain holds the truth, and what is said where it does not.

The range promised is that of the project: 93.5 to 96.5% from 50 cases on, 92.5 to 97.5% below. A
cell outside of it by more than two Monte Carlo errors is drawn anew with more sets, and marked if
it is outside still, with the share of its draws that carry a caveat. It knows no verdicts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from benchmarks.verdicts import ours, simulate
from benchmarks.verdicts.scenarios import PRIMARY, Scenario, Scores

from tuneornot.records import Scale
from tuneornot.stats import paired

FEW = 50
RANGE = {True: (0.925, 0.975), False: (0.935, 0.965)}
"""By whether there are fewer cases than ``FEW``."""
SIZES = (30, 50, 100, 300, 1000)
SEED = 17
"""Other draws than those of the verdicts."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Shares of all draws of a scenario at one number of cases."""

    covered: float
    low_errors: float
    high_errors: float
    told: float
    """Draws with a caveat; NaN where nobody asked."""
    n: int
    n_sets: int

    @property
    def short(self) -> bool:
        """Whether too few intervals hold the truth."""
        return self.covered < RANGE[self.n < FEW][0] - self._slack

    @property
    def long(self) -> bool:
        """Whether too many do: wider than need be."""
        return self.covered > RANGE[self.n < FEW][1] + self._slack

    @property
    def outside(self) -> bool:
        """Whether it breaks the range on either side."""
        return self.short or self.long

    @property
    def _slack(self) -> float:
        return 2 * simulate.noise(0.05, self.n_sets)


def chosen(scenarios: Sequence[Scenario]) -> Iterator[Scenario]:
    """Scenarios with a primary of their own; the others draw 0/1 scores as the first family."""
    for scenario in scenarios:
        places = {(rail.metric, rail.dataset) for rail in scenario.rule.guardrails}
        if scenario.rule.economy is None and places <= {PRIMARY}:
            yield scenario


def cell(scenario: Scenario, n: int, n_sets: int, n_anew: int) -> Cell:
    """Draw a scenario ``n_sets`` times, and ``n_anew`` times more if that is outside the range."""
    found = _drawn(scenario, n, n_sets, anew=False)
    return _drawn(scenario, n, n_anew, anew=True) if found.outside else found


def _drawn(scenario: Scenario, n: int, n_sets: int, *, anew: bool) -> Cell:
    """The primary alone, many times; with caveats when drawn anew."""
    rng = simulate.generator(scenario, n, SEED + anew)
    scale, gain = scenario.scales["score"], scenario.gain
    rows = np.zeros((n_sets, 4))
    for row in rows:
        drawn = scenario.draw(rng, n)[PRIMARY]
        found = ours.estimate("mean", scale, drawn, scenario.rule.alpha)
        row[:] = (
            found.low <= gain <= found.high,
            found.lower > gain,
            found.upper < gain,
            bool(_caveats(drawn, scale)) if anew else np.nan,
        )
    covered, low_errors, high_errors, told = rows.mean(axis=0).tolist()
    return Cell(
        covered=covered,
        low_errors=low_errors,
        high_errors=high_errors,
        told=told,
        n=n,
        n_sets=n_sets,
    )


def _caveats(drawn: Scores, scale: Scale) -> tuple[str, ...]:
    return paired.caveats(
        drawn.baseline,
        drawn.candidate,
        groups=drawn.groups,
        scale=(scale.low, scale.high),
        binary=scale.binary and drawn.baseline.ndim == 1,
    )


def table(scenarios: Sequence[Scenario], n_sets: int, n_anew: int) -> Iterator[str]:
    """Coverage (errors of the lower / upper one-sided bound), a row for each scenario."""
    rows = [
        (each, {n: cell(each, n, n_sets, n_anew) for n in SIZES if n in each.sizes})
        for each in scenarios
    ]
    cells = [one for _, row in rows for one in row.values()]
    errors = [f"{100 * simulate.noise(0.05, each):.1f}" for each in (n_sets, n_anew)]
    yield (
        f"{len(cells)} cells of {n_sets} draws, Monte Carlo error {errors[0]} points. Cells that "
        "are outside of the range by more than two of these are drawn anew "
        f"{n_anew} times (error {errors[1]}); outside still: "
        f"{sum(one.short for one in cells)} below (**bold**), "
        f"{sum(one.long for one in cells)} above (*slanted*). Behind these: the share of draws "
        "that carry a caveat."
    )
    yield ""
    yield f"| scenario | {' | '.join(str(n) for n in SIZES)} |"
    yield "|--" * (1 + len(SIZES)) + "|"
    for each, row in rows:
        texts = [_text(row[n]) if n in row else "" for n in SIZES]
        yield f"| {each.family}: {each.name} | {' | '.join(texts)} |"


def _text(found: Cell) -> str:
    mark = "**" if found.short else "*" if found.long else ""
    figures = f"{100 * found.low_errors:.1f}/{100 * found.high_errors:.1f}"
    told = f", told {100 * found.told:.0f}%" if mark else ""
    return f"{mark}{100 * found.covered:.1f}{mark} ({figures}){told}"
