"""Which cases of a file are held out: those of a slice, or of a range of a column such as a date.

Held-out cases teach nothing and judge apart, as an evaluation set of their own: how an arm does on
what it has not seen the like of. Values are compared as numbers where the bounds are numbers, else
as texts, which puts dates in order if they are written year first. It reads no file.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tuneornot import fingerprint
from tuneornot.records import Case, Json, Record

Bound = str | int | float


class HoldOut(Record, frozen=True, kw_only=True):
    """One set of held-out cases; every condition that is given has to hold."""

    slice: str | None = None
    column: str | None = None
    """A column of the cases' file; dots lead into nested ones."""
    start: Bound | None = msgspec.field(default=None, name="from")
    """The least value that is held out."""
    until: Bound | None = None
    """The least value that no longer is."""
    cases: int | None = None
    """So many of them judge; the others are left out. All where it is not given."""

    def faults(self) -> list[str]:
        """A sentence for everything that is wrong, field first."""
        faults = []
        bounds = [bound for bound in (self.start, self.until) if bound is not None]
        if self.slice is None and self.column is None:
            faults.append("slice: missing; name a `slice`, or a `column` with `from` or `until`")
        if self.column is not None and not bounds:
            faults.append("from: missing; say which values of the column are held out")
        if self.column is None and bounds:
            faults.append("column: missing; `from` and `until` are values of a column")
        if len({isinstance(bound, str) for bound in bounds}) > 1:
            faults.append(f"until: found {self.until!r}, expected the same kind as `from`")
        if self.cases is not None and self.cases < 2:
            faults.append(f"cases: found {self.cases!r}, expected 2 or more")
        return faults

    def holds(self, case: Case, value: Json) -> bool:
        """Whether a case is held out, by its slice and its value in the column."""
        if self.slice is not None and case.slice != self.slice:
            return False
        if self.column is None:
            return True
        at_least = self.start is None or _below(self.start, value) is False
        return at_least and (self.until is None or _below(self.until, value) is True)


def drawn(cases: Sequence[Case], n: int | None, seed: int) -> tuple[Case, ...]:
    """At most n of the cases, in their order; the same ones whatever that order is."""
    ranked = sorted(cases, key=lambda case: fingerprint.of([seed, case.id]))
    taken = {case.id for case in (ranked if n is None else ranked[:n])}
    return tuple(case for case in cases if case.id in taken)


def _below(bound: Bound, value: Json) -> bool | None:
    """Whether a value lies below a bound; ``None`` where it cannot be compared."""
    if isinstance(bound, str):
        return value < bound if isinstance(value, str) else None
    try:
        number = float(value) if isinstance(value, str | int | float) else None
    except ValueError:
        return None
    return None if number is None else number < bound
