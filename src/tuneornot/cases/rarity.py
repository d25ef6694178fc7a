"""How rare what a case asks for is: how often train teaches it, or a number that a column holds.

A fact that training showed often is easier than one that it showed once or never: the long tail.
Cases are put in bands by their count, the rarest first; cases of one count stay together. It reads
no file and knows no scores.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tuneornot import fingerprint
from tuneornot.records import BandName, Case, Json, Record

N_BANDS = 3
NAMES: tuple[BandName, ...] = ("rare", "middle", "common")


class FactsPlan(Record, frozen=True, kw_only=True):
    """What makes a case rare, for accuracy by rarity beside the verdict."""

    count: str | None = None
    """``expected``, ``expected.KEY``, ``slice`` or ``group``: how many train cases share it."""
    column: str | None = None
    """Or a column of the cases' file that holds a number; the less, the rarer."""
    metrics: tuple[str, ...] = ()
    """What is told for each band; the primary where none is named."""

    def faults(self) -> list[str]:
        """A sentence for everything that is wrong, field first."""
        if (self.count is None) == (self.column is None):
            return ["count: give either `count` or `column`"]
        if self.count is not None and not _is_countable(self.count):
            return [f"count: found {self.count!r}, expected expected, expected.KEY, slice or group"]
        return []


def counts(cases: Sequence[Case], train: Sequence[Case], what: str) -> dict[str, float]:
    """For each case how many train cases share what it has; cases that have nothing are left out.

    Args:
        cases: those to be counted for.
        train: what was taught.
        what: as ``FactsPlan.count``.
    """
    taught = Counter(mark for case in train if (mark := _mark(case, what)) is not None)
    return {
        case.id: float(taught[mark]) for case in cases if (mark := _mark(case, what)) is not None
    }


def bands(rarity: Mapping[str, float]) -> dict[BandName, tuple[str, ...]]:
    """Case ids in up to three bands of about the same size, rarest first; equal counts together."""
    ordered = sorted(rarity.values())
    if not ordered:
        return {}
    n = len(ordered)
    ends = [ordered[max(0, round(n * k / N_BANDS) - 1)] for k in range(1, N_BANDS)]
    found: dict[BandName, list[str]] = {name: [] for name in NAMES}
    for case_id, value in rarity.items():
        found[NAMES[sum(value > end for end in ends)]].append(case_id)
    return {name: tuple(ids) for name, ids in found.items() if ids}


def _is_countable(what: str) -> bool:
    return what in ("expected", "slice", "group") or (
        what.startswith("expected.") and len(what) > len("expected.")
    )


def _mark(case: Case, what: str) -> str | None:
    """What is counted, as something that can be compared; ``None`` where the case has none."""
    field, _, path = what.partition(".")
    found: Json = getattr(case, field)
    for key in path.split(".") if path else ():
        found = found.get(key) if isinstance(found, dict) else None
    return None if found is None else fingerprint.of(found)
