"""What a study writes under ``data.meaning``, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

from tuneornot.records import Record


class MeaningPlan(Record, frozen=True, kw_only=True):
    """By what paraphrases are found among what teaches."""

    embed: str
    """``module:function``, or a server's address, ``#`` and a model's name."""
    bound: float = 0.9
    """The least cosine of two questions that count as one. It depends on the embedding."""

    def faults(self) -> Iterator[str]:
        """A sentence for every fault, without the path before it."""
        served = self.embed.startswith(("http://", "https://"))
        if not served and not all(self.embed.partition(":")):
            yield (
                f"embed: found {self.embed!r}, expected `module:function` or the address of a "
                "server such as http://127.0.0.1:8000/v1#model-name"
            )
        if not 0 < self.bound <= 1:
            yield f"bound: found {self.bound!r}, expected a cosine above 0 and at most 1"
