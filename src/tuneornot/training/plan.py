"""What a study writes under an arm's `tune`: a recipe, its seeds, and what is tried besides.

    tune: {rank: 16, seeds: [1, 2], search: {trials: 6}, curve: [0.25, 0.5, 1.0]}

It trains nothing (``tuning`` does) and imports nothing heavy.
"""

from __future__ import annotations

import importlib.util

from tuneornot.errors import MissingExtra
from tuneornot.records import Record
from tuneornot.training.recipe import ADAPTERS, QUANTISER, Recipe

MOST_TRIALS = {"lora": 9, "qlora": 9, "full": 3}
"""Pairs of three ranks and three rates: half, as given, twice; a third, as given, three times. A
full training has no rank."""
MOST_MIXED = 0.9
"""A training that is nearly all general data is one of another task."""
LEAST_SHARES = 3
"""With fewer sizes any curve explains them."""


class TrialPlan(Record, frozen=True, kw_only=True):
    """How many recipes are tried, by their loss on dev, before the arm is trained."""

    trials: int = 6
    """Pairs of rank and rate, the recipe's own among them."""
    epochs: int = 4
    """Most passes that are tried: every pair one, the better half two, the better half of those
    four."""
    seed: int = 0
    """Chooses the pairs."""


class MixPlan(Record, frozen=True, kw_only=True):
    """General data that is mixed into the training, against forgetting."""

    share: float = 0.2
    """Of all examples that are trained on."""
    file: str | None = None
    """Questions with answers; left out: the program's own."""


class TunePlan(Recipe, frozen=True, kw_only=True):
    """How an arm is trained: a recipe, and one adapter for each seed."""

    seeds: tuple[int, ...] = (1,)
    search: TrialPlan | None = None
    """Try recipes around the given one first."""
    mix: MixPlan | None = None
    """Mix general data in."""
    curve: tuple[float, ...] = ()
    """``[0.25, 0.5, 1.0]``: train on these shares of train as well, and measure all on dev."""

    @property
    def recipe(self) -> Recipe:
        """The recipe without the seeds."""
        return Recipe(**{name: getattr(self, name) for name in Recipe.__struct_fields__})

    def faults(self) -> list[str]:
        """A sentence for everything that is wrong, field first."""
        faults = []
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            faults.append(f"seeds: found {[*self.seeds]}, expected some, each of them once")
        if self.method == "full":
            faults += self._full_faults()
        if self.method == "qlora" and importlib.util.find_spec(QUANTISER) is None:
            faults.append(f"method: {MissingExtra('The method qlora', 'qlora')}")
        most = MOST_TRIALS[self.method]
        if self.search is not None and not 2 <= self.search.trials <= most:
            faults.append(
                f"search.trials: found {self.search.trials!r}, expected 2 to {most} with method "
                f"{self.method!r}"
            )
        if self.search is not None and self.search.epochs < 1:
            faults.append(f"search.epochs: found {self.search.epochs!r}, expected 1 or more")
        if self.mix is not None and not 0 < self.mix.share <= MOST_MIXED:
            faults.append(
                f"mix.share: found {self.mix.share!r}, expected a share of the examples above 0 "
                f"and up to {MOST_MIXED}"
            )
        rising = all(a < b for a, b in zip((0.0, *self.curve), self.curve, strict=False))
        if self.curve and not (rising and self.curve[-1] == 1 and len(self.curve) >= LEAST_SHARES):
            faults.append(
                f"curve: found {[*self.curve]}, expected {LEAST_SHARES} or more shares of train "
                "that increase and end in 1.0, such as [0.25, 0.5, 1.0]"
            )
        return faults

    def _full_faults(self) -> list[str]:
        """What an adapter has and a full training has not, and the rate, which must be its own."""
        usual = Recipe()
        faults = [
            f"{name}: found {getattr(self, name)!r}, but a full training has no adapter; leave it "
            "out"
            for name in ADAPTERS
            if getattr(self, name) != getattr(usual, name)
        ]
        if self.rate == usual.rate:
            faults.append(
                f"rate: found {self.rate!r}, which is an adapter's default and breaks whole "
                "weights; give a full training its own, 0.0001 to begin with"
            )
        return faults
