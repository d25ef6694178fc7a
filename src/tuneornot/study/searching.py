"""What is wrong with the plan of a prompt search, as far as it shows without opening a model."""

from __future__ import annotations

import importlib.util

from tuneornot.errors import MissingExtra
from tuneornot.models import registry
from tuneornot.records import Sampling
from tuneornot.study.plans import SearchPlan


def faults(plan: SearchPlan, *, retrieves: bool, repeats: int) -> list[str]:
    """A sentence for each fault, with its place in the arm.

    Args:
        plan: the search.
        retrieves: whether its arm looks something up.
        repeats: answers to every case, of the study.
    """
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
    if "retrieval" in plan.vary and not retrieves:
        found.append(
            "search.vary: retrieval needs something that can be looked up or not; give the arm "
            "`retrieve`, or leave it out"
        )
    if "sampling" in plan.vary and repeats < 2:
        found.append(
            f"search.vary: sampling draws answers at random, and repeats: {repeats!r} does not "
            "tell how they vary; give `repeats` of 2 or more, or leave it out"
        )
    if plan.by != "race" and importlib.util.find_spec(plan.by) is None:
        found.append(f"search.by: {MissingExtra(plan.by, plan.by)}")
    if plan.by == "gepa" and plan.writer is None:
        found.append(
            "search.by: gepa evolves instructions with another model, and there is none; name one "
            "as `writer`, or leave it out"
        )
    return found
