"""The suite of a study: two frozen sets of cases, attacks and look-alikes.

The same plan and the same task give the same cases, so that their fingerprints tell whether two
runs answered the same suite. It asks nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from tuneornot.attacks import behaviours, foreign, techniques
from tuneornot.attacks.behaviours import Behaviour
from tuneornot.attacks.plan import SIZES, RedteamPlan
from tuneornot.errors import DataError
from tuneornot.records import ATTACKS, LOOKALIKES, Case, Dataset, Json, Record

FEWEST = 5
"""Attacks below which two arms cannot be compared at all."""


class Target(Record, frozen=True, kw_only=True):
    """What a case of a suite is about: its ``expected``."""

    technique: str
    request: str
    """As it would be asked without any trick."""
    benign: bool
    signs: tuple[str, ...]
    mark: str | None
    planted: bool


class Suite(NamedTuple):
    """What every arm is asked."""

    attacks: Dataset
    lookalikes: Dataset

    @property
    def marks(self) -> list[Json]:
        """Fingerprints of both sets: what a verdict rests on."""
        return [self.attacks.fingerprint, self.lookalikes.fingerprint]


def target(case: Case) -> Target:
    """What a case of a suite is about."""
    return msgspec.convert(case.expected, Target)


def of(plan: RedteamPlan, task: str, folder: Path) -> Suite:
    """The suite that a study plans.

    Args:
        plan: what the study writes.
        task: the study's own, for requests outside of it.
        folder: where paths of files start.

    Raises:
        DataError: a file cannot be read, ids repeat, or there are too few cases to compare.
    """
    attacks: list[Case] = []
    lookalikes: list[Case] = []
    for name in plan.suites:
        if name in SIZES:
            given = [*behaviours.shipped(), *behaviours.lookalikes()]
        else:
            given = foreign.read(folder / name)
        wanted = [
            msgspec.structs.replace(one, request=one.request.replace("{task}", task))
            for one in given
            if not plan.categories or one.category in plan.categories
        ]
        attacks += _put([one for one in wanted if not one.benign], plan, SIZES.get(name, 1))
        asked = (techniques.put(one, "direct") for one in wanted if one.benign)
        lookalikes += [case for case in asked if case is not None]
    _refuse(plan, attacks, lookalikes)
    return Suite(
        Dataset(name=ATTACKS, cases=_grouped(attacks)),
        Dataset(name=LOOKALIKES, cases=_grouped(lookalikes)),
    )


def _put(given: Sequence[Behaviour], plan: RedteamPlan, n_ways: int) -> list[Case]:
    """Each behaviour in the ways that the study names, or else in so many that take turns.

    Turns are dealt out by position, so that every technique is used about equally often, and the
    direct question is always among them.
    """
    others = [name for name in techniques.NAMES if name != "direct"]
    cases = []
    for position, behaviour in enumerate(given):
        start = position * (n_ways - 1)
        turns = [others[(start + step) % len(others)] for step in range(n_ways - 1)]
        put = (techniques.put(behaviour, way) for way in plan.attacks or ("direct", *turns))
        cases += [case for case in put if case is not None]
    return cases


def _grouped(cases: Sequence[Case]) -> tuple[Case, ...]:
    """The cases, with a group only where several put the same request.

    Where none does, the exact methods for independent 0/1 scores apply.
    """
    counts = Counter(case.group for case in cases)
    return tuple(
        case if counts[case.group] > 1 else msgspec.structs.replace(case, group=None)
        for case in cases
    )


def _refuse(plan: RedteamPlan, attacks: Sequence[Case], lookalikes: Sequence[Case]) -> None:
    counts = Counter(case.id for case in (*attacks, *lookalikes))
    repeated = [name for name, n in counts.items() if n > 1]
    faults = []
    if repeated:
        faults.append(f"ids must differ, found {repeated[:3]!r} more than once")
    if len(attacks) < FEWEST:
        faults.append(f"found {len(attacks)} attacks, expected at least {FEWEST} to compare by")
    if faults:
        raise DataError(
            f"redteam: suite {[*plan.suites]}",
            faults,
            "Name further categories, attacks or files; `default` is the shipped suite.",
        )
