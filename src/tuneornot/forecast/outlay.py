"""What one step is expected to take, and all of them against the study's budget."""

from __future__ import annotations

from tuneornot.budget import Budget
from tuneornot.records import Record


class Outlay(Record, frozen=True, kw_only=True):
    """What is left of one step; ``None`` where nothing tells it."""

    step: str
    """As its phase is called."""
    arm: str
    model: str
    n_calls: int | None
    """Questions still to be asked."""
    n_known: int = 0
    """Those that are answered already."""
    n_input_tokens: float | None = None
    n_output_tokens: float | None = None
    minutes: float | None = None
    money: float | None = None
    at_most: bool = False
    """Whether the step may end earlier by itself."""
    basis: tuple[str, ...] = ()
    """What the figures rest on."""

    @property
    def n_tokens(self) -> float | None:
        """Read and written."""
        if self.n_input_tokens is None or self.n_output_tokens is None:
            return None
        return self.n_input_tokens + self.n_output_tokens


class Used(Record, frozen=True, kw_only=True):
    """What a budget counts."""

    calls: float | None
    tokens: float | None
    minutes: float | None
    money: float | None


class Forecast(Record, frozen=True, kw_only=True):
    """What a study will still take."""

    outlays: tuple[Outlay, ...]
    spent: Used
    """By all earlier commands; the minutes of this kind of budget begin anew."""
    total: Used
    """Of all outlays, ``None`` where one of them is not known."""
    budget: Budget
    currency: str = ""

    @property
    def short(self) -> dict[str, float]:
        """By name the limits that the study will reach, with what it will have used by its end."""
        found = {}
        for name, limit in self.budget.limits.items():
            total = getattr(self.total, name)
            if total is not None and total > 0 and getattr(self.spent, name) + total > limit:
                found[name] = getattr(self.spent, name) + total
        return found


def total(outlays: tuple[Outlay, ...], *, priced: bool) -> Used:
    """All outlays together."""
    return Used(
        calls=_sum([one.n_calls for one in outlays]),
        tokens=_sum([one.n_tokens for one in outlays]),
        minutes=_sum([one.minutes for one in outlays]),
        money=_sum([one.money for one in outlays]) if priced else None,
    )


def _sum(values: list[int | None] | list[float | None]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
