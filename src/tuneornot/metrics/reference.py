"""Metrics that compare the whole answer with the expected one: exact, normalised, contained.

They judge sameness of text or of JSON values. They know nothing of meaning: a paraphrase of the
right answer is wrong here.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from typing import Literal

from tuneornot.metrics import reading
from tuneornot.metrics.base import LACKING, Mark
from tuneornot.records import Case, Json, Response, Scale

_NO_EXPECTED = Mark(None, f"{LACKING} answer")


@dataclasses.dataclass(kw_only=True)
class ExactMatch:
    """1 if the answer is the expected one, else 0.

    Text is compared after white space at both ends is dropped. Where the case expects JSON (an
    object, array, number or boolean), the answer must be that JSON value: spacing, the order of
    names and 1 against 1.0 do not matter, everything else does.
    """

    name: str = "exact_match"
    lenient: bool = False
    """For expected JSON: accept a code fence or prose around the value."""
    scale = Scale(binary=True)

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return {"metric": "exact_match", "lenient": self.lenient}

    def score(self, case: Case, response: Response) -> Mark:
        """1, 0, or ``None`` where the case has no expected answer."""
        if case.expected is None:
            return _NO_EXPECTED
        text = response.text or ""
        if isinstance(case.expected, str):
            return Mark(float(text.strip() == case.expected.strip()))
        try:
            answer = reading.read(text, lenient=self.lenient)
        except reading.NotJson as reason:
            return Mark(0.0, str(reason))
        return Mark(float(reading.same(answer, case.expected)))


@dataclasses.dataclass(kw_only=True)
class NormalisedMatch:
    """1 if answer and expected text are the same after folding, else 0.

    Folding: Unicode NFKC, case, punctuation to spaces, runs of white space to one space. What
    belongs to a number stays: the separators within it, its sign, its percent sign. Where the
    case expects JSON, the texts inside are folded and everything else must be equal. Symbols
    (currency, arithmetic) are not punctuation and stay.
    """

    name: str = "normalised_match"
    case: bool = True
    """Fold upper and lower case."""
    punctuation: bool = True
    """Fold punctuation."""
    lenient: bool = False
    """For expected JSON: accept a code fence or prose around the value."""
    scale = Scale(binary=True)

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return {
            "metric": "normalised_match",
            "case": self.case,
            "punctuation": self.punctuation,
            "lenient": self.lenient,
        }

    def score(self, case: Case, response: Response) -> Mark:
        """1, 0, or ``None`` where the case has no expected answer."""
        if case.expected is None:
            return _NO_EXPECTED
        answer: Json = response.text or ""
        if not isinstance(case.expected, str):
            try:
                answer = reading.read(response.text or "", lenient=self.lenient)
            except reading.NotJson as reason:
                return Mark(0.0, str(reason))
        return Mark(float(reading.same(self._folded(answer), self._folded(case.expected))))

    def _folded(self, value: Json) -> Json:
        if isinstance(value, str):
            return fold(value, case=self.case, punctuation=self.punctuation)
        if isinstance(value, list):
            return [self._folded(item) for item in value]
        if isinstance(value, dict):
            return {name: self._folded(item) for name, item in value.items()}
        return value


@dataclasses.dataclass(kw_only=True)
class Contains:
    """1 if the answer contains the wanted texts, else 0.

    Without ``texts`` the wanted text is the expected answer. A text is found anywhere, also
    inside a longer word; use ``regex`` with ``\\b`` where that is too generous.
    """

    name: str = "contains"
    texts: list[str] = dataclasses.field(default_factory=list)
    """What to look for; without it, the case's expected answer."""
    need: Literal["all", "any"] = "all"
    """Whether every text must stand in the answer or one is enough."""
    ignore_case: bool = False
    scale = Scale(binary=True)

    def __post_init__(self) -> None:
        if "" in self.texts:
            raise ValueError("a text to look for must not be empty, got ''; remove it")

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return {
            "metric": "contains",
            "texts": self.texts,
            "need": self.need,
            "ignore_case": self.ignore_case,
        }

    def score(self, case: Case, response: Response) -> Mark:
        """1, 0, or ``None`` where there is nothing to look for."""
        wanted = self.texts or ([case.answer.strip()] if case.expected is not None else [])
        if not any(wanted):
            return _NO_EXPECTED
        answer = self._cased(response.text or "")
        missing = [text for text in wanted if self._cased(text) not in answer]
        found = not missing if self.need == "all" else len(missing) < len(wanted)
        return Mark(1.0) if found else Mark(0.0, f"missing: {_listed(missing)}")

    def _cased(self, text: str) -> str:
        return text.casefold() if self.ignore_case else text


# Full stops, commas, colons and slashes between digits; a sign or point that opens a number; the
# percent sign that closes one: dropping them would make 3.5 equal 35, or -5 equal 5.
_OF_A_NUMBER = re.compile(r"(?<=\d)[.,:/](?=\d)|(?<!\w)[-.](?=\d)|(?<!\w)-(?=\.\d)|(?<=\d)[%‰]")


def fold(text: str, *, case: bool = True, punctuation: bool = True) -> str:
    """A text without the differences that do not matter to a reader.

    NFKC, then case folding and NFKC again (folding can leave text that is not normalised;
    Unicode 15, section 3.13, D146 without its first decomposition), then punctuation (general
    category P) to spaces except where it belongs to a number, then white space to single spaces.
    """
    text = unicodedata.normalize("NFKC", text).replace("\N{MINUS SIGN}", "-")
    if case:
        text = unicodedata.normalize("NFKC", text.casefold())
    if punctuation:
        kept = {found.start() for found in _OF_A_NUMBER.finditer(text)}
        text = "".join(
            " " if unicodedata.category(sign).startswith("P") and i not in kept else sign
            for i, sign in enumerate(text)
        )
    return " ".join(text.split())


def _listed(texts: list[str], n_shown: int = 5) -> str:
    shown = ", ".join(repr(text) for text in texts[:n_shown])
    return shown if len(texts) <= n_shown else f"{shown} and {len(texts) - n_shown} more"
