"""Which of some texts are worded most like another one.

Likeness is the cosine of two sets of overlapping runs of four characters, each weighted by how few
of the texts have it (Salton and Buckley 1988, with binary counts), so that rare words count and
endings, typos and languages without spaces do no harm. Part of what a prompt is: it stays the same
whatever a library's next version finds likeliest. It does not know meaning.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

RUN = 4
"""Characters in a run, as in the shingles by which overlaps are found."""


class Nearness:
    """An index of texts in memory.

    Args:
        texts: among which the likest are looked for.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        found: dict[str, list[int]] = defaultdict(list)
        for position, text in enumerate(texts):
            for run in _runs(text):
                found[run].append(position)
        self._places = {run: np.array(places) for run, places in found.items()}
        self._weights = {run: math.log1p(len(texts) / len(of)) ** 2 for run, of in found.items()}
        squares = np.zeros(len(texts))
        for run, places in self._places.items():
            squares[places] += self._weights[run]
        self._lengths = np.sqrt(np.maximum(squares, np.finfo(float).tiny))

    def likest_first(self, text: str) -> list[int]:
        """Positions of all texts, the likest first; of equals the earlier one."""
        common: npt.NDArray[np.float64] = np.zeros(len(self._lengths))
        for run in sorted(_runs(text)):  # sums of floats must not hang on the order of a set
            if run in self._places:
                common[self._places[run]] += self._weights[run]
        # Rounded, so that a difference of the last digit between machines decides nothing.
        alike = np.round(common / self._lengths, 9)
        return [int(place) for place in np.argsort(-alike, kind="stable")]


def _runs(text: str) -> set[str]:
    plain = f" {' '.join(text.casefold().split())} "
    return {plain[start : start + RUN] for start in range(max(1, len(plain) - RUN + 1))}
