"""Money over the months from the inputs, and the volume at which two arms cost the same.

    once      = weeks x a week + labels x a label + a training
    again     = weeks again x a week + labels again x a label + a training
    n again   = times a year x months / 12 + whole lives of the base model before the last month
    fixed     = once + n again x again + months x hosting
    total     = fixed + months x calls x an answer
    volume    = (fixed of the candidate - fixed of the baseline) / (months x cheaper by),

where an answer of the candidate is cheaper by that much; 0 where its fixed part is less too, and
infinite where its answers are not cheaper: no volume makes up for it then.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tuneornot.economics.inputs import CALLS, LABEL, PARTS, WEEK, key
from tuneornot.economics.measured import Floats

Values = Mapping[str, Floats]
"""By input its value: one, or one for each draw."""

_EPSILON = 1e-9


def once(arm: str, values: Values) -> Floats:
    """Money until the arm stands."""
    part = _parts(arm, values)
    return part["weeks"] * values[WEEK] + part["labels"] * values[LABEL] + part["training"]


def per_month(arm: str, values: Values) -> Floats:
    """Money for a month's answers and hosting."""
    part = _parts(arm, values)
    return values[CALLS] * part["per_call"] + part["hosting"]


def fixed(arm: str, values: Values, months: int) -> Floats:
    """Money over the months that does not depend on the number of calls."""
    part = _parts(arm, values)
    again = (
        part["weeks_again"] * values[WEEK] + part["labels_again"] * values[LABEL] + part["training"]
    )
    n_again = part["per_year"] * months / 12
    if "life" in part:
        n_again = n_again + np.ceil(months / part["life"] - _EPSILON) - 1
    return once(arm, values) + n_again * again + months * part["hosting"]


def total(arm: str, values: Values, months: int) -> Floats:
    """Money over the months."""
    answers = months * values[CALLS] * values[key(arm, "per_call")]
    return fixed(arm, values, months) + answers


def volume(baseline: str, candidate: str, values: Values, months: int) -> Floats:
    """Calls a month from which on the candidate costs less than the baseline."""
    more = fixed(candidate, values, months) - fixed(baseline, values, months)
    first, second = (values[key(arm, "per_call")] for arm in (baseline, candidate))
    # Answers of one price differ by rounding, which would make volumes of any size.
    cheaper = np.where(np.isclose(first, second, rtol=_EPSILON, atol=0.0), 0.0, first - second)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(cheaper > 0, np.maximum(more, 0.0) / (months * cheaper), np.inf)
    return found


def _parts(arm: str, values: Values) -> dict[str, Floats]:
    """The arm's own inputs by field; without those that it does not have."""
    zero = np.zeros(())
    given = {part: values[key(arm, part)] for part in PARTS if key(arm, part) in values}
    return {**{part: zero for part in PARTS if part != "life"}, **given}
