"""From a finished protocol to what a report is made from, and the report's files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from tuneornot import __version__, asides, compare, decide, economics, profile, study
from tuneornot.metrics.base import whole
from tuneornot.models import machine
from tuneornot.protocol import Protocol
from tuneornot.records import Economics, Findings, Phase, Record
from tuneornot.report import export, markdown, pages
from tuneornot.spending import Tally

REST = "start, cases and all else"
"""The name of the time between the phases."""


class Level(Record, frozen=True, kw_only=True):
    """The mean of one metric for one arm on one set; of a whole-run metric its figure."""

    arm: str
    """Its name; of a tuned arm with the training seed."""
    dataset: str
    metric: str
    mean: float
    """NaN where nothing was scored."""
    n_scored: int
    n_unscored: int


def of(protocol: Protocol) -> Findings:
    """Everything that was found, carrying out whatever is still to be done."""
    found = _found(protocol)
    # Last of all, so that the phases come to the time of the command.
    protocol.session.rest(REST)
    return msgspec.structs.replace(found, phases=phases(protocol))


def _found(protocol: Protocol) -> Findings:
    """The same, without the phases."""
    plan, verdicts = protocol.plan, protocol.verdicts
    text = study.text(protocol.study)
    plans = [
        one.fingerprint
        for one in protocol.store.plans(protocol.study.study)
        if not study.grown(one.text, text)
    ]
    looked = {look.plan for look in protocol.store.looks()}
    return Findings(
        study=protocol.study.study,
        task=protocol.study.task,
        plan=plan,
        plan_changes=tuple(one for one in plans if one != plan and one in looked),
        rule=study.rule(protocol.study),
        audit=protocol.audit,
        splits=sizes(protocol),
        ledgers={
            name: protocol.search(name) for name, arm in protocol.study.arms.items() if arm.search
        },
        adapters={
            name: protocol.adapters(name) for name, arm in protocol.study.arms.items() if arm.tune
        },
        trials=_told(protocol, protocol.trials),
        learning=_told(protocol, protocol.learning),
        runs=tuple(run for runs in protocol.runs.values() for run in runs),
        comparisons=protocol.comparisons,
        verdicts=verdicts,
        asides=asides.of(
            protocol.runs,
            protocol.metrics,
            baseline=protocol.study.baseline,
            alpha=study.rule(protocol.study).alpha,
        ),
        perturbed=tuple(each.told for each in protocol.changed),
        recommended=decide.recommend(verdicts),
        judges=protocol.calibrations,
        redteam=protocol.redteam,
        looks=protocol.store.looks(),
        currency=_currency(protocol),
        economics=money(protocol),
        profile=profile.of(
            [one for one in protocol.comparisons if protocol.study.arms[one.candidate].is_tuned],
            kinds=study.kinds(protocol.study),
            named=protocol.study.claims,
            primary=protocol.study.decide.primary,
        ),
        machine=machine.describe(),
        version=__version__,
    )


Told = TypeVar("Told")


def _told(protocol: Protocol, tell: Callable[[str], Told | None]) -> dict[str, Told]:
    """By tuned arm what there is to tell of its training."""
    tuned = [name for name, arm in protocol.study.arms.items() if arm.tune]
    found = {name: tell(name) for name in tuned}
    return {name: one for name, one in found.items() if one is not None}


def money(protocol: Protocol) -> Economics | None:
    """What the arms cost over the months; ``None`` where the study does not say what it needs."""
    plan = protocol.study.economics
    if plan is None:
        return None
    return economics.of(
        plan,
        [run for runs in protocol.runs.values() for run in runs],
        phases(protocol),
        primary=protocol.study.decide.primary,
        baseline=protocol.study.baseline,
        currency=_currency(protocol) or plan.currency or "",
    )


def _currency(protocol: Protocol) -> str:
    return "" if protocol.prices is None else protocol.prices.currency


def sizes(protocol: Protocol) -> dict[str, int]:
    """Cases in each split and extra set."""
    splits = protocol.splits
    return {part.name: len(part) for part in (splits.train, splits.dev, *splits.measured)}


def phases(protocol: Protocol) -> tuple[Phase, ...]:
    """Where the time of this plan went, every session added up, in the order of first work."""
    total: dict[str, Phase] = {}
    for phase in protocol.store.phases(protocol.plan):
        before = total.get(phase.name, Phase(name=phase.name, seconds=0.0))
        spent = Tally([*before.spent, *phase.spent]).spent
        total[phase.name] = Phase(
            name=phase.name,
            seconds=before.seconds + phase.seconds,
            n_asked=before.n_asked + phase.n_asked,
            n_known=before.n_known + phase.n_known,
            spent=spent,
            money=None if protocol.prices is None else protocol.prices.money(spent),
        )
    return tuple(total.values())


def levels(protocol: Protocol) -> tuple[Level, ...]:
    """The mean (of a whole-run metric the figure) of every metric for every arm and set."""
    whole_run = whole(protocol.metrics)
    found = []
    for runs in protocol.runs.values():
        for run in runs:
            for metric in run.metrics:
                values = [score.value for score in run.scores if score.metric == metric]
                known = [value for value in values if value is not None]
                mean = sum(known) / len(known) if known else float("nan")
                if metric in whole_run:
                    mean = compare.level(run, whole_run[metric])
                seed = None if run.arm.adapter is None else run.arm.adapter.seed
                name = run.arm.name if seed is None else f"{run.arm.name}/{seed}"
                found.append(
                    Level(
                        arm=name,
                        dataset=run.dataset.name,
                        metric=metric,
                        mean=mean,
                        n_scored=len(known),
                        n_unscored=len(values) - len(known),
                    )
                )
    return tuple(found)


def write(findings: Findings, folder: Path) -> Path:
    """Write ``report.html``, ``report.md`` and ``report.json``; returns the page's path.

    Raises:
        StoreError: the folder cannot be written.
    """
    export.write(findings, folder / "report.json")
    markdown.write(findings, folder / "report.md")
    return pages.write(findings, folder / "report.html")
