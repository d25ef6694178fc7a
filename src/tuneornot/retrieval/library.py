"""The retrievers of all arms of a study: each opened once, and what their knowledge gives away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tuneornot.records import Check, Dataset, Passage, Record, Retrieval
from tuneornot.retrieval import knowledge, lookup
from tuneornot.retrieval.lookup import Lookup
from tuneornot.retrieval.plan import RetrievePlan

SHOWN = 5
"""Cases that a sentence names."""


class Preview(Record, frozen=True, kw_only=True):
    """What an arm's retriever gives, before a model is asked anything."""

    arm: str
    how: str
    top: int
    n_passages: int | None
    """In its knowledge; ``None`` where that is not known."""
    dataset: str
    """On which the retriever was tried."""
    n_cases: int
    n_without: int
    """Cases for which nothing was found."""
    n_texts: int
    """Cases that expect a text."""
    n_answered: int
    """Those of them whose passages hold the expected answer, word for word."""
    check: Check | None
    """Whether cases that judge stand in the knowledge; ``None`` where it is not known."""

    def told(self) -> str:
        """All of it in one sentence."""
        n = "" if self.n_passages is None else f" of {self.n_passages:,}"
        return (
            f"{self.arm}: {self.top}{n} passages for each question by {self.how}; on "
            f"{self.dataset} the answer stands in them for {self.n_answered} of {self.n_texts} "
            f"cases that expect a text, and nothing is found for {self.n_without} of {self.n_cases}"
        )


class Library:
    """By arm its retriever.

    Args:
        plans: of the arms that retrieve, by name.
        folder: where the study file stands.
    """

    def __init__(self, plans: Mapping[str, RetrievePlan | None], folder: Path) -> None:
        self._plans = {name: plan for name, plan in plans.items() if plan is not None}
        self._folder = folder
        self._opened: dict[str, Lookup] = {}

    def of(self, arm: str) -> Lookup | None:
        """The arm's retriever; ``None`` where the arm has none.

        Raises:
            DataError: its knowledge cannot be read or has faults.
            StudyError: its function cannot be found.
        """
        return self._open(arm) if arm in self._plans else None

    def retrieval(self, arm: str) -> Retrieval | None:
        """What determines the arm's passages; ``None`` without retrieval. Raises as ``of``."""
        found = self.of(arm)
        return None if found is None else found.retrieval

    def grounded(self, arm: str, cases: Dataset) -> Dataset:
        """The cases as the arm is asked them: with their passages, where it retrieves."""
        found = self.of(arm)
        return cases if found is None else found.grounded(cases)

    def marks(self) -> list[str]:
        """Fingerprints of everything that is looked up, in the study's order of arms."""
        return [self._open(arm).retrieval.fingerprint for arm in self._plans]

    def previews(self, tried: Dataset, measured: Sequence[Dataset]) -> list[Preview]:
        """What each retrieving arm is shown on cases that judge nothing.

        Args:
            tried: cases on which retrievers may be compared and chosen: dev.
            measured: the sets that the verdict rests on; only whether they stand in the knowledge
                is looked at.

        Raises:
            DataError, StudyError: as ``of``.
            ModelError: the study's own function failed.
        """
        return [self._preview(arm, tried, measured) for arm in self._plans]

    def _preview(self, arm: str, tried: Dataset, measured: Sequence[Dataset]) -> Preview:
        found = self._open(arm)
        told = found.told(tried)
        return Preview(
            arm=arm,
            how=found.retrieval.how,
            top=found.retrieval.top,
            n_passages=len(found.passages) or None,
            dataset=tried.name,
            n_cases=len(tried),
            n_without=sum(not shown for shown in told.shown.values()),
            n_texts=len(told.answered),
            n_answered=sum(told.answered.values()),
            check=self.check(arm, measured) if found.passages else None,
        )

    def check(
        self, arm: str, measured: Sequence[Dataset], *, shown: Sequence[Passage] = ()
    ) -> Check | None:
        """Whether cases that judge stand in what the arm looks up; ``None`` without retrieval.

        Knowledge may hold answers, so a case in it is a caveat and never blocks.

        Args:
            arm: its name.
            measured: the sets that the verdict rests on.
            shown: the passages that the arm was shown, for a retriever whose knowledge is unknown.
        """
        found = self.of(arm)
        if found is None:
            return None
        passages = found.passages or tuple(shown)
        copied = [
            f"{case} in {passage}"
            for part in measured
            for case, passage in knowledge.copies(part.cases, passages)
        ]
        n = sum(len(part) for part in measured)
        if not copied:
            told = f"none of {n} cases stands with its answer in the {len(passages)} passages"
            return Check(name=_name(arm), passed=True, detail=told, blocking=False)
        named = ", ".join(copied[:SHOWN]) + (", ..." if len(copied) > SHOWN else "")
        told = (
            f"{len(copied)} of {n} cases stand in it word for word, question and answer together "
            f"({named}); what the arm gets right there is looked up, not known"
        )
        return Check(name=_name(arm), passed=False, detail=told, blocking=False)

    def _open(self, arm: str) -> Lookup:
        if arm not in self._opened:
            self._opened[arm] = lookup.open(
                self._plans[arm], self._folder, named=f"arms.{arm}.retrieve"
            )
        return self._opened[arm]


def _name(arm: str) -> str:
    return f"knowledge-of-{arm}"
