"""The prompt: everything that is said to a model besides the case, and how its answer is read.

A prompt is frozen: the same case always becomes the same messages, whatever was asked before.
"""

from __future__ import annotations

import functools
import itertools
import re
from typing import Literal

from msgspec import UNSET, UnsetType

from tuneornot.nearness import Nearness
from tuneornot.records.base import Json, Record
from tuneornot.records.cases import Case, Message

MARKER = "Answer:"
"""What a model that thinks first writes before its answer, at the beginning of a line."""

_MARKED = re.compile(rf"^[ \t*#>_]*{MARKER[:-1]}[ \t*_]*:[ \t*_]*", re.I | re.M)
# Models set the word in bold and then close the answer with the same marks.


class Step(Record, frozen=True, kw_only=True):
    """What a model is asked about a case in a call of its own, before its answer is asked for."""

    ask: str
    max_tokens: int = 300
    """Longest reply; what is longer is cut and used as it is."""


class Prompt(Record, frozen=True, kw_only=True):
    """Everything that is said to a model besides the case itself."""

    instructions: str = ""
    format_hint: str = ""
    """How the answer must look; appended to the instructions."""
    demonstrations: tuple[Case, ...] = ()
    """Solved cases shown before the question, in this order."""
    nearest: int | None = None
    """Show only so many of the demonstrations: those worded most like the question."""
    reasoning: int | None = None
    """Tokens that the model may think for before its answer, which stands after ``MARKER``; the
    instructions ask for it. ``None``: whatever it says is the answer."""
    form: Literal["json"] | dict[str, Json] | None = None
    """What the decoding is held to, where the arm's sampling holds it to nothing."""
    # Unset fields stand in no fingerprint: prompts from before there were such fields keep theirs.
    temperature: float | UnsetType = UNSET
    """In place of the arm's."""
    top_p: float | UnsetType = UNSET
    """In place of the arm's."""
    looks_up: bool | UnsetType = UNSET
    """``False``: the passages of an arm that retrieves are not shown with its questions."""
    steps: tuple[Step, ...] | UnsetType = UNSET
    """Calls before the last one, in this order; each, and the last one, is shown the replies to
    those before it as notes. Instructions, demonstrations and form are those of the last call."""

    @property
    def before(self) -> Prompt | None:
        """The last of its steps as a prompt, whose steps are those before it; ``None`` without."""
        if not self.steps:
            return None
        *earlier, last = self.steps
        return Prompt(
            instructions=last.ask,
            temperature=self.temperature,
            top_p=self.top_p,
            looks_up=self.looks_up,
            steps=tuple(earlier) or UNSET,
        )

    @property
    def n_calls(self) -> int:
        """Calls for one answer."""
        return 1 + len(self.steps or ())

    def shown(self, case: Case) -> tuple[Case, ...]:
        """The demonstrations that are shown with a case; the nearest one stands last.

        A demonstration that is the case itself would give its answer away and is left out.
        """
        if self.nearest is None:
            return self.demonstrations
        ordered = (self.demonstrations[k] for k in self._nearness.likest_first(case.text))
        others = (one for one in ordered if (one.id, one.text) != (case.id, case.text))
        return tuple(itertools.islice(others, self.nearest))[::-1]

    @functools.cached_property
    def _nearness(self) -> Nearness:
        return Nearness([shown.text for shown in self.demonstrations])

    @property
    def n_shown(self) -> int:
        """How many demonstrations are shown with a case."""
        n = len(self.demonstrations)
        return n if self.nearest is None else min(self.nearest, n)

    def messages(self, case: Case, notes: str = "") -> tuple[Message, ...]:
        """The chat to send for a case: system, then each demonstration, then the case.

        Demonstrations have no thinking in them. As turns of the chat they would teach a model that
        is to think first to leave it out, so there they stand in the system message.

        Args:
            case: what is asked.
            notes: what the steps before found out about it.
        """
        shown = self.shown(case)
        parts = [self.instructions, self.format_hint]
        turns: list[Message] = []
        if self.reasoning is not None:
            parts += [_solved(one) for one in shown]
        else:
            for one in shown:
                turns += [*_asked(one), Message(role="assistant", content=one.answer)]
        system = "\n\n".join(part for part in parts if part)
        head = [Message(role="system", content=system)] if system else []
        return (*head, *turns, *_asked(case, notes))

    def read(self, text: str) -> tuple[str | None, str]:
        """What a model thought before its answer, and the answer: what metrics and people judge.

        The last marker counts. Without one, all of the text is the answer.
        """
        if self.reasoning is None:
            return None, text
        marks = list(_MARKED.finditer(text))
        if not marks:
            return None, text
        return text[: marks[-1].start()].strip(), text[marks[-1].end() :].strip(" \t\r\n*_")


def _asked(case: Case, notes: str = "") -> tuple[Message, ...]:
    turns = (
        (Message(role="user", content=case.input),) if isinstance(case.input, str) else case.input
    )
    if case.context is None and not notes:
        return turns
    last = turns[-1]
    context = "" if case.context is None else f"Context:\n{case.context}\n\n"
    noted = f"\n\nNotes on it:\n{notes}" if notes else ""
    whole = f"{context}{last.content}{noted}"
    return (*turns[:-1], Message(role=last.role, content=whole))


def _solved(case: Case) -> str:
    """A demonstration as a piece of the instructions."""
    asked = "\n".join(message.content for message in _asked(case))
    return f"A solved example, without the thinking:\n{asked}\n{MARKER} {case.answer}"
