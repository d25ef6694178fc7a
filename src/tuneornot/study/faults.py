"""What contradicts itself in a study: told all at once, each with its place in the file."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from tuneornot.budget import price_faults, tuned
from tuneornot.errors import MissingExtra, StudyError
from tuneornot.metrics import confidence, registry
from tuneornot.metrics.base import Metric
from tuneornot.metrics.judges import planned
from tuneornot.metrics.judges.base import judges
from tuneornot.models import sampling as asked
from tuneornot.models.registry import faults as model_faults
from tuneornot.records import SAFETY, Sampling
from tuneornot.study import searching, upkeep
from tuneornot.study.plans import ArmPlan, DataPlan, Study
from tuneornot.study.rules import MEASURED, QUANTITIES, parts, rule, sampling


def contradictions(study: Study, folder: Path) -> list[str]:
    """Every fault that can be seen without opening a model or a file of cases."""
    made, faults = built(study, folder)
    if not faults:
        named = [entry for entry in study.metrics if isinstance(entry, str) and entry in MEASURED]
        faults += _decide_faults(study, made, [metric.name for metric in made] + named)
        faults += _guardrail_faults(study, made, [metric.name for metric in made] + named)
        faults += _judge_faults(study, made)
    faults += [*_data_faults(study.data), *_arm_faults(study), *_stress_faults(study)]
    models = {name: (arm.model, arm.sampling) for name, arm in study.arms.items()}
    unsampled = asked.arm_faults(study.sampling, models)
    if not unsampled:
        faults += confidence.faults(made, {name: sampling(study, name) for name in study.arms})
    faults += unsampled
    faults += [*_redteam_faults(study, made), *study.budget.faults()]
    faults += _price_faults(study, folder, made)
    known = [metric.name for metric in made]
    faults += upkeep.faults(study, folder)
    faults += [*_claim_faults(study, known), *_facts_faults(study, made)]
    return [*dict.fromkeys(faults)]  # a fault of the price file is one of what rests on it too


def _redteam_faults(study: Study, made: Sequence[Metric]) -> list[str]:
    taken = [metric.name for metric in made if metric.name in SAFETY]
    faults = [
        f"metrics: {name!r} is a name of the red team; give it another `name:`" for name in taken
    ]
    faults += [
        f"data.extra: {name!r} is a set of the red team; choose another name"
        for name in study.data.extra
        if name in SAFETY.values()
    ]
    if study.redteam is None:
        return faults
    return [*faults, *(f"redteam.{fault}" for fault in study.redteam.faults())]


def _judge_faults(study: Study, built: Sequence[Metric]) -> list[str]:
    primary = study.decide.primary
    raced = {name: arm.search.metric or primary for name, arm in study.arms.items() if arm.search}
    named = zip(study.decide.guardrails, rule(study).guardrails, strict=True)
    guarded = {name: rail.metric for name, rail in named if rail.quantity in QUANTITIES}
    return planned.faults(built, raced=raced, guarded=guarded)


def _price_faults(study: Study, folder: Path, built: Sequence[Metric]) -> list[str]:
    needs = ["metrics: `cost`"] if "cost" in study.metrics else []
    needs += ["budget.money"] if study.budget.money is not None else []
    models = [arm.model for arm in study.arms.values()]
    models += [tuned(arm.model) for arm in study.arms.values() if arm.hosted is not None]
    # A budget in money pays judges and writer too; the cost of an answer is its arm's alone.
    if study.budget.money is not None:
        models += judges(built)
        models += [arm.tuned.base for arm in study.arms.values() if arm.tuned and arm.tuned.base]
        searched = [arm.search for arm in study.arms.values() if arm.search]
        models += [plan.writer for plan in searched if plan.writer]
        models += [study.stress.writer] if study.stress and study.stress.writer else []
        models += [study.redteam.judge.model] if study.redteam and study.redteam.judge else []
    paid = [arm.model for arm in study.arms.values() if arm.hosted is not None]
    trained = paid if study.budget.money is not None else []
    return price_faults(study.prices, folder, needs=needs, models=models, trained=trained)


def _data_faults(data: DataPlan) -> list[str]:
    given = [name for name in ("train", "dev", "eval") if getattr(data, name) is not None]
    faults = []
    if (data.cases is None) == (not given):
        faults.append("data: give either `cases` (one file to split) or `train`, `dev` and `eval`")
    elif given and len(given) < 3:
        faults.append(f"data: `train`, `dev` and `eval` belong together; found only {given}")
    for name, held in data.split.hold_out.items():
        faults += [f"data.split.hold_out.{name}.{fault}" for fault in held.faults()]
        if data.cases is None:
            faults.append("data.split.hold_out: needs one file to be split, as `data.cases`")
        if name in data.extra:
            faults.append(f"data.split.hold_out: {name!r} is in data.extra too; choose another")
    for name in data.sets:
        if name in ("train", "dev", "eval", "demonstrations"):
            faults.append(f"data: {name!r} is the name of a split; give the set another")
    for name in data.taught:
        if name in ("train", "dev", "eval", "demonstrations", *data.sets):
            faults.append(f"data.taught: {name!r} is the name of another set; choose another")
    if data.meaning is not None:
        faults += [f"data.meaning.{fault}" for fault in data.meaning.faults()]
    for part in ("eval", "dev", "train"):
        value = getattr(data.split, part)
        if value is not None and (value <= 0 or (value != int(value) and value >= 1)):
            faults.append(
                f"data.split.{part}: found {value!r}, expected a number of cases or a share below 1"
            )
    return faults


def _arm_faults(study: Study) -> list[str]:
    faults = []
    plain = [name for name, arm in study.arms.items() if not arm.is_tuned]
    if len(study.arms) < 2:
        faults.append(
            f"arms: found {len(study.arms)}, expected at least two (a baseline and a candidate)"
        )
    elif not plain and study.decide.baseline is None:
        faults.append("arms: every arm is tuned; name the baseline with `decide.baseline`")
    if study.decide.baseline is not None and study.decide.baseline not in study.arms:
        faults.append(
            f"decide.baseline: {study.decide.baseline!r} is not an arm; arms are {[*study.arms]}"
        )
    for name, arm in study.arms.items():
        if arm.tune is not None and not arm.model.startswith("local:"):
            faults.append(
                f"arms.{name}.tune: {arm.model!r} cannot be trained, only local models can; "
                "train elsewhere and name the served model"
            )
        faults += [*_tuned_faults(name, arm), *_hosted_faults(name, arm)]
        if arm.retrieve is not None:
            faults += [f"arms.{name}.retrieve.{fault}" for fault in arm.retrieve.faults()]
        if arm.prompt is not None and arm.instructions is not None:
            faults.append(
                f"arms.{name}: `instructions` and `prompt`; the file holds instructions, leave "
                "one of them out"
            )
        if arm.search is not None and arm.tune is not None:
            faults.append(f"arms.{name}: `search` and `tune` in one arm; make two arms")
        if arm.search is not None:
            told = searching.faults(
                arm.search, retrieves=arm.retrieve is not None, repeats=study.repeats
            )
            faults += [f"arms.{name}.{fault}" for fault in told]
        if arm.tune is not None:
            faults += [f"arms.{name}.tune.{fault}" for fault in arm.tune.faults()]
    return faults


def _tuned_faults(name: str, arm: ArmPlan) -> list[str]:
    """What is wrong with a model that was tuned elsewhere."""
    if arm.tuned is None:
        return []
    faults = [f"arms.{name}.tuned.{fault}" for fault in arm.tuned.faults(arm.model)]
    if arm.tuned.base is not None:
        unknown = model_faults(arm.tuned.base, Sampling())
        faults += [f"arms.{name}.tuned.base: {fault}" for fault in unknown]
    faults += [
        f"arms.{name}: `{other}` and `tuned` in one arm; make two arms"
        for other, given in (
            ("search", arm.search),
            ("tune", arm.tune),
            ("hosted", arm.hosted),
        )
        if given is not None
    ]
    return faults


def _hosted_faults(name: str, arm: ArmPlan) -> list[str]:
    """What is wrong with a training by a host."""
    if arm.hosted is None:
        return []
    faults = [f"arms.{name}.hosted.{fault}" for fault in arm.hosted.faults(arm.model)]
    faults += [
        f"arms.{name}: `{other}` and `hosted` in one arm; make two arms"
        for other, given in (("search", arm.search), ("tune", arm.tune))
        if given is not None
    ]
    return faults


def _decide_faults(study: Study, built: Sequence[Metric], known: Sequence[str]) -> list[str]:
    plan, judged = study.decide, [metric.name for metric in built]
    faults = [
        f"arms.{name}.search.metric: {_unknown(arm.search.metric, judged)}"
        for name, arm in study.arms.items()
        if arm.search is not None and arm.search.metric not in (None, *judged)
    ]
    if plan.primary not in judged:
        faults.append(f"decide.primary: {_unknown(plan.primary, judged)}")
    if not plan.worthwhile >= 0:
        faults.append(f"decide.worthwhile: found {plan.worthwhile!r}, expected 0 or more")
    if not 0 < plan.alpha < 0.5:
        faults.append(f"decide.alpha: found {plan.alpha!r}, expected a number between 0 and 0.5")
    if len(plan.economy) > 1:
        faults.append(f"decide.economy: found {[*plan.economy]}, expected one quantity")
    for what, factor in plan.economy.items():
        if what not in MEASURED or what not in known:
            named = [name for name in known if name in MEASURED]
            faults.append(f"decide.economy: {_unknown(what, named)}")
        if not factor > 1:
            faults.append(f"decide.economy.{what}: found {factor!r}, expected a factor above 1")
    if plan.adjust and study.data.cases is None:
        faults.append(
            "decide.adjust: needs the cases that eval was drawn from; give one file to be split "
            "as `data.cases`, or leave it out"
        )
    if plan.adjust and plan.primary in [one.name for one in built if one.scale.whole]:
        faults.append(
            f"decide.adjust: {plan.primary!r} is a figure of the whole run and no mean that could "
            "be adjusted; leave `adjust` out, or name a primary of single answers"
        )
    if plan.looks and (len(plan.looks) < 2 or sorted({*plan.looks, 1})[1:] != [*plan.looks]):
        faults.append(
            f"decide.looks: found {[*plan.looks]}, expected two or more numbers of eval cases that "
            "increase, such as [100, 200]"
        )
    if study.repeats < 1:
        faults.append(f"repeats: found {study.repeats!r}, expected 1 or more")
    return faults


def _guardrail_faults(study: Study, built: Sequence[Metric], known: Sequence[str]) -> list[str]:
    plan, sets = study.decide, ["eval", *study.data.sets]
    binary = {metric.name for metric in built if metric.scale.binary}
    whole_run = {metric.name for metric in built if metric.scale.whole}
    faults = []
    for name, margin in plan.guardrails.items():
        what, of, where = parts(name)
        if name in SAFETY:
            if study.redteam is None:
                faults.append(f"decide.guardrails.{name}: needs a red team; add `redteam: {{}}`")
        elif what not in QUANTITIES and what not in known:
            faults.append(f"decide.guardrails: {_unknown(what, [*known, *QUANTITIES])}")
        if of and of not in known:
            faults.append(f"decide.guardrails.{name}: {_unknown(of, known)}")
        if what == "drop":
            faults += [f"decide.guardrails.{name}: {fault}" for fault in _drop_faults(study, where)]
        elif where and where not in sets:
            faults.append(f"decide.guardrails.{name}: {_unknown(where, sets)}")
        if (what == "spread" or what in MEASURED) and not margin > 1:
            faults.append(f"decide.guardrails.{name}: found {margin!r}, expected a factor above 1")
        elif not margin >= 0:
            faults.append(f"decide.guardrails.{name}: found {margin!r}, expected 0 or more")
        if what == "instability" and study.repeats < 2:
            faults.append("decide.guardrails.instability: needs `repeats` of 2 or more")
        if what in QUANTITIES and (of or plan.primary) in whole_run:
            faults.append(
                f"decide.guardrails.{name}: {of or plan.primary!r} is a figure of the whole run "
                f"and has no {what}; name a metric of single answers: {what}(NAME)"
            )
        if what in ("spread", "worst_tenth") and (of or plan.primary) in binary:
            faults.append(
                f"decide.guardrails.{name}: {of or plan.primary!r} is 0 or 1, so this follows "
                f"from its mean and tells no reliability; name a graded metric: {what}(NAME)"
            )
    return faults


def _claim_faults(study: Study, judged: Sequence[str]) -> list[str]:
    known = [*judged, *(name for name in study.metrics if name in MEASURED)]
    sets = ["eval", *study.data.sets]
    faults = []
    for claim, names in study.claims.items():
        for name in names:
            metric, _, where = name.partition("/")[0].partition("@")
            if metric not in known:
                faults.append(f"claims.{claim}: {_unknown(metric, known)}")
            if where and where not in sets:
                faults.append(f"claims.{claim}: {_unknown(where, sets)}")
    return faults


def _facts_faults(study: Study, made: Sequence[Metric]) -> list[str]:
    plan = study.facts
    if plan is None:
        return []
    scales = {metric.name: metric.scale for metric in made}
    named = plan.metrics or (study.decide.primary,)
    whole_run = [name for name in named if name in scales and scales[name].whole]
    return [
        *(f"facts.{fault}" for fault in plan.faults()),
        *(
            f"facts.metrics: {_unknown(name, [*scales])}"
            for name in plan.metrics
            if name not in scales
        ),
        *(
            f"facts.metrics: {name!r} is a figure of the whole run and of no single case; name a "
            "metric of single answers"
            for name in whole_run
        ),
    ]


def _stress_faults(study: Study) -> list[str]:
    plan = study.stress
    if plan is None:
        return []
    faults = [f"stress.{fault}" for fault in plan.faults()]
    faults += [
        f"stress.perturbations: {name!r} is the name of a set; give the perturbation another "
        "`name:`"
        for name in plan.names
        if name in ("train", "dev", "eval", *study.data.sets)
    ]
    if plan.writer is not None:
        told = model_faults(plan.writer, Sampling())
        faults += [f"stress.writer: {plan.writer!r}: {fault}" for fault in told]
    return faults


def _drop_faults(study: Study, where: str) -> list[str]:
    if study.stress is None and not where:
        return ["needs `stress` with perturbations, under which arms can drop, or a set: drop@SET"]
    known = [*(study.stress.names if study.stress else ()), *study.data.sets]
    return [_unknown(where, known)] if where and where not in known else []


def _unknown(name: str | None, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name or "", known, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"{name!r} is not among {[*known]}{meant}"


def built(study: Study, folder: Path) -> tuple[tuple[Metric, ...], list[str]]:
    """The study's judged metrics, and what is wrong with those that cannot be built."""
    made: list[Metric] = []
    faults: list[str] = []
    for position, entry in enumerate(study.metrics):
        if entry in MEASURED:
            continue
        try:
            made.append(registry.build(entry, folder=folder))
        except StudyError as error:
            faults += [f"metrics[{position}]: {fault}" for fault in error.faults]
        except MissingExtra as error:
            faults.append(f"metrics[{position}]: {error}")
    names = [metric.name for metric in made]
    for name in sorted({name for name in names if names.count(name) > 1}):
        faults.append(f"metrics: {name!r} stands there twice; give one of them another `name:`")
    return tuple(made), faults
