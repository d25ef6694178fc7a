"""From eval cases and a study's plan to sets of changed cases, the same texts for every arm.

A set holds the cases that its perturbation changes, under their own ids, groups, slices and
expected answers; cases that it leaves as they are would only be asked a second time. Nothing is
measured here, and texts of a writer come through a function that is handed in.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from tuneornot import fingerprint
from tuneornot.records import Case, Dataset, Perturbed
from tuneornot.stress import own, written
from tuneornot.stress.base import Material, Perturbation
from tuneornot.stress.catalogue import BUILT_IN
from tuneornot.stress.plan import Planned, StressPlan

Write = Callable[[Planned, Sequence[Case]], Sequence[str | None]]
"""From cases to what the writer made of each; ``None`` where it failed."""

FEWEST = 2
"""Changed cases below which there is nothing to compare."""


class ChangedSet(NamedTuple):
    """The changed cases, and what is told of them."""

    cases: Dataset
    told: Perturbed


def made(plan: StressPlan, eval_set: Dataset, folder: Path, write: Write) -> tuple[ChangedSet, ...]:
    """Every set of a study: each perturbation at the study's strength, then its further strengths.

    Sets of fewer than two cases are told all the same; nobody can be measured on them.

    Args:
        plan: without faults.
        eval_set: the cases that are asked plainly too.
        folder: where the study file stands.
        write: asks the writer.

    Raises:
        StudyError: a function of the study's own is not there or gives no text.
    """
    asked = chosen(eval_set, plan)
    found: list[ChangedSet] = []
    for planned in plan.planned:
        if planned.is_written:
            found.append(_written(planned, asked, write(planned, asked)))
        else:
            found += _changed(planned, plan, asked, eval_set, folder)
    return tuple(found)


def unwritten(plan: StressPlan, eval_set: Dataset, folder: Path) -> tuple[ChangedSet, ...]:
    """The sets that need no writer, to look at before anything is asked; raises as ``made``."""
    left = tuple(
        entry
        for entry, planned in zip(plan.perturbations, plan.planned, strict=True)
        if not planned.is_written
    )
    without = msgspec.structs.replace(plan, perturbations=left, writer=None)
    return made(without, eval_set, folder, lambda _, cases: [None] * len(cases))


def sources(plan: StressPlan, folder: Path) -> list[str]:
    """Fingerprints of the study's own functions: an edit makes another plan."""
    owned = [own.find(each.kind, folder) for each in plan.planned if each.is_own]
    return [each.source for each in owned if each.source is not None]


def chosen(eval_set: Dataset, plan: StressPlan) -> tuple[Case, ...]:
    """The eval cases that are changed: all, or as many as the plan wants, drawn by its seed."""
    if plan.cases is None or plan.cases >= len(eval_set):
        return eval_set.cases
    ranked = sorted(eval_set.cases, key=lambda case: fingerprint.of([plan.seed, case.id]))
    taken = {case.id for case in ranked[: plan.cases]}
    return tuple(case for case in eval_set.cases if case.id in taken)


def _changed(
    planned: Planned, plan: StressPlan, asked: Sequence[Case], eval_set: Dataset, folder: Path
) -> Iterator[ChangedSet]:
    perturbation = _perturbation(planned, folder)
    further = [strength for strength in plan.strengths if strength != planned.strength]
    for strength in (planned.strength, *dict.fromkeys(further)):
        cases = [
            perturbation.change(Material(case, eval_set.cases, _rng(plan, planned, case)), strength)
            for case in asked
        ]
        main = strength == planned.strength
        told = Perturbed(
            name=planned.name if main else f"{planned.name} {strength:g}",
            perturbation=planned.name,
            strength=strength,
            main=main,
            keeps_meaning=perturbation.keeps_meaning,
            summary=perturbation.summary,
            n=0,
            n_same=0,
        )
        yield _set(told, asked, cases)


def _perturbation(planned: Planned, folder: Path) -> Perturbation:
    if planned.is_own:
        keeps = planned.settings.keeps_meaning
        return own.find(planned.kind, folder, keeps_meaning=keeps).perturbation
    return BUILT_IN[planned.kind]


def _rng(plan: StressPlan, planned: Planned, case: Case) -> random.Random:
    """Of a case's id and not of its place, so that further cases leave the texts as they are."""
    return random.Random(fingerprint.of([plan.seed, planned.name, case.id]))


def _written(planned: Planned, asked: Sequence[Case], texts: Sequence[str | None]) -> ChangedSet:
    kept = [written.kept(case, text) for case, text in zip(asked, texts, strict=True)]
    lost = sum(case is None for case in kept)
    told = Perturbed(
        name=planned.name,
        perturbation=planned.name,
        strength=planned.strength,
        main=True,
        keeps_meaning=True,
        summary=f"{planned.kind} by a model",
        n=0,
        n_same=0,
        n_lost=lost,
    )
    pairs = [(case, new) for case, new in zip(asked, kept, strict=True) if new is not None]
    return _set(told, [case for case, _ in pairs], [new for _, new in pairs])


def _set(told: Perturbed, asked: Sequence[Case], cases: Sequence[Case]) -> ChangedSet:
    """The cases that differ, with what is told of them completed."""
    pairs = [
        (case, new) for case, new in zip(asked, cases, strict=True) if new.question != case.question
    ]
    before, after = pairs[0] if pairs else (None, None)
    completed = msgspec.structs.replace(
        told,
        n=len(pairs),
        n_same=len(asked) - len(pairs),
        before=_shown(before),
        after=_shown(after),
    )
    dataset = Dataset(name=told.name, cases=tuple(new for _, new in pairs))
    return ChangedSet(dataset, completed)


def _shown(case: Case | None) -> str:
    """What a case shows the model, context first."""
    if case is None:
        return ""
    return case.text if case.context is None else f"{case.context}\n\n{case.text}"
