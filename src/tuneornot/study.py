"""The plan of a study, written before the data: cases, arms, metrics, margins, budgets.

``study.read(path)`` reads ``study.yaml``, tells every fault at once, and returns a frozen ``Study``
whose fingerprint is the pre-registration. It opens no model, reads no cases and decides nothing;
whether a model or a file exists is found out by ``check``.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import msgspec

from tuneornot.budget import Budget, price_faults
from tuneornot.errors import MissingExtra, StudyError
from tuneornot.formats import form
from tuneornot.metrics import confidence, registry
from tuneornot.metrics.base import Metric
from tuneornot.metrics.judges import planned
from tuneornot.metrics.judges.base import judges
from tuneornot.models import sampling as asked
from tuneornot.records import (
    Covariate,
    Economy,
    Guardrail,
    Json,
    Quantity,
    Record,
    Rule,
    Sampling,
)
from tuneornot.retrieval.plan import RetrievePlan
from tuneornot.training.recipe import Recipe

QUANTITIES: dict[str, Quantity] = {
    "spread": "spread",
    "instability": "instability",
    "worst_tenth": "worst_tenth",
    "catastrophic": "catastrophic",
}
"""Guardrails that are not metrics: quantities of the primary metric's distribution."""

MEASURED = tuple(registry.OBSERVED)
"""Metrics that are measured with every answer instead of judged; compared as ratios."""


class SplitPlan(Record, frozen=True, kw_only=True):
    """How cases are divided: counts, or shares below 1."""

    eval: int | float = 100
    dev: int | float = 60
    train: int | float | None = None
    """``None``: all that remain."""
    by: Literal["case", "group"] = "case"
    seed: int = 0


class DataPlan(Record, frozen=True, kw_only=True):
    """Where the cases are: one file to be split, or three files that are split already."""

    cases: str | None = None
    train: str | None = None
    dev: str | None = None
    eval: str | None = None
    more: tuple[str, ...] = ()
    """Files of further eval cases, collected after a verdict: each was added to eval as a whole."""
    extra: dict[str, str] = {}
    """Further evaluation sets: name to file."""
    fields: dict[str, str] = {}
    """Case field to column, where the names differ."""
    split: SplitPlan = SplitPlan()


class SearchPlan(Record, frozen=True, kw_only=True):
    """The budget for engineering a prompt; at least one of minutes and calls."""

    minutes: float | None = None
    calls: int | None = None
    metric: str | None = None
    """What prompts are raced by; the primary where it is left out. A graded metric tells more from
    few dev cases than one that is almost always 0."""
    seed: int = 0


class TunePlan(Recipe, frozen=True, kw_only=True):
    """How an arm is trained: a recipe, and one adapter for each seed."""

    seeds: tuple[int, ...] = (1,)

    @property
    def recipe(self) -> Recipe:
        """The recipe without the seeds."""
        return Recipe(**{name: getattr(self, name) for name in Recipe.__struct_fields__})


class ArmPlan(Record, frozen=True, kw_only=True):
    """One arm as the study wants it."""

    model: str
    instructions: str | None = None
    """What the model is told; the study's task where it is left out."""
    sampling: dict[str, Json] = {}
    """Fields of the study's sampling that are different for this arm."""
    search: SearchPlan | None = None
    tune: TunePlan | None = None
    retrieve: RetrievePlan | None = None


class DecidePlan(Record, frozen=True, kw_only=True):
    """The rule of the verdict, as the user writes it."""

    primary: str
    worthwhile: float
    baseline: str | None = None
    """Name of the arm to beat; the first arm that is not tuned where it is left out."""
    guardrails: dict[str, float] = {}
    """``metric``, or a quantity of the primary or of another metric (``spread``,
    ``worst_tenth(field_match)``), each optionally ``@set``, to the largest tolerated loss (a
    factor for ``spread`` and measured quantities)."""
    equivalent: float | None = None
    economy: dict[str, float] = {}
    """``{latency: 3}``: at least three times less than the baseline."""
    alpha: float = 0.05
    adjust: tuple[Covariate, ...] = ()
    """What is known of a case before anybody answers, to adjust the primary's difference for how
    the eval cases differ from all cases of the file that they were drawn from."""
    looks: tuple[int, ...] = ()
    """``[100, 200, 400]``: numbers of eval cases at which a verdict may be asked for; the error
    rate is shared among them. Empty: one look, at whatever number of cases."""


class Study(Record, frozen=True, kw_only=True):
    """The whole plan."""

    study: str
    task: str
    data: DataPlan
    arms: dict[str, ArmPlan]
    metrics: tuple[str | dict[str, dict[str, Json]], ...]
    decide: DecidePlan
    sampling: Sampling = Sampling()
    repeats: int = 1
    timed: int = 12
    """Eval cases asked one at a time for latency, where it is among the metrics."""
    prices: str | None = None
    """The price file."""
    budget: Budget = Budget()

    @property
    def baseline(self) -> str:
        """Name of the baseline arm."""
        if self.decide.baseline is not None:
            return self.decide.baseline
        return next(name for name, arm in self.arms.items() if arm.tune is None)

    @property
    def candidates(self) -> tuple[str, ...]:
        """Names of the other arms, in the study's order."""
        return tuple(name for name in self.arms if name != self.baseline)


def read(path: Path) -> Study:
    """Read and check a study file.

    Raises:
        StudyError: every fault that can be seen without opening a model or a file of cases.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise StudyError(
            str(path),
            [f"cannot be read: {reason}"],
            "Give the path of a study file; `tuneornot init legal-citations DIR` makes one.",
        ) from error
    return parse(text, source=str(path), folder=path.parent)


def parse(text: str, *, source: str = "study", folder: Path = Path()) -> Study:
    """Like ``read``, from the file's text; ``folder`` is where its relative paths start."""
    try:
        raw = msgspec.yaml.decode(text.encode("utf-8", "surrogatepass"))
    except msgspec.DecodeError as error:
        fault = f"is not YAML: {' '.join(str(error).split())}"
        raise StudyError(source, [fault], "Mend the syntax and run the command again.") from error
    faults: list[str] = []
    study = form.gather(Study, raw, faults)
    if study is not None:
        faults += _contradictions(study, folder)
    if faults or study is None:
        raise StudyError(source, faults, "docs/reference/study.md explains every field.")
    return study


def text(study: Study) -> str:
    """A study as it is fingerprinted and kept: its fields in one order, as YAML.

    Without the budget and the name of the price file: neither changes what is claimed, so that more
    may be spent under the same plan.
    """
    fields = msgspec.to_builtins(study)
    return msgspec.yaml.encode(
        {name: value for name, value in fields.items() if name not in ("budget", "prices")}
    ).decode()


def grown(then: str, now: str) -> bool:
    """Whether one text of a study is another one with other further eval cases."""
    plans = [msgspec.yaml.decode(each) for each in (then, now)]
    for plan in plans:
        plan["data"].pop("more", None)
    return then != now and bool(plans[0] == plans[1])


def metrics(study: Study, folder: Path = Path()) -> tuple[Metric, ...]:
    """The study's judged metrics, built; measured quantities are left out.

    Raises:
        StudyError: an entry cannot be built.
    """
    built, faults = _built(study, folder)
    if faults:
        raise StudyError("metrics", faults)
    return built


def rests_on_cost(study: Study) -> bool:
    """Whether the verdict's rule asks what an answer costs."""
    plan = study.decide
    return "cost" in plan.economy or any("cost" in _parts(name)[:2] for name in plan.guardrails)


def sampling(study: Study, arm: str) -> Sampling:
    """How an arm is sampled: as the study says, with the arm's own fields in place."""
    return asked.merged(study.sampling, study.arms[arm].sampling)


def rule(study: Study) -> Rule:
    """The verdict's rule with every guardrail resolved to a metric, a set and a quantity."""
    plan = study.decide
    economy = [Economy(metric=metric, factor=factor) for metric, factor in plan.economy.items()]
    return Rule(
        primary=plan.primary,
        worthwhile=plan.worthwhile,
        guardrails=tuple(_guardrail(name, value, plan) for name, value in plan.guardrails.items()),
        equivalent=plan.worthwhile if economy and plan.equivalent is None else plan.equivalent,
        economy=economy[0] if economy else None,
        alpha=plan.alpha,
        adjust=plan.adjust,
        looks=plan.looks,
    )


def _guardrail(name: str, margin: float, plan: DecidePlan) -> Guardrail:
    what, of, where = _parts(name)
    quantity: Quantity = QUANTITIES.get(what, "ratio" if what in MEASURED else "mean")
    metric = of or (plan.primary if what in QUANTITIES else what)
    return Guardrail(metric=metric, dataset=where or "eval", quantity=quantity, margin=margin)


def _parts(name: str) -> tuple[str, str, str]:
    """``quantity(metric)@set`` in three parts, absent ones empty."""
    what, _, where = name.partition("@")
    quantity, bracket, of = what.partition("(")
    return quantity, of.removesuffix(")") if bracket else "", where


def _built(study: Study, folder: Path) -> tuple[tuple[Metric, ...], list[str]]:
    built: list[Metric] = []
    faults: list[str] = []
    for position, entry in enumerate(study.metrics):
        if entry in MEASURED:
            continue
        try:
            built.append(registry.build(entry, folder=folder))
        except StudyError as error:
            faults += [f"metrics[{position}]: {fault}" for fault in error.faults]
        except MissingExtra as error:
            faults.append(f"metrics[{position}]: {error}")
    names = [metric.name for metric in built]
    for name in sorted({name for name in names if names.count(name) > 1}):
        faults.append(f"metrics: {name!r} stands there twice; give one of them another `name:`")
    return tuple(built), faults


def _contradictions(study: Study, folder: Path) -> list[str]:
    built, faults = _built(study, folder)
    if not faults:
        named = [entry for entry in study.metrics if isinstance(entry, str) and entry in MEASURED]
        faults += _decide_faults(study, built, [metric.name for metric in built] + named)
        faults += _guardrail_faults(study, built, [metric.name for metric in built] + named)
        faults += _judge_faults(study, built)
    faults += [*_data_faults(study.data), *_arm_faults(study)]
    models = {name: (arm.model, arm.sampling) for name, arm in study.arms.items()}
    unsampled = asked.arm_faults(study.sampling, models)
    if not unsampled:
        faults += confidence.faults(built, {name: sampling(study, name) for name in study.arms})
    faults += unsampled
    return [*faults, *study.budget.faults(), *_price_faults(study, folder, built)]


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
    # A budget in money pays the judges too; the cost of an answer is its arm's alone.
    models += judges(built) if study.budget.money is not None else ()
    return price_faults(study.prices, folder, needs=needs, models=models)


def _data_faults(data: DataPlan) -> list[str]:
    given = [name for name in ("train", "dev", "eval") if getattr(data, name) is not None]
    faults = []
    if (data.cases is None) == (not given):
        faults.append("data: give either `cases` (one file to split) or `train`, `dev` and `eval`")
    elif given and len(given) < 3:
        faults.append(f"data: `train`, `dev` and `eval` belong together; found only {given}")
    for name in data.extra:
        if name in ("train", "dev", "eval", "demonstrations"):
            faults.append(f"data.extra: {name!r} is the name of a split; choose another")
    for part in ("eval", "dev", "train"):
        value = getattr(data.split, part)
        if value is not None and (value <= 0 or (value != int(value) and value >= 1)):
            faults.append(
                f"data.split.{part}: found {value!r}, expected a number of cases or a share below 1"
            )
    return faults


def _arm_faults(study: Study) -> list[str]:
    faults = []
    plain = [name for name, arm in study.arms.items() if arm.tune is None]
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
        if arm.retrieve is not None:
            faults += [f"arms.{name}.retrieve.{fault}" for fault in arm.retrieve.faults()]
        if arm.search is not None and arm.tune is not None:
            faults.append(f"arms.{name}: `search` and `tune` in one arm; make two arms")
        if arm.search is not None and arm.search.minutes is None and arm.search.calls is None:
            faults.append(f"arms.{name}.search: no budget; give `minutes` or `calls`")
        for budget in ("minutes", "calls"):
            value = getattr(arm.search, budget) if arm.search else None
            if value is not None and value <= 0:
                faults.append(f"arms.{name}.search.{budget}: found {value!r}, expected more than 0")
        seeds = arm.tune.seeds if arm.tune is not None else (0,)
        if not seeds or len(set(seeds)) < len(seeds):
            faults.append(
                f"arms.{name}.tune.seeds: found {[*seeds]}, expected some, each of them once"
            )
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
    if plan.looks and (len(plan.looks) < 2 or sorted({*plan.looks, 1})[1:] != [*plan.looks]):
        faults.append(
            f"decide.looks: found {[*plan.looks]}, expected two or more numbers of eval cases that "
            "increase, such as [100, 200]"
        )
    if study.repeats < 1:
        faults.append(f"repeats: found {study.repeats!r}, expected 1 or more")
    return faults


def _guardrail_faults(study: Study, built: Sequence[Metric], known: Sequence[str]) -> list[str]:
    plan, sets = study.decide, ["eval", *study.data.extra]
    binary = {metric.name for metric in built if metric.scale.binary}
    faults = []
    for name, margin in plan.guardrails.items():
        what, of, where = _parts(name)
        if what not in QUANTITIES and what not in known:
            faults.append(f"decide.guardrails: {_unknown(what, [*known, *QUANTITIES])}")
        if of and of not in known:
            faults.append(f"decide.guardrails.{name}: {_unknown(of, known)}")
        if where and where not in sets:
            faults.append(f"decide.guardrails.{name}: {_unknown(where, sets)}")
        if (what == "spread" or what in MEASURED) and not margin > 1:
            faults.append(f"decide.guardrails.{name}: found {margin!r}, expected a factor above 1")
        elif not margin >= 0:
            faults.append(f"decide.guardrails.{name}: found {margin!r}, expected 0 or more")
        if what == "instability" and study.repeats < 2:
            faults.append("decide.guardrails.instability: needs `repeats` of 2 or more")
        if what in ("spread", "worst_tenth") and (of or plan.primary) in binary:
            faults.append(
                f"decide.guardrails.{name}: {of or plan.primary!r} is 0 or 1, so this follows "
                f"from its mean and tells no reliability; name a graded metric: {what}(NAME)"
            )
    return faults


def _unknown(name: str | None, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name or "", known, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"{name!r} is not among {[*known]}{meant}"


assert set(QUANTITIES.values()) <= set(get_args(Quantity))
