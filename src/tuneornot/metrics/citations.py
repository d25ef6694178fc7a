"""The metric of citations: in a form that can be right, and the ones that were expected.

Publications are cited by identifiers (``identifiers``), court decisions and statutes as lawyers
write them, read by eyecite, which knows the reporters of the United States. Whether what is cited
exists, and whether it says what it is cited for, is not known here.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any, Literal

from tuneornot.errors import MissingExtra
from tuneornot.metrics import identifiers, wanted
from tuneornot.metrics.base import Mark, settings_of
from tuneornot.metrics.identifiers import Cited
from tuneornot.records import Case, Json, Response, Scale

Kind = Literal["legal", "doi", "pmid", "arxiv", "isbn"]
_WORD = r"[A-Z][A-Za-z']{0,15}"
_REPORTED = re.compile(
    rf"\b\d{{1,4}} {_WORD}(?:(?:\. ?| ){_WORD}){{0,3}}\.(?: ?\d+[a-z]{{1,2}})? \d{{1,5}}\b"
)
"""A volume, abbreviated words that end in a dot, and a page: cited as a court decision is."""


@dataclasses.dataclass(kw_only=True)
class Citations:
    """How well an answer cites, 0 to 1.

    ``valid`` is the share of its citations that have a right form (0 where it cites nothing): a
    known reporter, an identifier as its registry gives them out, a right check digit. Precision,
    recall and F1 compare with the citations of the expected answer in one spelling each; every
    citation counts once, and one of a wrong form counts as a wrong one.
    """

    kind: Kind
    """``legal``, ``doi``, ``pmid``, ``arxiv`` or ``isbn``."""
    name: str = "citations"
    figure: Literal["valid", "f1", "precision", "recall"] = "valid"
    """``valid``, ``f1``, ``precision`` or ``recall``."""
    scale = Scale()

    def __post_init__(self) -> None:
        self._read = _lawyers() if self.kind == "legal" else identifiers.READERS[self.kind]

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, "citations")

    def score(self, case: Case, response: Response) -> Mark:
        """The figure; ``None`` where the expected answer is needed and cites nothing."""
        cited = dict.fromkeys(self._read(response.text or ""))
        wrong = [one.name for one in cited if not one.valid]
        said = f"no citation of this kind: {', '.join(wrong[:5])}" if wrong else None
        if self.figure == "valid":
            if not cited:
                return Mark(0.0, "the answer cites nothing")
            return Mark(1 - len(wrong) / len(cited), said)
        expected = {one.name for text in wanted.texts(case) for one in self._read(text)}
        if not expected:
            return Mark(None, "the expected answer cites nothing")
        found = {one.name if one.valid else f"wrong: {one.name}" for one in cited}
        return Mark(wanted.overlap(self.figure, found, expected), said)


def _lawyers() -> identifiers.Reader:
    """The reader of legal citations.

    Raises:
        MissingExtra: eyecite is not installed.
    """
    try:
        import eyecite
        from eyecite.models import FullCaseCitation, FullCitation
    except ImportError as error:
        raise MissingExtra("Legal citations", "metrics") from error

    def read(text: str) -> Iterator[Cited]:
        # eyecite refuses an empty text.
        found_by_it = eyecite.get_citations(text) if text else []
        known: list[Any] = [one for one in found_by_it if isinstance(one, FullCitation)]
        for one in known:
            is_case = isinstance(one, FullCaseCitation)
            spelt = getattr(one, "corrected_citation" if is_case else "matched_text")()
            yield Cited(" ".join(spelt.split()), True)
        taken = [one.span() for one in known]
        for found in _REPORTED.finditer(text):
            if all(found.end() <= start or end <= found.start() for start, end in taken):
                yield Cited(" ".join(found.group().split()), False)

    return read
