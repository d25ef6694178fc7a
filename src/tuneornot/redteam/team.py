"""Every arm under the study's suite, before and after every tune: answers, scores, labels.

Questions go through the session like those of the protocol: what is known is not asked again, the
budget holds, and an interrupted command goes on. Behaviours with a planted secret are put to the
arm with the secret in its instructions; everything else to the arm as it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import msgspec

from tuneornot import labelling, study
from tuneornot.attacks import behaviours, suite
from tuneornot.attacks.plan import RedteamPlan
from tuneornot.attacks.suite import Suite
from tuneornot.metrics.base import Metric
from tuneornot.records import (
    SAFETY,
    Arm,
    Attacked,
    Case,
    Contrast,
    Dataset,
    Json,
    Label,
    Redteam,
    Run,
)
from tuneornot.redteam import tables
from tuneornot.redteam.judge import Compliance
from tuneornot.redteam.rules import Complies


class Asks(Protocol):
    """What puts questions to arms and keeps the answers; a session."""

    def run(self, arm: Arm, cases: Dataset, metrics: Sequence[Metric], *, repeats: int) -> Run:
        """Measure an arm; what is known is not asked again."""
        ...

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Tell and keep how long a piece of work took."""
        ...


class Team:
    """The red team of one study.

    Args:
        plan: the study; it has a section `redteam`.
        folder: where its relative paths start.
        session: asks and keeps.
        labels: what people said so far.
        arms: by name the arms of one plan, one for each training seed.
        untuned: by name a tuned arm before it was tuned, with its own prompt; ``None`` of one that
            is not tuned, or of which nothing tells what it came from.

    Raises:
        DataError: the suite cannot be read.
    """

    def __init__(
        self,
        plan: study.Study,
        folder: Path,
        session: Asks,
        *,
        labels: Callable[[], Iterable[Label]],
        arms: Callable[[str], Sequence[Arm]],
        untuned: Callable[[str], Arm | None],
    ) -> None:
        assert plan.redteam is not None, "the study plans no red team"
        self._study, self._session, self._labels = plan, session, labels
        self._plan: RedteamPlan = plan.redteam
        self._arms, self._untuned = arms, untuned
        self.suite: Suite = suite.of(self._plan, plan.task, folder)
        self._known: dict[tuple[str, float], tuple[Contrast, ...]] = {}

    @property
    def marks(self) -> list[Json]:
        """What of the suite a verdict rests on."""
        return self.suite.marks

    @property
    def judged(self) -> tuple[Compliance, ...]:
        """The metrics that people can label, and a judge rules on where the study names one."""
        return tuple(Compliance(name, self._plan.judge) for name in SAFETY)

    def told(self) -> tuple[str, ...]:
        """What is asked of each arm, before anything is asked."""
        attacks, lookalikes = self.suite
        n = len({case.slice for case in attacks.cases})
        judge = self._plan.judge.model if self._plan.judge else "rules"
        return (
            f"{len(attacks)} attacks in {n} categories, {len(lookalikes)} look-alikes; judged by "
            f"marks and {judge}",
        )

    @functools.cached_property
    def runs(self) -> dict[str, tuple[Run, ...]]:
        """By arm of the study its runs on both sets, for each training seed."""
        found = {}
        for name in self._study.arms:
            with self._session.phase(f"red team: {name}"):
                found[name] = tuple(run for arm in self._arms(name) for run in self._attacked(arm))
        return found

    @functools.cached_property
    def before(self) -> dict[str, tuple[Run, ...]]:
        """By tuned arm the runs of its model before it was tuned."""
        found = {}
        for name in self._study.arms:
            arm = self._untuned(name)
            if arm is not None:
                with self._session.phase(f"red team: {name} before tuning"):
                    found[name] = self._attacked(arm)
        return found

    def contrasts(self, name: str, alpha: float) -> tuple[Contrast, ...]:
        """A candidate against the baseline, computed once for each error rate."""
        if (name, alpha) not in self._known:
            made = tables.contrasts(self._first, self.runs[name], alpha=alpha)
            self._known[name, alpha] = made
        return self._known[name, alpha]

    @property
    def _first(self) -> list[Run]:
        """The baseline's runs; with several training seeds the first, as in every comparison."""
        whole = self.runs[self._study.baseline]
        return list({run.dataset.name: run for run in reversed(whole)}.values())

    def found(self, alpha: float) -> Redteam:
        """Every candidate against the baseline, and against itself before it was tuned.

        Args:
            alpha: error rate of every interval.
        """
        made: list[Attacked] = []
        for name in self._study.candidates:
            known = self.contrasts(name, alpha)
            made.append(tables.attacked(self._first, self.runs[name], known, alpha=alpha))
        for name, runs in self.before.items():
            known = tables.contrasts(runs, self.runs[name], alpha=alpha)
            made.append(tables.attacked(runs, self.runs[name], known, alpha=alpha, tuning=True))
        everything = [run for each in self.runs.values() for run in each]
        attacks = self.suite.attacks
        return Redteam(
            suite=self._plan.suites,
            fingerprint="-".join(str(mark)[:10] for mark in self.marks),
            n_attacks=len(attacks),
            n_behaviours=len({case.group or case.id for case in attacks.cases}),
            n_lookalikes=len(self.suite.lookalikes),
            judge=self._plan.judge.model if self._plan.judge else None,
            agreement=tables.agreement(everything) if self._plan.judge else None,
            attacked=tuple(made),
        )

    def _attacked(self, arm: Arm) -> tuple[Run, ...]:
        """One arm on both sets; without look-alikes on one."""
        arm = self._capped(arm)
        pairs = zip(self.judged, (self.suite.attacks, self.suite.lookalikes), strict=True)
        return tuple(self._run(arm, cases, metric) for metric, cases in pairs if len(cases))

    def questions(self, arm: Arm) -> list[tuple[Arm, Case]]:
        """Everything that an arm is asked, with the arm as it is asked it."""
        capped = self._capped(arm)
        return [
            (asked, case)
            for cases in self.suite
            for asked, part in _parts(capped, cases)
            for case in part.cases
        ]

    def _capped(self, arm: Arm) -> Arm:
        """The arm with the longest answer that the study allows to an attack."""
        if self._plan.max_tokens is None:
            return arm
        sampling = msgspec.structs.replace(arm.sampling, max_tokens=self._plan.max_tokens)
        return msgspec.structs.replace(arm, sampling=sampling)

    def _run(self, arm: Arm, cases: Dataset, judged: Compliance) -> Run:
        rules = Complies(f"{judged.name}_by_rules" if self._plan.judge else judged.name)
        metrics: list[Metric] = [rules, judged] if self._plan.judge else [rules]
        parts = [
            self._session.run(asked, part, metrics, repeats=1) for asked, part in _parts(arm, cases)
        ]
        run = _joined(arm, cases, parts)
        labels = labelling.scores(run, [judged], self._labels())
        return msgspec.structs.replace(run, labels=labels, judged={judged.name: judged.judges})


def _planted(arm: Arm) -> Arm:
    """The arm with the secret in its instructions."""
    said = "\n\n".join(part for part in (arm.prompt.instructions, behaviours.PLANTED) if part)
    prompt = msgspec.structs.replace(arm.prompt, instructions=said)
    return msgspec.structs.replace(arm, prompt=prompt)


def _parts(arm: Arm, cases: Dataset) -> list[tuple[Arm, Dataset]]:
    """The arm as it is with what it is asked so, and with the secret with the rest."""
    found = []
    for planted, asked in ((False, arm), (True, _planted(arm))):
        kept = tuple(case for case in cases.cases if suite.target(case).planted == planted)
        if kept:
            found.append((asked, Dataset(name=cases.name, cases=kept)))
    return found


def _joined(arm: Arm, cases: Dataset, parts: Sequence[Run]) -> Run:
    """Runs on parts of a set as one on the whole set, in the order of its cases."""
    answered = {
        case.id: response
        for part in parts
        for case, response in zip(part.dataset.cases, part.responses, strict=True)
    }
    return Run(
        arm=arm,
        dataset=cases,
        metrics=parts[0].metrics,
        n_repeats=1,
        responses=tuple(answered[case.id] for case in cases.cases),
        scores=tuple(score for part in parts for score in part.scores),
    )
