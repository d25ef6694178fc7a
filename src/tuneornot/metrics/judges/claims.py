"""Claims: an answer taken apart into statements, and each of them judged.

    faithfulness       share of the claims that the case's context supports
    answer_relevancy   share of the claims that help to answer the question

The judge is asked twice: for the claims, then about them all at once. The first question is the
same for both metrics and is asked once for both. Whether a claim is true in the world, and whether
the answer left something out, is not judged.
"""

from __future__ import annotations

import abc
import dataclasses

from tuneornot.metrics.base import Mark
from tuneornot.metrics.judges import replies
from tuneornot.metrics.judges.base import Asking, Exhibit, Question, Ruling, Vote
from tuneornot.metrics.judges.panel import MATERIAL, Panel, tagged
from tuneornot.metrics.judges.replies import Undecided
from tuneornot.records import Case, Json, Response, Scale

MOST_CLAIMS = 40
SPLIT = (
    "You take an answer apart into claims. A claim is one statement that can be checked by itself: "
    "write it as a full sentence, with names in place of pronouns, and in the answer's own "
    "language. Add nothing that the answer does not say. Greetings, questions and offers of help "
    f"are no claims.\n{MATERIAL}\n\n"
    'Reply with one JSON object, {"claims": ["...", "..."]}; the list is empty if the answer '
    "claims nothing."
)


@dataclasses.dataclass(kw_only=True)
class _Claims(Panel, abc.ABC):
    """A share of the answer's claims, by two questions to each judge."""

    max_tokens: int = 1024
    scale = Scale()

    @property
    @abc.abstractmethod
    def told(self) -> str:
        """What the judge is told about the claims."""

    @abc.abstractmethod
    def grounds(self, case: Case) -> tuple[str, str] | None:
        """Title and text of what claims are held against; ``None`` where the case has none."""

    def judging(self, case: Case, text: str, other: str | None) -> Asking:
        """The claims of each judge, then what each says of its own claims."""
        grounds = self.grounds(case)
        if grounds is None:
            return Ruling(Mark(None, "the case has no context"))
        answers = yield tuple(self._first(model, case, text) for model in self.judges)
        claims = [
            (model, repeat, _claims(response))
            for model, responses in zip(self.judges, answers, strict=True)
            for repeat, response in enumerate(responses)
        ]
        held = [(model, found) for model, _, found in claims if isinstance(found, list) and found]
        second = yield tuple(self._second(model, grounds, found) for model, found in held)
        replied = iter(second)
        votes = [
            _share(model, repeat, found, next(replied)[0])
            if isinstance(found, list) and found
            else Vote(model, repeat, None, _why_none(found))
            for model, repeat, found in claims
        ]
        return self.ruling(votes)

    def exhibit(self, case: Case, text: str, other: str | None) -> Exhibit:
        """The answer with what its claims are held against."""
        grounds = self.grounds(case) or ("context", "")
        parts = [("question", case.text)]
        if grounds[0] != "question":
            parts.append(grounds)
        return Exhibit(task=self.task, levels=(), material=(*parts, ("answer", text)))

    @property
    @abc.abstractmethod
    def task(self) -> str:
        """What a person is asked to estimate."""

    def _first(self, model: str, case: Case, text: str) -> Question:
        parts = (("question", case.text), ("answer", text))
        form: dict[str, Json] = {
            "type": "object",
            "properties": {"claims": {"type": "array", "items": {"type": "string"}}},
            "required": ["claims"],
            "additionalProperties": False,
        }
        return self.question(model, SPLIT, tagged(parts), form=form)

    def _second(self, model: str, grounds: tuple[str, str], claims: list[str]) -> Question:
        listed = "\n".join(f"{number}. {claim}" for number, claim in enumerate(claims, start=1))
        form: dict[str, Json] = {
            "type": "object",
            "properties": {"verdicts": {"type": "array", "items": {"type": "boolean"}}},
            "required": ["verdicts"],
            "additionalProperties": False,
        }
        told = (
            f"{self.told}\n{MATERIAL}\n\n"
            'Reply with one JSON object, {"verdicts": [true, false]}, '
            "with one true or false for each claim, in their order."
        )
        text = tagged((grounds, ("claims", listed)))
        return self.question(model, told, text, form=form, repeats=1)


@dataclasses.dataclass(kw_only=True)
class Faithfulness(_Claims):
    """Share of the answer's claims that the case's context supports, by a judge.

    An answer without a claim, and a case without a context, give no score.
    """

    name: str = "faithfulness"

    @property
    def told(self) -> str:
        """What the judge is told about the claims."""
        return (
            "You check claims against a context. A claim is supported if the context says it or if "
            "it follows from what the context says; what you know otherwise does not count."
        )

    @property
    def task(self) -> str:
        """What a person is asked to estimate."""
        return "Which share of what the answer claims does the context support?"

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return {"metric": "faithfulness", **self.of_panel()}

    def grounds(self, case: Case) -> tuple[str, str] | None:
        """The context."""
        return None if case.context is None else ("context", case.context)


@dataclasses.dataclass(kw_only=True)
class AnswerRelevancy(_Claims):
    """Share of the answer's claims that help to answer the question, by a judge.

    An answer without a claim gives no score.
    """

    name: str = "answer_relevancy"

    @property
    def told(self) -> str:
        """What the judge is told about the claims."""
        return (
            "You check claims against a question. A claim is relevant if it answers the question "
            "or a part of it, or is needed to understand the answer. Whether it is true does not "
            "matter here."
        )

    @property
    def task(self) -> str:
        """What a person is asked to estimate."""
        return "Which share of what the answer claims helps to answer the question?"

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return {"metric": "answer_relevancy", **self.of_panel()}

    def grounds(self, case: Case) -> tuple[str, str] | None:
        """The question."""
        return ("question", case.text)


def _claims(response: Response) -> list[str] | Undecided:
    try:
        return replies.texts(response, "claims", most=MOST_CLAIMS)
    except Undecided as why:
        return why


def _why_none(found: list[str] | Undecided) -> str:
    return "the answer makes no claim" if isinstance(found, list) else str(found)


def _share(model: str, repeat: int, claims: list[str], response: Response) -> Vote:
    try:
        verdicts = replies.flags(response, "verdicts", len(claims))
    except Undecided as why:
        return Vote(model, repeat, None, str(why))
    failing = [claim for claim, holds in zip(claims, verdicts, strict=True) if not holds]
    reason = f"{len(failing)} of {len(claims)} claims fail" + (f": {failing[0]}" if failing else "")
    return Vote(model, repeat, sum(verdicts) / len(claims), reason[: replies.LONGEST_REASON])
