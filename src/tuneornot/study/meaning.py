"""What a study writes under ``data.meaning``, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

from tuneornot.models import embedding
from tuneornot.records import Record


class MeaningPlan(Record, frozen=True, kw_only=True):
    """By what paraphrases are found among what teaches."""

    embed: str
    """``local:all-minilm-l6-v2``, ``module:function``, or ``http://HOST/v1#MODEL``."""
    bound: float = 0.85
    """The least cosine of two questions that count as one. It depends on the embedding: this one is
    measured for the embedded encoder (docs/concepts/cases.md)."""

    def faults(self) -> Iterator[str]:
        """A sentence for every fault, without the path before it."""
        if (wrong := embedding.fault(self.embed)) is not None:
            yield f"embed: {wrong}"
        if not 0 < self.bound <= 1:
            yield f"bound: found {self.bound!r}, expected a cosine above 0 and at most 1"
