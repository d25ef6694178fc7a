"""What is wrong with the plan of a prompt search, as far as it shows without opening a model."""

from __future__ import annotations

import importlib.util

from tuneornot.errors import MissingExtra
from tuneornot.models import registry
from tuneornot.records import Sampling
from tuneornot.study.plans import SearchPlan


def faults(plan: SearchPlan) -> list[str]:
    """A sentence for each fault, with its place in the arm."""
    found = []
    if plan.minutes is None and plan.calls is None:
        found.append("search: no budget; give `minutes` or `calls`")
    for name, value in (("minutes", plan.minutes), ("calls", plan.calls)):
        if value is not None and value <= 0:
            found.append(f"search.{name}: found {value!r}, expected more than 0")
    if plan.writer is not None:
        wrong = registry.faults(plan.writer, Sampling())
        found += [f"search.writer: {fault}" for fault in wrong]
    if plan.reasoning is not None and plan.reasoning < 0:
        found.append(f"search.reasoning: found {plan.reasoning!r}, expected 0 or more")
    if plan.by == "optuna" and importlib.util.find_spec("optuna") is None:
        found.append(f"search.by: {MissingExtra('optuna', 'optuna')}")
    return found
