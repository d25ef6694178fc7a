"""Metrics of answers that are one of a few values: allowed at all, and the right one.

    OneOf     the answer is one of the allowed values
    Choice    the answer names the right label, as labels and aliases are read here

How well each label is recognised over a whole run is ``classes``.
"""

from __future__ import annotations

import dataclasses

from tuneornot.metrics.base import LACKING, Mark, settings_of
from tuneornot.metrics.phrases import Phrases
from tuneornot.records import Case, Json, Response, Scale

Listed = dict[str, list[str]] | list[str]
"""Labels as a study writes them: a list, or each with its aliases."""


@dataclasses.dataclass(kw_only=True)
class OneOf:
    """1 if the answer is one of the allowed values and nothing else, else 0.

    Texts are compared after white space at both ends is dropped. It judges form: which of the
    values is right is the concern of ``choice``.
    """

    values: list[str]
    """What the answer may be."""
    name: str = "one_of"
    ignore_case: bool = False
    scale = Scale(binary=True)

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("values must name what is allowed, got none; list the allowed answers")

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, "one_of")

    def score(self, case: Case, response: Response) -> Mark:
        """1 or 0."""
        answer = self._cased(response.text or "")
        allowed = any(answer == self._cased(value) for value in self.values)
        return Mark(1.0) if allowed else Mark(0.0, f"{answer[:80]!r} is not among the values")

    def _cased(self, text: str) -> str:
        return text.strip().casefold() if self.ignore_case else text.strip()


class Labels:
    """Which label a text names.

    Texts are folded (``reference.fold``: case, punctuation, white space), so ``Spam.`` is ``spam``.

    Args:
        labels: each label with its aliases; the label is an alias of itself. Folded, no alias may
            stand for two labels or be empty.
        anywhere: a label may stand anywhere in a text, as whole words, if no other one does; else
            the text must be the label.

    Raises:
        ValueError: an alias is empty or stands for two labels.
    """

    def __init__(self, labels: dict[str, list[str]], *, anywhere: bool) -> None:
        self.names = tuple(labels)
        self._anywhere = anywhere
        self._phrases: Phrases[str] = Phrases()
        for label, aliases in labels.items():
            for alias in (label, *aliases):
                known = self._phrases.add(alias, label)
                if known != label:
                    raise ValueError(
                        f"an alias must stand for one label, got {alias!r} for {known!r} and "
                        f"{label!r}; remove it from one of them"
                    )

    def read(self, text: str) -> str | None:
        """The label that the text names; ``None`` where it names none, or several."""
        if not self._anywhere:
            return self._phrases.whole(text)
        found = set(self._phrases.within(text))
        return found.pop() if len(found) == 1 else None


@dataclasses.dataclass(kw_only=True)
class Choice:
    """1 if the answer names the expected label, else 0.

    Labels are compared after folding (case, punctuation, white space). The answer must be the
    label or an alias of it; with ``anywhere`` it may hold the label as whole words among others,
    as long as it names no other label. How well each single label is recognised it does not tell.
    """

    labels: Listed
    """The labels, or each label with a list of its aliases."""
    name: str = "choice"
    anywhere: bool = False
    """Look for the label within the answer."""
    scale = Scale(binary=True)

    def __post_init__(self) -> None:
        self._labels = of(self.labels, anywhere=self.anywhere)

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, "choice")

    def score(self, case: Case, response: Response) -> Mark:
        """1 or 0; ``None`` where the case expects none of the labels."""
        wanted = self._labels.read(case.answer) if case.expected is not None else None
        if wanted is None:
            return unlabelled(case)
        named = self._labels.read(response.text or "")
        return Mark(float(named == wanted), "names no single label" if named is None else named)


def of(labels: Listed, *, anywhere: bool) -> Labels:
    """The labels of a metric's settings.

    Raises:
        ValueError: fewer than two labels, or an alias that is empty or stands for two of them.
    """
    with_aliases = labels if isinstance(labels, dict) else {label: [] for label in labels}
    if len(with_aliases) < 2:
        raise ValueError(
            f"labels must name at least two, got {[*labels]!r}; list all that a case can expect"
        )
    return Labels(with_aliases, anywhere=anywhere)


def unlabelled(case: Case) -> Mark:
    """What is said of a case that expects none of the labels."""
    if case.expected is None:
        return Mark(None, f"{LACKING} answer")
    return Mark(None, f"the expected answer {case.answer[:80]!r} is none of the labels")
