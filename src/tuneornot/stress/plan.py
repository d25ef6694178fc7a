"""What a study writes under `stress`, and what can be wrong with it.

It opens no model and changes no case; functions of the study's own are found when they are needed.
"""

from __future__ import annotations

import difflib
from collections import Counter
from typing import NamedTuple

from tuneornot.formats import form
from tuneornot.records import POOLED, Json, Record
from tuneornot.stress.catalogue import BUILT_IN
from tuneornot.stress.written import TOLD

USUAL = 0.3
"""Strength where the study names none."""


class Settings(Record, frozen=True, kw_only=True):
    """What a study says of one perturbation."""

    strength: float | None = None
    """Above 0 and up to 1."""
    name: str | None = None
    """What it is called, so that one perturbation can stand there twice."""
    to: str | None = None
    """Of a translation: the language, by its name."""
    keeps_meaning: bool = True
    """Of the study's own function: whether a person would still give the same answer."""


class Planned(NamedTuple):
    """One perturbation of a study."""

    name: str
    kind: str
    """A built-in name, ``paraphrase``, ``translation`` or ``module:function``."""
    settings: Settings

    @property
    def strength(self) -> float:
        """Of the figure that the verdict may rest on; what is written is changed as a whole."""
        return 1.0 if self.is_written else self.settings.strength or USUAL

    @property
    def is_written(self) -> bool:
        """Whether a model writes it."""
        return self.kind in TOLD

    @property
    def is_own(self) -> bool:
        """Whether it is a function of the study's own."""
        return ":" in self.kind


class StressPlan(Record, frozen=True, kw_only=True):
    """Which perturbations the eval cases are asked under."""

    perturbations: tuple[str | dict[str, dict[str, Json] | None], ...]
    strengths: tuple[float, ...] = ()
    """Further strengths that each is measured at, for the curves."""
    cases: int | None = None
    """So many of the eval cases; all where it is left out."""
    writer: str | None = None
    """The model that writes paraphrases and translations."""
    seed: int = 0

    @property
    def planned(self) -> tuple[Planned, ...]:
        """The perturbations in the study's order; those with faults are left out."""
        made = (_planned(entry, []) for entry in self.perturbations)
        return tuple(each for each in made if each is not None)

    @property
    def names(self) -> tuple[str, ...]:
        """What a guardrail ``drop@NAME`` can name: all together, then each."""
        return (POOLED, *(each.name for each in self.planned))

    def faults(self) -> list[str]:
        """A sentence for everything that is wrong, field first."""
        faults: list[str] = []
        if not self.perturbations:
            faults.append(f"perturbations: none; name one or more of {', '.join(_known())}")
        for place, entry in enumerate(self.perturbations):
            of_entry: list[str] = []
            _planned(entry, of_entry)
            faults += [f"perturbations[{place}]: {fault}" for fault in of_entry]
        faults += self._name_faults()
        faults += [
            f"strengths: found {strength!r}, expected numbers above 0 and up to 1"
            for strength in self.strengths
            if not 0 < strength <= 1
        ]
        if self.cases is not None and self.cases < 2:
            faults.append(f"cases: found {self.cases!r}, expected 2 or more")
        written = [each.name for each in self.planned if each.is_written]
        if written and self.writer is None:
            faults.append(f"writer: missing; name the model that writes {' and '.join(written)}")
        if self.writer is not None and not written:
            faults.append(f"writer: {self.writer!r} has nothing to write; leave it out")
        return faults

    def _name_faults(self) -> list[str]:
        counted = Counter(self.names)
        faults = [
            f"perturbations: {name!r} stands there twice; give one of them another `name:`"
            for name, n in counted.items()
            if n > 1 and name != POOLED
        ]
        if counted[POOLED] > 1:
            faults.append(f"perturbations: {POOLED!r} names all of them together; choose another")
        return faults


def _planned(entry: str | dict[str, dict[str, Json] | None], faults: list[str]) -> Planned | None:
    """One entry; ``None`` with its faults told where it cannot be."""
    if isinstance(entry, dict) and len(entry) != 1:
        faults.append(f"found {entry!r}, expected a name or one name with its settings")
        return None
    kind, given = (entry, None) if isinstance(entry, str) else next(iter(entry.items()))
    if kind not in BUILT_IN and kind not in TOLD and ":" not in kind:
        near = difflib.get_close_matches(kind, _known(), n=1)
        meant = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_known())}"
        faults.append(f"there is no perturbation {kind!r}; {meant}")
        return None
    settings = form.gather(Settings, given or {}, faults, kind)
    if settings is None:
        return None
    name = settings.name or kind.rpartition(":")[2]
    made = Planned(name, kind, settings)
    faults += _setting_faults(made)
    return made


def _setting_faults(planned: Planned) -> list[str]:
    kind, settings = planned.kind, planned.settings
    faults = []
    if settings.strength is not None and not 0 < settings.strength <= 1:
        faults.append(
            f"{kind}.strength: found {settings.strength!r}, expected a number above 0 and up to 1"
        )
    if settings.strength is not None and planned.is_written:
        faults.append(f"{kind}.strength: what a model writes has none; leave it out")
    if kind == "translation" and not settings.to:
        faults.append("translation.to: missing; name the language, such as `to: German`")
    if kind != "translation" and settings.to is not None:
        faults.append(f"{kind}.to: only a translation has a language; leave it out")
    if not settings.keeps_meaning and not planned.is_own:
        faults.append(f"{kind}.keeps_meaning: is known of built-in perturbations; leave it out")
    if "@" in planned.name or not planned.name.strip():
        faults.append(f"{kind}.name: found {planned.name!r}, expected a name without @")
    return faults


def _known() -> tuple[str, ...]:
    return (*BUILT_IN, *TOLD, "module:function")
