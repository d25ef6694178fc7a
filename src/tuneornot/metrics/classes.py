"""The whole-run metric of a choice: macro-F1, with precision, recall and F1 of each label.

Whether single answers are right is ``choice``; here it counts how well every label is recognised,
so that a rare one weighs as much as a common one. Labels are read as ``choice`` reads them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from tuneornot.metrics import choice
from tuneornot.metrics.base import Mark, settings_of
from tuneornot.records import Case, Json, Response, Scale
from tuneornot.stats.cases import Floats
from tuneornot.stats.whole import Figure

FEW = 10
"""Cases of a label under which the interval of macro-F1 may claim too much; see
docs/concepts/whole-run.md."""


@dataclasses.dataclass(kw_only=True)
class MacroF1:
    """Mean over the labels of the F1 with which a whole run recognises them, 0 to 1.

    F1 of a label is 2 right / (expected + named): ``right`` answers to cases that expect it,
    ``expected`` cases that expect it, ``named`` answers that name it. An answer that names no
    single label counts against recall only. A label that no case expects and no answer names is
    left out of the mean. The value of one case is 1 if its answer names the expected label.

    Source: Opitz, J. & Burst, S. (2019), Macro F1 and macro F1, arXiv:1911.03347 (the mean of F1
    scores, not the F1 of means).
    """

    labels: choice.Listed
    """The labels, or each label with a list of its aliases."""
    name: str = "macro_f1"
    anywhere: bool = False
    """Look for the label within the answer."""
    scale = Scale(whole=True)

    def __post_init__(self) -> None:
        self._labels = choice.of(self.labels, anywhere=self.anywhere)

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, "macro_f1")

    def score(self, case: Case, response: Response) -> Mark:
        """1 or 0; ``None`` where the case expects none of the labels."""
        wanted, named = self._read(case, response)
        if wanted is None:
            return choice.unlabelled(case)
        return Mark(float(named == wanted), "names no single label" if named is None else named)

    def parts(self, case: Case, response: Response) -> tuple[float, ...]:
        """Counts (3 labels,): right, named and expected, each by label."""
        wanted, named = self._read(case, response)
        right = [float(label == wanted == named) for label in self._labels.names]
        answered = [float(label == named) for label in self._labels.names]
        expected = [float(label == wanted) for label in self._labels.names]
        return (*right, *answered, *expected)

    def _read(self, case: Case, response: Response) -> tuple[str | None, str | None]:
        """The label that is expected and the one that is named."""
        wanted = self._labels.read(case.answer) if case.expected is not None else None
        return wanted, self._labels.read(response.text or "")

    def figures(self) -> Mapping[str, Figure]:
        """Macro-F1, then precision, recall and F1 of each label; NaN where there is nothing."""
        found: dict[str, Figure] = {"macro-F1": _macro}
        for place, label in enumerate(self._labels.names):
            found |= _of_label(place, label)
        return found

    def missed(self, parts: Floats) -> Floats:
        """The same cases with answers that name no label."""
        n = len(self._labels.names)
        return np.concatenate([np.zeros_like(parts[..., : 2 * n]), parts[..., 2 * n :]], axis=-1)

    def determined(self, sums: Floats) -> bool:
        """Always: with labels at all there are figures."""
        return True

    def limits(self, sums: Floats) -> tuple[str, ...]:
        """A sentence for the labels that few cases expect."""
        expected = _split(sums)[2]
        few = [
            f"{label!r} ({n:g})"
            for label, n in zip(self._labels.names, expected.tolist(), strict=True)
            if n < FEW
        ]
        if not few:
            return ()
        return (
            f"labels that fewer than {FEW} cases expect: {', '.join(few)}; "
            "a label counts fully in macro-F1 however few its cases are",
        )


def _split(sums: Floats) -> tuple[Floats, Floats, Floats]:
    """Right, named and expected, each (..., labels)."""
    right, named, expected = np.split(sums, 3, axis=-1)
    return right, named, expected


def _over(numerator: Floats, denominator: Floats) -> Floats:
    """The ratio; NaN where there is nothing to divide by."""
    there = denominator > 0
    ratio: Floats = np.where(there, numerator / np.where(there, denominator, 1.0), np.nan)
    return ratio


def _macro(sums: Floats) -> Floats:
    right, named, expected = _split(sums)
    total = named + expected
    there = total > 0
    f1 = np.where(there, 2 * right / np.where(there, total, 1.0), 0.0)
    return _over(f1.sum(axis=-1), there.sum(axis=-1).astype(np.float64))


def _of_label(place: int, label: str) -> dict[str, Figure]:
    def counts(sums: Floats) -> tuple[Floats, Floats, Floats]:
        right, named, expected = (part[..., place] for part in _split(sums))
        return right, named, expected

    def precision(sums: Floats) -> Floats:
        right, named, _ = counts(sums)
        return _over(right, named)

    def recall(sums: Floats) -> Floats:
        right, _, expected = counts(sums)
        return _over(right, expected)

    def f1(sums: Floats) -> Floats:
        right, named, expected = counts(sums)
        return _over(2 * right, named + expected)

    figures = {"precision": precision, "recall": recall, "F1": f1}
    return {f"{figure} of {label}": made for figure, made in figures.items()}
