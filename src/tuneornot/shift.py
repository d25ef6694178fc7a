"""The step beside step 5: the same eval cases asked in another way, by every arm.

    sets       what is asked: the study's perturbations applied to the eval cases
    measured   every arm on every set, with the metrics that drops are claimed in

It asks through whatever is handed to it and compares nothing: ``compare.Drops`` does. Texts that a
model writes are asked of it like any question, so that they are kept and not asked again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from tuneornot.metrics.base import Metric
from tuneornot.metrics.judges.base import Answers, Judged, Question
from tuneornot.records import Arm, Case, Dataset, Perturbed, Rule, Run, Sampling
from tuneornot.stress import sets as stress_sets
from tuneornot.stress import wording, written
from tuneornot.stress.plan import Planned, StressPlan
from tuneornot.stress.sets import FEWEST, ChangedSet

LONGEST_WRITTEN = 1024
"""Tokens of a writer's text; one that is cut there is a bad stand-in for its case."""


class Asking(Protocol):
    """What this step needs of a session."""

    def run(
        self,
        arm: Arm,
        cases: Dataset,
        metrics: Sequence[Metric],
        *,
        repeats: int,
        against: Run | None = None,
    ) -> Run:
        """Measure an arm on a set of cases."""
        ...

    def ask_in_turns(self, arms: Sequence[Arm], sets: Sequence[Dataset], *, repeats: int) -> None:
        """Let arms that are not in this process answer in turns."""
        ...

    def ask(self, questions: Sequence[Question]) -> Answers:
        """Put questions to models."""
        ...

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Keep how long what follows takes."""
        ...


class Measured(NamedTuple):
    """One set of changed cases and every arm on it."""

    told: Perturbed
    runs: Mapping[str, tuple[Run, ...]]
    """By arm its runs, one for each training seed."""


def sets(
    plan: StressPlan, eval_set: Dataset, folder: Path, asking: Asking
) -> tuple[ChangedSet, ...]:
    """The changed cases; a writer is asked for what is not written yet.

    Args:
        plan: the study's.
        eval_set: the frozen eval cases.
        folder: where the study file stands.
        asking: the session.

    Raises:
        StudyError: a function of the study's own is not there or gives no text.
        ModelError: the writer cannot answer at all.
    """

    def write(planned: Planned, cases: Sequence[Case]) -> list[str | None]:
        assert plan.writer is not None, "a plan without a writer has nothing to be written"
        told = written.prompt(planned.kind, planned.settings.to)
        sampling = Sampling(max_tokens=LONGEST_WRITTEN)
        questions = [Question(plan.writer, told, sampling, wording.asked(case)) for case in cases]
        with asking.phase(f"write {planned.name}"):
            answers = asking.ask(questions)
        return [response.text if response.finish != "length" else None for [response] in answers]

    return stress_sets.made(plan, eval_set, folder, write)


def measured(
    changed: Sequence[ChangedSet],
    arms: Mapping[str, Sequence[Arm]],
    metrics: Sequence[Metric],
    asking: Asking,
    *,
    repeats: int,
) -> tuple[Measured, ...]:
    """Every arm on every set that has cases enough.

    Args:
        changed: the sets.
        arms: by name the arms of each plan, the baseline first: metrics that compare two answers
            need its answers.
        metrics: what is scored.
        asking: the session.
        repeats: answers to each case.
    """
    asked = [each for each in changed if len(each.cases) >= FEWEST]
    if not asked:
        return ()
    everyone = [arm for own in arms.values() for arm in own]
    asking.ask_in_turns(everyone, [each.cases for each in asked], repeats=repeats)
    runs: dict[str, dict[str, tuple[Run, ...]]] = {each.told.name: {} for each in asked}
    first: dict[str, Run] = {}
    for name, own in arms.items():
        with asking.phase(f"stress {name}"):
            for each in asked:
                against = first.get(each.told.name)
                runs[each.told.name][name] = tuple(
                    asking.run(arm, each.cases, metrics, repeats=repeats, against=against)
                    for arm in own
                )
        if not first:
            first = {told: by_arm[name][0] for told, by_arm in runs.items()}
    return tuple(Measured(each.told, runs[each.told.name]) for each in asked)


def judging(metrics: Sequence[Metric], rule: Rule) -> tuple[Metric, ...]:
    """The metrics that changed cases are scored by: those that ask a judge only where it matters.

    A judge is paid for every answer, so a judged metric is asked if it is the primary or a drop in
    it is guarded.
    """
    wanted = {rule.primary, *(rail.metric for rail in rule.guardrails if rail.quantity == "drop")}
    return tuple(
        metric for metric in metrics if not isinstance(metric, Judged) or metric.name in wanted
    )
