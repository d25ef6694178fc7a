"""What a study writes under an arm's `retrieve`, and what can be wrong with it.

It does not read the knowledge (``lookup.open`` does).
"""

from __future__ import annotations

import inspect

import msgspec

from tuneornot.records import Json, Record
from tuneornot.retrieval.bm25 import Bm25

MOST = 100
"""Passages that can be asked for; more would not be read by any model."""


class RetrievePlan(Record, frozen=True, kw_only=True):
    """Where passages come from, how they are found, and how many are shown."""

    knowledge: str | None = msgspec.field(default=None, name="from")
    """File of passages; a retriever of one's own may do without."""
    how: str = "bm25"
    """``bm25``, or ``module:function`` for a retriever of one's own."""
    top: int = 4
    """Passages for each question, best first."""
    settings: dict[str, Json] = {}
    """``k1`` and ``b`` of BM25; for a function its further arguments."""

    def faults(self) -> list[str]:
        """A sentence for everything that is wrong, field first."""
        faults = []
        if not 1 <= self.top <= MOST:
            faults.append(f"top: found {self.top!r}, expected a number from 1 to {MOST}")
        if self.how == "bm25":
            faults += self._bm25_faults()
        elif ":" not in self.how:
            faults.append(f"how: found {self.how!r}, expected bm25 or module:function")
        return faults

    def _bm25_faults(self) -> list[str]:
        faults = []
        if self.knowledge is None:
            faults.append("from: missing; name the file of passages")
        known = [name for name in inspect.signature(Bm25).parameters if name != "passages"]
        for name, value in self.settings.items():
            if name not in known:
                faults.append(f"settings.{name}: unknown setting; bm25 has {', '.join(known)}")
            elif not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
                faults.append(f"settings.{name}: found {value!r}, expected a number of 0 or more")
            elif name == "b" and value > 1:
                faults.append(f"settings.b: found {value!r}, expected a number from 0 to 1")
        return faults
