"""The eval cases asked in another way: what was done to them."""

from __future__ import annotations

from tuneornot.records.base import Record


class Perturbed(Record, frozen=True, kw_only=True):
    """One set of changed cases as it was made: the same texts for every arm."""

    name: str
    """Of the set; the perturbation's, with the strength where that is not the study's own."""
    perturbation: str
    strength: float
    main: bool
    """Whether it is at the study's strength; the others are points of a curve."""
    keeps_meaning: bool
    summary: str
    n: int
    """Cases that it changes."""
    n_same: int
    """Cases that it leaves as they are; they are not asked again."""
    n_lost: int = 0
    """Cases that a writer's text could not stand for."""
    before: str = ""
    after: str = ""
    """How one of the cases is asked without it and with it."""
