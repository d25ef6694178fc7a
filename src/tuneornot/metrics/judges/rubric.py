"""A rubric with anchored levels, binary or graded, judged by one or several models.

Each level is described in words, so that a level means the same for every answer, every judge and
every person who labels. It does not know how far the judge can be believed: that is measured
against labels (``tuneornot label``, ``tuneornot judges``).
"""

from __future__ import annotations

import dataclasses

from tuneornot.metrics.judges import replies
from tuneornot.metrics.judges.base import Asking, Exhibit, Question, Vote
from tuneornot.metrics.judges.panel import MATERIAL, Panel, schema, tagged
from tuneornot.metrics.judges.replies import Undecided
from tuneornot.records import Case, Json, Prompt, Response, Sampling, Scale

MOST_LEVELS = 9
"""A level must be one digit: then it is one token, whose probability can be read."""
ALTERNATIVES = 20


@dataclasses.dataclass(kw_only=True)
class Rubric(Panel):
    """The level of a rubric that a judge gives an answer, from 0 (worst) to 1 (best).

    Level i of k counts as (i - 1) / (k - 1). Two levels by one vote or a majority are a score of 0
    or 1.
    """

    name: str = "judge"
    ask: str
    """What is judged, as a question to the judge."""
    levels: list[str | bool]
    """What each level means in words, worst first; two for yes or no."""
    reference: bool = False
    """Show the expected answer."""
    context: bool = True
    """Show the case's context, where it has one."""
    probabilities: bool = False
    """Weigh the levels by the judge's own probabilities in place of the one it writes."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.ask.strip():
            raise ValueError("ask must say what is judged, got an empty text; write a question")
        if not 2 <= len(self.levels) <= MOST_LEVELS:
            raise ValueError(
                f"levels must be 2 to {MOST_LEVELS} descriptions, worst first, "
                f"got {len(self.levels)}; describe each level"
            )
        # YAML reads a bare yes or no as true or false; here they are words.
        words = {True: "yes", False: "no"}
        self._anchors = [
            words[level] if isinstance(level, bool) else level for level in self.levels
        ]
        if any(not level.strip() for level in self._anchors):
            raise ValueError(f"each level must be described, got {self.levels!r}; fill them all")
        if self.probabilities and self.vote == "majority":
            raise ValueError("probabilities give no votes to count; use `vote: mean`")
        one_value = self.n_votes == 1 or self.vote == "majority"
        self.scale = Scale(binary=len(self.levels) == 2 and one_value and not self.probabilities)

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return {
            "metric": "judge",
            "ask": self.ask,
            "levels": list(self._anchors),
            "reference": self.reference,
            "context": self.context,
            "probabilities": self.probabilities,
            **self.of_panel(),
        }

    def judging(self, case: Case, text: str, other: str | None) -> Asking:
        """One question to each judge."""
        answers = yield tuple(self._question(model, case, text) for model in self.judges)
        votes = [
            self._vote(model, repeat, response)
            for model, responses in zip(self.judges, answers, strict=True)
            for repeat, response in enumerate(responses)
        ]
        return self.ruling(votes)

    def exhibit(self, case: Case, text: str, other: str | None) -> Exhibit:
        """The same material under the same rubric."""
        return Exhibit(
            task=self.ask, levels=tuple(self._anchors), material=self._material(case, text)
        )

    def _question(self, model: str, case: Case, text: str) -> Question:
        levels = "\n".join(
            f"{number}: {said}" for number, said in enumerate(self._anchors, start=1)
        )
        numbers: list[Json] = list(range(1, len(self.levels) + 1))
        asked = tagged(self._material(case, text))
        rules = (
            "You judge an answer by a rubric, exactly as the rubric is written. Length, style and "
            f"politeness count only where it names them.\n{MATERIAL}\n\n"
            f"What to judge: {self.ask}\n\nLevels:\n{levels}\n\n"
        )
        if self.probabilities:
            told = rules + "Reply with the number of the level that fits best, and nothing else."
            sampling = Sampling(temperature=self.temperature, max_tokens=4, logprobs=ALTERNATIVES)
            return Question(
                model=model,
                prompt=Prompt(instructions=told),
                sampling=sampling,
                text=asked,
                repeats=self.repeats,
            )
        told = (
            rules
            + 'Reply with one JSON object, {"reason": "one sentence", "level": N}, where N is '
            "the number of the level that fits best."
        )
        return self.question(model, told, asked, form=schema("level", {"enum": numbers}))

    def _material(self, case: Case, text: str) -> tuple[tuple[str, str], ...]:
        parts = [("question", case.text)]
        if self.context and case.context is not None:
            parts.append(("context", case.context))
        if self.reference and case.expected is not None:
            parts.append(("reference", case.answer))
        return (*parts, ("answer", text))

    def _vote(self, model: str, repeat: int, response: Response) -> Vote:
        top = len(self.levels)
        try:
            if self.probabilities:
                level, reason = replies.expected_level(response, top), ""
            else:
                level, reason = replies.level(response, top)
        except Undecided as why:
            return Vote(model, repeat, None, str(why))
        return Vote(model, repeat, (level - 1) / (top - 1), reason)
