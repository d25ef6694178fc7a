"""Questions in, passages out, as an arm uses a retriever.

What is asked for is the case's own text: of a chat the user's turns. The case's context is not
searched for; it stays in front of the passages. What was found once is remembered, since a prompt
search asks for the same cases many times; ``timed`` looks anew, so that the time is real.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from tuneornot import fingerprint
from tuneornot.errors import ModelError, StudyError
from tuneornot.records import Case, Dataset, Passage, Retrieval, Retrieved
from tuneornot.retrieval import knowledge, words
from tuneornot.retrieval.bm25 import Bm25
from tuneornot.retrieval.own import Own
from tuneornot.retrieval.plan import RetrievePlan

Find = Callable[[str, int], Sequence[Passage]]
"""A retriever: of a question and a number k, at most k passages, best first."""


class Lookup:
    """One arm's retriever.

    Args:
        find: the retriever.
        retrieval: what determines its passages, for the arm.
        passages: all of its knowledge, where that is known.
    """

    def __init__(
        self, find: Find, retrieval: Retrieval, *, passages: Sequence[Passage] = ()
    ) -> None:
        self.retrieval = retrieval
        self.passages = tuple(passages)
        self._find = find
        self._found: dict[str, tuple[Passage, ...]] = {}

    def __call__(self, case: Case) -> tuple[Passage, ...]:
        """The passages of a case, best first.

        Raises:
            ModelError: the study's own function failed.
        """
        question = _question(case)
        if question not in self._found:
            self._found[question] = tuple(self._find(question, self.retrieval.top))
        return self._found[question]

    def timed(self, case: Case) -> tuple[Case, float]:
        """The case with its passages, and the seconds that finding them took."""
        begun = time.perf_counter()
        found = self._find(_question(case), self.retrieval.top)
        return case.grounded(found), time.perf_counter() - begun

    def grounded(self, cases: Dataset) -> Dataset:
        """The cases as they are asked with their passages."""
        return Dataset(
            name=cases.name, cases=tuple(case.grounded(self(case)) for case in cases.cases)
        )

    def told(self, cases: Dataset) -> Retrieved:
        """What is shown with each case, and whether it holds the expected answer.

        Holding is word for word (``words``), for cases that expect a text with any word in it.

        Raises:
            ModelError: the study's own function gave two passages one id.
        """
        passages: dict[str, Passage] = {}
        for case in cases.cases:
            for passage in self(case):
                if passages.setdefault(passage.id, passage) != passage:
                    raise ModelError(
                        f"A passage's id must be its own; {self.retrieval.how!r} gave two with the "
                        f"id {passage.id!r}. Mend the function and run the same command again."
                    )
        split = {name: words.of(passage.shown) for name, passage in passages.items()}
        answered = {}
        for case in cases.cases:
            answer = words.of(case.expected) if isinstance(case.expected, str) else []
            if answer:
                answered[case.id] = any(words.within(answer, split[one.id]) for one in self(case))
        return Retrieved(
            passages=tuple(passages.values()),
            shown={case.id: tuple(one.id for one in self(case)) for case in cases.cases},
            answered=answered,
        )


def open(plan: RetrievePlan, folder: Path, *, named: str = "retrieve") -> Lookup:
    """The retriever of a study's arm, its knowledge read and indexed.

    Args:
        plan: without faults.
        folder: where the study file stands.
        named: how errors name the plan.

    Raises:
        DataError: the file of knowledge cannot be read or has faults.
        StudyError: there is no such function.
    """
    if plan.how != "bm25":
        return _own(plan, folder, named)
    assert plan.knowledge is not None, "a plan without a file is a fault of the study"
    passages = knowledge.read(folder / plan.knowledge)
    retrieval = Retrieval(
        knowledge=fingerprint.of(msgspec.to_builtins(passages)),
        how=plan.how,
        top=plan.top,
        settings=plan.settings,
    )
    find = Bm25(passages, **msgspec.convert(plan.settings, dict[str, float]))
    return Lookup(find, retrieval, passages=passages)


def _own(plan: RetrievePlan, folder: Path, named: str) -> Lookup:
    try:
        find = Own(plan.how, folder, plan.settings)
    except ValueError as error:
        raise StudyError(named, [f"how: {error}"]) from error
    try:
        file = None if plan.knowledge is None else fingerprint.of_file(folder / plan.knowledge)
    except OSError as error:
        fault = f"from: {plan.knowledge!r} cannot be read: {error.strerror}"
        raise StudyError(named, [fault], "Check the path; it starts at the study.") from error
    retrieval = Retrieval(
        knowledge=fingerprint.of([find.source, file]),
        how=plan.how,
        top=plan.top,
        settings=plan.settings,
    )
    return Lookup(find, retrieval)


def _question(case: Case) -> str:
    if isinstance(case.input, str):
        return case.input
    return "\n".join(message.content for message in case.input if message.role == "user")
