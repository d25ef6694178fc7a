"""A preference: is the candidate's answer better than the baseline's to the same case?

Both orders are always asked, because judges favour a place. A judge that changes its mind with the
order has shown no preference: that is a tie, and it is counted. It does not say how good either
answer is.
"""

from __future__ import annotations

import dataclasses

from tuneornot.metrics.base import Mark
from tuneornot.metrics.judges import replies
from tuneornot.metrics.judges.base import Asking, Exhibit, Question, Ruling, Vote
from tuneornot.metrics.judges.panel import MATERIAL, Panel, schema, tagged
from tuneornot.metrics.judges.replies import Undecided
from tuneornot.records import Case, Json, Response, Scale

TIE = 0.5
CHOICES = ("A", "B", "tie")


@dataclasses.dataclass(kw_only=True)
class Prefer(Panel):
    """1 where the candidate's answer is preferred to the baseline's, 0.5 for a tie, else 0.

    The baseline's own score is 0.5 by definition, against every candidate, so the difference of
    the means is the win rate less one half. Answers that are the same are a tie and are not asked.
    """

    name: str = "prefer"
    ask: str
    """What makes an answer the better one, as a question to the judge."""
    reference: bool = False
    """Show the expected answer."""
    context: bool = True
    """Show the case's context, where it has one."""
    paired = True
    scale = Scale()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.ask.strip():
            raise ValueError("ask must say what is better, got an empty text; write a question")

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return {
            "metric": "prefer",
            "ask": self.ask,
            "reference": self.reference,
            "context": self.context,
            **self.of_panel(),
        }

    def judging(self, case: Case, text: str, other: str | None) -> Asking:
        """Two questions to each judge, one for each order."""
        if other is None:
            return Ruling(Mark(TIE, "the baseline itself"))
        if text == other:
            return Ruling(Mark(TIE, "both answers are the same"))
        answers = yield tuple(
            self._question(model, case, first, second)
            for model in self.judges
            for first, second in ((text, other), (other, text))
        )
        votes = [
            _vote(model, repeat, leading, trailing)
            for place, model in enumerate(self.judges)
            for repeat, (leading, trailing) in enumerate(
                zip(answers[2 * place], answers[2 * place + 1], strict=True)
            )
        ]
        return self.ruling(votes)

    def exhibit(self, case: Case, text: str, other: str | None) -> Exhibit:
        """Both answers, the candidate's first; who shows it may swap them."""
        material = (*self._shown(case), ("answer A", text), ("answer B", other or text))
        return Exhibit(task=self.ask, levels=(), material=material, paired=True)

    def _question(self, model: str, case: Case, first: str, second: str) -> Question:
        told = (
            "You compare two answers to one question. Length, style and order count only where "
            f"the criterion names them.\n{MATERIAL}\n\nCriterion: {self.ask}\n\n"
            'Reply with one JSON object, {"reason": "one sentence", "better": X}, where X is "A", '
            '"B", or "tie" if neither is better.'
        )
        parts = (*self._shown(case), ("answer_A", first), ("answer_B", second))
        choices: list[Json] = list(CHOICES)
        return self.question(model, told, tagged(parts), form=schema("better", {"enum": choices}))

    def _shown(self, case: Case) -> tuple[tuple[str, str], ...]:
        parts = [("question", case.text)]
        if self.context and case.context is not None:
            parts.append(("context", case.context))
        if self.reference and case.expected is not None:
            parts.append(("reference", case.answer))
        return tuple(parts)


def _vote(model: str, repeat: int, leading: Response, trailing: Response) -> Vote:
    """One vote of both orders: the candidate stood first in ``leading``, second in ``trailing``."""
    try:
        first, reason = _preference(leading, {"A": 1.0, "B": 0.0})
        second, _ = _preference(trailing, {"A": 0.0, "B": 1.0})
    except Undecided as why:
        return Vote(model, repeat, None, str(why))
    if first == second:
        return Vote(model, repeat, first, reason, (first, second))
    return Vote(model, repeat, TIE, "the judge changes its mind with the order", (first, second))


def _preference(response: Response, value: dict[str, float]) -> tuple[float, str]:
    said, reason = replies.choice(response, "better", CHOICES)
    return value.get(said, TIE), reason
