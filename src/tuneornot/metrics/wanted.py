"""The texts that an answer is compared with, and the figures of an overlap.

Metrics of likeness take one reference or several: an expected answer that is a list of texts is a
set of alternatives, and the one that is most like the answer counts. Nothing here knows how
likeness is measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import Literal

from tuneornot.metrics.base import LACKING, Mark
from tuneornot.records import Case

Figure = Literal["f1", "precision", "recall"]
NO_TEXT = Mark(None, f"{LACKING} text")


def texts(case: Case) -> tuple[str, ...]:
    """The references of a case: its expected answer, or each text where that is a list of texts.

    Other JSON is taken as the text that demonstrations show (``Case.answer``). Empty where the
    case expects nothing.
    """
    if case.expected is None:
        return ()
    listed = case.expected
    if isinstance(listed, list) and listed and all(isinstance(one, str) for one in listed):
        return tuple(str(one) for one in listed)
    return (case.answer,)


def best(case: Case, likeness: Callable[[str], float]) -> Mark:
    """The greatest likeness to any reference; ``None`` where there is none."""
    references = texts(case)
    return Mark(max(map(likeness, references))) if references else NO_TEXT


def ratio(figure: Figure, *, shared: float, answered: float, expected: float) -> float:
    """Precision, recall or F1 of what answer and reference share.

    precision = shared / answered, recall = shared / expected, F1 = 2 shared / (answered +
    expected), their harmonic mean. 1 where both sides are empty, 0 where one is.
    """
    if not answered and not expected:
        return 1.0
    if figure == "f1":
        return 2 * shared / (answered + expected)
    of = answered if figure == "precision" else expected
    return shared / of if of else 0.0


def overlap(figure: Figure, answer: Iterable[Hashable], reference: Iterable[Hashable]) -> float:
    """The figure of two multisets: an item counts as often as both sides have it."""
    ours, theirs = Counter(answer), Counter(reference)
    return ratio(
        figure,
        shared=(ours & theirs).total(),
        answered=ours.total(),
        expected=theirs.total(),
    )
