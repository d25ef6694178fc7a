"""The metric of documents that must have certain parts, in a certain order.

It finds headings and clauses by their words, and does not read what stands under them.
"""

from __future__ import annotations

import bisect
import dataclasses
import re
from collections.abc import Iterator

from tuneornot.metrics.base import Mark, settings_of
from tuneornot.metrics.reference import fold
from tuneornot.records import Case, Json, Response, Scale

_NUMBER = re.compile(r"(?:\d+|[ivxlc]+|[a-z])(?:\.\d+)*\s*[.):]\s+", re.IGNORECASE)
_MARKS = re.compile(r"[\s#*_>=-]*")


@dataclasses.dataclass(kw_only=True)
class Sections:
    """Share of the required parts that the answer has, in the required order, from 0 to 1.

    A part is found where its words stand in the answer, whatever their case and punctuation
    (``headings: false``), or where a line consists of them, besides Markdown marks, a leading
    number and what follows a colon. The score is the length of the longest series of parts that
    stand in the required order, divided by the number of parts; with ``ordered: false`` the share
    that is there at all. Only as wide as its words: a heading phrased differently is missing.
    """

    sections: list[str]
    """The parts, in order."""
    name: str = "sections"
    headings: bool = True
    """A part is a line of its own; else its words may stand anywhere."""
    ordered: bool = True
    """The parts must stand in this order."""
    scale = Scale()

    def __post_init__(self) -> None:
        self._parts = [fold(part) for part in self.sections]
        if not self._parts or not all(self._parts):
            raise ValueError(
                f"sections must name the parts by their words, got {self.sections!r}; list them"
            )
        if len(set(self._parts)) < len(self._parts):
            raise ValueError(
                f"sections must differ in more than case and punctuation, got {self.sections!r}"
            )

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, "sections")

    def score(self, case: Case, response: Response) -> Mark:
        """The share; the reason names what is missing, or that the order is another."""
        text = response.text or ""
        found = list(self._in_lines(text) if self.headings else self._anywhere(text))
        missing = [name for i, name in enumerate(self.sections) if i not in set(found)]
        n_there = len(self.sections) - len(missing)
        n_kept = _longest_rise(found) if self.ordered else n_there
        said = [f"missing: {', '.join(repr(name[:60]) for name in missing[:8])}"] * bool(missing)
        said += ["not in the required order"] * (n_kept < n_there)
        return Mark(n_kept / len(self.sections), "; ".join(said) or None)

    def _in_lines(self, text: str) -> Iterator[int]:
        """Parts in the order of the lines that are their headings."""
        of = {part: i for i, part in enumerate(self._parts)}
        for line in text.splitlines():
            bare = line[_end(_MARKS, line) :]
            words = bare[_end(_NUMBER, bare) :]
            for heading in dict.fromkeys((bare, words, words.partition(":")[0])):
                if (place := of.get(fold(heading))) is not None:
                    yield place
                    break

    def _anywhere(self, text: str) -> Iterator[int]:
        """Parts in the order in which their words stand in the text."""
        folded = f" {fold(text)} "
        places: list[tuple[int, int]] = []
        for i, part in enumerate(self._parts):
            start = folded.find(f" {part} ")
            while start >= 0:
                places.append((start, i))
                start = folded.find(f" {part} ", start + 1)
        return (i for _, i in sorted(places))


def _end(pattern: re.Pattern[str], text: str) -> int:
    """Where a pattern at the start of a text ends; 0 where it does not stand there."""
    found = pattern.match(text)
    return found.end() if found else 0


def _longest_rise(numbers: list[int]) -> int:
    """Length of the longest series that rises strictly, not necessarily side by side."""
    ends: list[int] = []
    for number in numbers:
        place = bisect.bisect_left(ends, number)
        ends[place : place + 1] = [number]
    return len(ends)
