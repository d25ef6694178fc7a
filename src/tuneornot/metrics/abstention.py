"""Metrics of answers that decline to answer: how often, and how good the others are.

    Declines    whether an answer says that it does not know
    Answered    another metric, on answers that do not decline

An answer declines if it holds one of the forms, word for word. What a form means in its sentence is
not seen: "I don't know why people ask, it is Paris" declines here, and a refusal in words that no
form has does not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

from tuneornot.metrics import reference
from tuneornot.metrics.base import Mark, Metric, settings_of
from tuneornot.records import Case, Json, Response, Scale

FORMS = (
    "I don't know",
    "I do not know",
    "I am not sure",
    "I'm not sure",
    "I cannot say",
    "I can't say",
    "cannot answer",
    "can't answer",
    "unable to answer",
    "cannot be answered",
    "cannot be determined",
    "no information",
    "not enough information",
    "insufficient information",
    "does not say",
    "does not mention",
    "is not stated",
    "is not mentioned",
)
"""What models say when they decline, anywhere in an answer."""
WHOLE = ("unknown", "n/a", "no answer", "not known", "not available", "none")
"""What declines if it is the whole answer."""


@dataclasses.dataclass(kw_only=True)
class Declines:
    """1 if the answer says that it does not know, else 0.

    Forms are looked for as whole words, without regard to case and punctuation: those of the list
    in ``docs/reference/metrics.md`` and the study's own. A few single words (``unknown``, ``n/a``)
    count only where they are the whole answer.
    """

    name: str = "declines"
    forms: list[str] = dataclasses.field(default_factory=list)
    """Further forms, of any language."""
    only: bool = False
    """The study's own forms alone."""
    better: Literal["lower", "higher"] = "lower"
    """``higher`` where cases have no right answer and declining is what is wanted."""

    def __post_init__(self) -> None:
        self._reader = Forms(self.forms, only=self.only)
        self.scale = Scale(binary=True, better=self.better)

    def settings(self) -> dict[str, Json]:
        """What determines its values: with the forms, so that another list is another metric."""
        return settings_of(self, "declines", forms=self._reader.all)

    def score(self, case: Case, response: Response) -> Mark:
        """1 with the form that was found, or 0."""
        found = self._reader.found(response.text or "")
        return Mark(0.0) if found is None else Mark(1.0, f"found: {found!r}")


@dataclasses.dataclass(kw_only=True)
class Answered:
    """Another metric's value on the answers that do not decline.

    An answer that declines has no score. So two arms are compared on the cases that both answered,
    which an arm that declines the hard ones chooses in its favour: read it beside ``declines``.
    """

    name: str = "answered"
    of: str | dict[str, Any] = "exact_match"
    """The other metric, as an entry of a study."""
    forms: list[str] = dataclasses.field(default_factory=list)
    """As of ``declines``."""
    only: bool = False
    """As of ``declines``."""
    scale = Scale()

    def __post_init__(self) -> None:
        self._reader = Forms(self.forms, only=self.only)

    def rest_on(self, metric: Metric) -> None:
        """Take the other metric, built."""
        self._metric = metric
        self.scale = metric.scale

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        of = self._metric.settings()
        return settings_of(self, "answered", forms=self._reader.all, of=of)

    def score(self, case: Case, response: Response) -> Mark:
        """The other metric's mark; ``None`` where the answer declines."""
        found = self._reader.found(response.text or "")
        if found is not None:
            return Mark(None, f"the answer declines: {found!r}")
        return self._metric.score(case, response)


class Forms:
    """Forms of declining, folded once.

    Args:
        own: forms of the study.
        only: leave the built-in ones out.

    Raises:
        ValueError: a form has no word in it, or there is none at all.
    """

    def __init__(self, own: Sequence[str] = (), *, only: bool = False) -> None:
        self.all: list[Json] = [*own] if only else [*own, *FORMS, *WHOLE]
        self._anywhere = {form: _folded(form) for form in (own if only else (*own, *FORMS))}
        self._whole = {} if only else {_folded(form): form for form in WHOLE}
        empty = [form for form, folded in self._anywhere.items() if not folded.strip()]
        if empty:
            raise ValueError(f"a form must have a word in it, got {empty[0]!r}; remove it")
        if only and not own:
            raise ValueError("`only` must stand beside `forms`, got none; name the forms")

    def found(self, text: str) -> str | None:
        """The form that makes an answer decline, or ``None``."""
        folded = _folded(text)
        if folded in self._whole:
            return self._whole[folded]
        return next((form for form, said in self._anywhere.items() if said in folded), None)


def _folded(text: str) -> str:
    """Between spaces, so that a form is found as whole words only."""
    return f" {reference.fold(text)} "
