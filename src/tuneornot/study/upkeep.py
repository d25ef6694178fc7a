"""What contradicts itself in a study's ``economics``."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from pathlib import Path

from tuneornot.budget import price_faults
from tuneornot.records import ArmCosts, EconomicsPlan, Range
from tuneornot.study.plans import Study


def faults(study: Study, folder: Path) -> list[str]:
    """A sentence for every fault; nothing where the study has no ``economics``."""
    plan = study.economics
    if plan is None:
        return []
    found = [*_range_faults(plan)]
    if plan.months < 1:
        found.append(f"economics.months: found {plan.months!r}, expected 1 or more")
    for name in plan.arms:
        if name not in study.arms:
            near = difflib.get_close_matches(name, [*study.arms], n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            found.append(f"economics.arms: {name!r} is not among {[*study.arms]}{meant}")
    if study.prices is None and plan.currency is None:
        found.append("economics.currency: missing; name it, or a price file with `prices: FILE`")
    if study.prices is not None and plan.currency is not None:
        found.append(
            f"economics.currency: the price file {study.prices!r} names the currency; "
            "leave it out here"
        )
    unpriced = [
        arm.model
        for name, arm in study.arms.items()
        if plan.arms.get(name, ArmCosts()).per_call is None
    ]
    needs = ["economics (or `per_call` for each arm)"] if unpriced else []
    return found + price_faults(study.prices, folder, needs=needs, models=unpriced)


def _range_faults(plan: EconomicsPlan) -> Iterator[str]:
    for name in ("calls_per_month", "week", "label"):
        yield from _range_fault(f"economics.{name}", getattr(plan, name), name)
    for arm, costs in plan.arms.items():
        for name in costs.__struct_fields__:
            yield from _range_fault(f"economics.arms.{arm}.{name}", getattr(costs, name), name)


def _range_fault(where: str, value: Range | None, name: str) -> Iterator[str]:
    if value is None:
        return
    least, most = value if isinstance(value, tuple) else (value, value)
    # No call and no month of life would divide by nothing.
    low_enough = least > 0 if name in ("calls_per_month", "life") else least >= 0
    if not (low_enough and least <= most < math.inf):
        wanted = "above 0" if name in ("calls_per_month", "life") else "of 0 or more"
        shown = f"[{least:g}, {most:g}]" if isinstance(value, tuple) else f"{value:g}"
        yield f"{where}: found {shown}, expected a number {wanted}, or [least, most] of such"
