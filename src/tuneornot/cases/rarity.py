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
_NAMES: tuple[tuple[BandName, ...], ...] = (("middle",), ("rare", "common"), NAMES)
"""By how often the cases are cut."""


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
    """Case ids in up to three bands, rarest first; equal counts together.

    The cuts are those that come nearest to thirds, so that a few rare cases among many of one
    count are a band of their own. Two bands are rare and common; a single one is the middle.
    """
    ordered = sorted(rarity.values())
    n = len(ordered)
    steps = [place for place in range(1, n) if ordered[place - 1] < ordered[place]]
    thirds = [n * k / N_BANDS for k in range(1, N_BANDS) if steps]
    cuts = {min(steps, key=lambda place: abs(place - third)) for third in thirds}
    names = _NAMES[len(cuts)]
    found: dict[BandName, list[str]] = {name: [] for name in names}
    for case_id, value in rarity.items():
        found[names[sum(value >= ordered[cut] for cut in cuts)]].append(case_id)
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
