"""A metric of another package: DeepEval's metrics and autoevals' scorers, by their names.

It knows how a case is handed over and a score read, nothing of what is measured. What the scorer
says is an opinion like any judge's: it is kept, counted when undecided, and held against people.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
from typing import Literal

from tuneornot.metrics.base import Mark
from tuneornot.metrics.judges import replies
from tuneornot.metrics.judges.base import Asking, Exhibit, Judged, Question, Ruling, Vote
from tuneornot.metrics.judges.replies import Undecided
from tuneornot.models import scorers
from tuneornot.records import Case, Json, Prompt, Response, Sampling, Scale


@dataclasses.dataclass(kw_only=True)
class Outside(Judged):
    """The score that another package gives an answer, from 0 to 1."""

    name: str
    scorer: str
    """``deepeval:METRIC`` or ``autoevals:SCORER``."""
    given: dict[str, Json] = dataclasses.field(default_factory=dict)
    """What the scorer is made with."""
    better: Literal["higher", "lower"] = "higher"

    def __post_init__(self) -> None:
        self.scale = Scale(better=self.better)
        try:
            made = scorers.found(self.scorer)
        except LookupError as error:
            raise ValueError(f"{error.args[0]}; see the package's documentation") from None
        try:
            inspect.signature(made).bind(**self.given)
        except TypeError as error:
            raise ValueError(f"its settings do not fit: {error}; correct them") from None

    @property
    def judges(self) -> tuple[str, ...]:
        """The scorer."""
        return (self.scorer,)

    def settings(self) -> dict[str, Json]:
        """What determines its values; the package's version is the judge's identity."""
        return {"metric": self.scorer, "given": self.given, "better": self.better}

    def judging(self, case: Case, text: str, other: str | None) -> Asking:
        """One question: the whole case."""
        [[response]] = yield (self._question(case, text),)
        return Ruling(*self._read(response))

    def exhibit(self, case: Case, text: str, other: str | None) -> Exhibit:
        """The same case, to be judged as a share."""
        parts = [("question", case.text)]
        parts += [("context", case.context)] if case.context is not None else []
        parts += [("reference", case.answer)] if case.expected is not None else []
        task = (
            f"What {self.scorer} measures with the settings {json.dumps(self.given)}, as a share."
        )
        return Exhibit(task=task, levels=(), material=(*parts, ("answer", text)))

    def _question(self, case: Case, text: str) -> Question:
        shown = {
            "input": case.text,
            "output": text,
            "expected": None if case.expected is None else case.answer,
            "context": case.context,
        }
        return Question(
            model=self.scorer,
            prompt=Prompt(instructions=json.dumps(self.given, sort_keys=True)),
            sampling=Sampling(),
            text=json.dumps(shown, ensure_ascii=False),
        )

    def _read(self, response: Response) -> tuple[Mark, tuple[Vote, ...]]:
        try:
            said, reason = replies.field(response, "score")
            if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said <= 1:
                raise Undecided(f"{self.scorer} gave {said!r}, which is no share from 0 to 1")
        except Undecided as why:
            vote = Vote(self.scorer, 0, None, str(why))
            return Mark(None, f"undecided: {why}"), (vote,)
        return Mark(float(said), reason or None), (Vote(self.scorer, 0, float(said), reason),)
