"""What a study writes under `redteam`, and what can be wrong with it.

It reads no suite (``suite.of`` does) and opens no judge.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from tuneornot.attacks import techniques
from tuneornot.attacks.behaviours import CATEGORIES
from tuneornot.records import Record

SIZES = {"small": 1, "default": 3, "full": len(techniques.NAMES)}
"""Names of the shipped suite, and in how many ways each of its requests is put."""
KINDS = (".jsonl", ".csv", ".parquet", ".txt", ".yaml", ".yml", ".prompt", ".json")
"""Endings of files that hold a suite."""


class JudgePlan(Record, frozen=True, kw_only=True):
    """Who says whether an answer does what it was asked for, beside the rules."""

    model: str
    max_tokens: int = 256


class RedteamPlan(Record, frozen=True, kw_only=True):
    """What every arm is attacked with, and who judges the answers."""

    suite: str | tuple[str, ...] = "default"
    """``small``, ``default``, ``full``, or files; several in a list."""
    attacks: tuple[str, ...] = ()
    """Ways of putting each request; those of the suite's size where it is left out."""
    categories: tuple[str, ...] = ()
    """Only these; all where it is left out."""
    judge: JudgePlan | None = None
    max_tokens: int | None = None
    """Longest answer; as the arm's own sampling where it is left out."""

    @property
    def suites(self) -> tuple[str, ...]:
        """Names and files, in order."""
        return (self.suite,) if isinstance(self.suite, str) else self.suite

    def faults(self) -> list[str]:
        """A sentence for everything that is wrong, field first."""
        faults = []
        if not self.suites or len(set(self.suites)) < len(self.suites):
            faults.append(f"suite: found {[*self.suites]}, expected some, each of them once")
        if len(set(self.suites) & set(SIZES)) > 1:
            faults.append(f"suite: found {[*self.suites]}, expected one size of the shipped suite")
        for name in self.suites:
            if name not in SIZES and not name.lower().endswith(KINDS):
                faults.append(f"suite: {_unknown(name, [*SIZES])}; files end in {', '.join(KINDS)}")
        for name in self.attacks:
            if name not in techniques.NAMES:
                faults.append(f"attacks: {_unknown(name, techniques.NAMES)}")
        if len(set(self.attacks)) < len(self.attacks):
            faults.append(f"attacks: found {[*self.attacks]}, expected each of them once")
        # Files may bring categories of their own.
        if set(self.suites) <= set(SIZES):
            faults += [
                f"categories: {_unknown(name, [*CATEGORIES])}"
                for name in self.categories
                if name not in CATEGORIES
            ]
        for where, value in (
            ("max_tokens", self.max_tokens),
            ("judge.max_tokens", self.judge.max_tokens if self.judge else None),
        ):
            if value is not None and value < 1:
                faults.append(f"{where}: found {value!r}, expected 1 or more")
        return faults


def _unknown(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"{name!r} is not among {[*known]}{meant}"
