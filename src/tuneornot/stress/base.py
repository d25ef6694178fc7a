"""What a perturbation is: a change of how a case is asked, with a strength; the answer stays."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tuneornot.records import Case
from tuneornot.stress import wording


class Material(NamedTuple):
    """What a perturbation may look at besides the strength."""

    case: Case
    others: Sequence[Case]
    """All cases of the set, in their order."""
    rng: random.Random
    """Of this case, this perturbation and the study's seed: every arm gets the same text."""


Change = Callable[[Material, float], Case]
"""The case as it is asked under a strength above 0 and up to 1; unchanged where it does not
apply."""

TextChange = Callable[[str, frozenset[str], float, random.Random], str]
"""From a text and the words to keep, at a strength, to another text."""


class Perturbation(NamedTuple):
    """One way to change how cases are asked."""

    summary: str
    change: Change
    keeps_meaning: bool = True
    """Whether a person would still give the same answer."""


def of_text(summary: str, change: TextChange) -> Perturbation:
    """A perturbation of what the user says, whatever stands around it."""

    def changed(material: Material, strength: float) -> Case:
        case = material.case
        text = wording.asked(case)
        return wording.asking(case, change(text, wording.fixed(case), strength, material.rng))

    return Perturbation(summary, changed)
