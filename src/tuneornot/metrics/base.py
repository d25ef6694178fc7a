"""The seam between an answer and its judgement.

A metric judges one response to one case. It sees only responses that have a text: a failed call is
scored ``None`` with the call's error by ``measure`` before any metric is asked.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from tuneornot.records import Case, Json, Response, Scale


class Mark(NamedTuple):
    """A metric's judgement: a value, or ``None`` with the reason."""

    value: float | None
    reason: str | None = None


class Metric(Protocol):
    """How one answer is judged."""

    name: str
    """As the study names it; unique within a study."""
    scale: Scale

    def settings(self) -> dict[str, Json]:
        """What determines its values besides its name, for its fingerprint."""
        ...

    def score(self, case: Case, response: Response) -> Mark:
        """Judge the text of a response. Never raises on what a model may write."""
        ...
