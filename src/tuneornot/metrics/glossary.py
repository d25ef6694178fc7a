"""Metrics of terminology: the terms of a glossary of the user's own, and forms that it forbids.

    Glossary         precision, recall or F1 of the terms that a case calls for
    ForbiddenTerms   no forbidden form stands in the answer

A glossary is a file of rows: ``term`` (the right form), ``variants`` (forms that are as right),
``forbidden`` (forms to be avoided) and ``source`` (words in a question that call for the term; in a
translation those of the other language). Forms are looked for as whole words, folded. Whether a
term is used in its right sense is not known here, and inflected forms must be listed as variants.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple

from tuneornot.metrics import listed, wanted
from tuneornot.metrics.base import Mark, settings_of
from tuneornot.metrics.phrases import Phrases
from tuneornot.records import Case, Json, Response, Scale


class Form(NamedTuple):
    """What a phrase is in the glossary."""

    term: str
    allowed: bool


class Terms:
    """A glossary, read.

    Args:
        file: its path, from the folder.
        folder: where the study file stands.

    Raises:
        ValueError: the file cannot be read, or a form stands for two things.
    """

    def __init__(self, file: str, folder: Path) -> None:
        rows, self.fingerprint = listed.read(file, folder, needs="term")
        self._forms: Phrases[Form] = Phrases()
        self._sources: Phrases[tuple[str, ...]] = Phrases()
        self.n_forbidden = 0
        called: dict[str, tuple[str, ...]] = {}
        for row in rows:
            term = str(row.values["term"]).strip()
            for phrase in (term, *listed.texts(row, "variants")):
                self._add(phrase, Form(term, True))
            for phrase in listed.texts(row, "forbidden"):
                self._add(phrase, Form(term, False))
                self.n_forbidden += 1
            for phrase in listed.texts(row, "source"):
                called[phrase] = (*called.get(phrase, ()), term)
        for phrase, terms in called.items():
            self._sources.add(phrase, terms)

    def named(self, text: str) -> tuple[set[str], set[str]]:
        """The terms in a text: those in an allowed form, and those in a forbidden one."""
        forms = set(self._forms.within(text))
        allowed = {form.term for form in forms if form.allowed}
        return allowed, {form.term for form in forms if not form.allowed}

    def due(self, case: Case) -> set[str]:
        """The terms that a case calls for: in its expected answer, or by its question."""
        called = {term for terms in self._sources.within(case.text) for term in terms}
        return called.union(*(self.named(text)[0] for text in wanted.texts(case)))

    def _add(self, phrase: str, form: Form) -> None:
        known = self._forms.add(phrase, form)
        if known != form:
            raise ValueError(
                f"a form must stand for one thing, got {phrase!r} as {_said(known)} and as "
                f"{_said(form)}; remove it from one of them"
            )


@dataclasses.dataclass(kw_only=True)
class Glossary:
    """How well an answer uses the terms that its case calls for, 0 to 1.

    A case calls for the terms that its expected answer has in an allowed form, and for those whose
    ``source`` stands in its question. Each term counts once, however often it stands there. Recall
    is the share of these that the answer has in an allowed form; precision the share of the
    answer's terms that are called for and in an allowed form (a forbidden form counts against it);
    F1 their harmonic mean.
    """

    file: str
    """The glossary, a path from the study's folder."""
    name: str = "glossary"
    figure: wanted.Figure = "f1"
    """``f1``, ``precision`` or ``recall``."""
    folder: Path = Path()
    """Where the study file stands."""
    scale = Scale()

    def __post_init__(self) -> None:
        self._terms = Terms(self.file, self.folder)

    def settings(self) -> dict[str, Json]:
        """What determines its values, the file's content among it."""
        return settings_of(self, "glossary", content=self._terms.fingerprint)

    def score(self, case: Case, response: Response) -> Mark:
        """The figure; ``None`` where the case calls for no term."""
        due = self._terms.due(case)
        if not due:
            return Mark(None, "the case calls for no term of the glossary")
        allowed, forbidden = self._terms.named(response.text or "")
        figure = wanted.ratio(
            self.figure,
            shared=len(allowed & due),
            answered=len(allowed) + len(forbidden),
            expected=len(due),
        )
        faults = {"missing": due - allowed, "forbidden": forbidden, "not called for": allowed - due}
        said = "; ".join(f"{what}: {_few(terms)}" for what, terms in faults.items() if terms)
        return Mark(figure, said or None)


@dataclasses.dataclass(kw_only=True)
class ForbiddenTerms:
    """1 if no forbidden form of the glossary stands in the answer, else 0.

    It needs no expected answer. An answer that says nothing at all scores 1: read it beside a
    metric that asks for content.
    """

    file: str
    """The glossary, a path from the study's folder."""
    name: str = "forbidden_terms"
    folder: Path = Path()
    """Where the study file stands."""
    scale = Scale(binary=True)

    def __post_init__(self) -> None:
        self._terms = Terms(self.file, self.folder)
        if not self._terms.n_forbidden:
            raise ValueError(
                f"file must forbid something, got {self.file!r} without any text in its column "
                "'forbidden'; fill it"
            )

    def settings(self) -> dict[str, Json]:
        """What determines its values, the file's content among it."""
        return settings_of(self, "forbidden_terms", content=self._terms.fingerprint)

    def score(self, case: Case, response: Response) -> Mark:
        """1 or 0."""
        _, forbidden = self._terms.named(response.text or "")
        return Mark(1.0) if not forbidden else Mark(0.0, f"forbidden: {_few(forbidden)}")


def _said(form: Form) -> str:
    return f"{'an allowed' if form.allowed else 'a forbidden'} form of {form.term!r}"


def _few(terms: set[str], n_shown: int = 5) -> str:
    shown = ", ".join(sorted(terms)[:n_shown])
    return shown if len(terms) <= n_shown else f"{shown} and {len(terms) - n_shown} more"
