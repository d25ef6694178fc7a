"""What a study asks of its arms: the rule of the verdict, and how each arm is sampled."""

from __future__ import annotations

from typing import get_args

from tuneornot.metrics import registry
from tuneornot.models import sampling as asked
from tuneornot.records import POOLED, SAFETY, Economy, Guardrail, Quantity, Rule, Sampling
from tuneornot.study.plans import DecidePlan, Study

QUANTITIES: dict[str, Quantity] = {
    "spread": "spread",
    "instability": "instability",
    "worst_tenth": "worst_tenth",
    "catastrophic": "catastrophic",
    "drop": "drop",
}
"""Guardrails that are not metrics: quantities of the primary metric's distribution."""

MEASURED = tuple(registry.OBSERVED)
"""Metrics that are measured with every answer instead of judged; compared as ratios."""


def rests_on_cost(study: Study) -> bool:
    """Whether the verdict's rule asks what an answer costs."""
    plan = study.decide
    return "cost" in plan.economy or any("cost" in parts(name)[:2] for name in plan.guardrails)


def sampling(study: Study, arm: str) -> Sampling:
    """How an arm is sampled: as the study says, with the arm's own fields in place."""
    return asked.merged(study.sampling, study.arms[arm].sampling)


def kinds(study: Study) -> dict[str, str]:
    """By a metric's name in this study the metric that it is, as the reference calls it."""
    found = {}
    for entry in study.metrics:
        if isinstance(entry, str):
            found[entry] = entry
        else:
            for kind, settings in entry.items():
                found[str((settings or {}).get("name", kind))] = kind
    return found


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
    what, of, where = parts(name)
    quantity: Quantity = QUANTITIES.get(what, "ratio" if what in MEASURED else "mean")
    metric = of or (plan.primary if what in QUANTITIES else what)
    usual = POOLED if what == "drop" else SAFETY.get(metric, "eval")
    return Guardrail(metric=metric, dataset=where or usual, quantity=quantity, margin=margin)


def parts(name: str) -> tuple[str, str, str]:
    """``quantity(metric)@set`` in three parts, absent ones empty."""
    what, _, where = name.partition("@")
    quantity, bracket, of = what.partition("(")
    return quantity, of.removesuffix(")") if bracket else "", where


assert set(QUANTITIES.values()) <= set(get_args(Quantity))
