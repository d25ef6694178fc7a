"""What is commonly said of fine-tuning, held against one study."""

from __future__ import annotations

from typing import Literal

from tuneornot.records.base import Record
from tuneornot.records.compared import Estimate

ClaimName = Literal["format", "terminology", "latency", "facts", "shift", "safety"]
State = Literal["confirmed", "contradicted", "open", "unmeasured"]


class Pointed(Record, frozen=True, kw_only=True):
    """One figure that speaks of a claim."""

    metric: str
    dataset: str
    slice: str | None = None
    what: Literal["mean", "ratio", "shift", "drop"] = "mean"
    """``shift``: the gain on another set less the gain on eval; ``drop``: what is lost on changed
    cases, less what the baseline loses."""
    estimate: Estimate
    """A difference, oriented so that positive is better for the candidate; or a ratio candidate /
    baseline."""
    p_holm: float | None = None
    """Two-sided, Holm-adjusted over the figures of its claim; ``None`` for a ratio."""


class Expectation(Record, frozen=True, kw_only=True):
    """One claim of what tuning does, and what this study says of it."""

    claim: ClaimName
    candidate: str
    state: State
    figures: tuple[Pointed, ...] = ()
