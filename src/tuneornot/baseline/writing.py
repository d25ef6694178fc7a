"""Instructions by another model: the task rewritten, and the leader's improved by its failures.

The writer is shown the task, a few solved train cases, and what the leader got wrong on train;
never a case of dev or eval. What it writes is raced like any other prompt. It is asked through a
function of the caller's, which knows the model, keeps its answers, and may refuse a text.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from tuneornot.baseline import demonstrations, phrases
from tuneornot.baseline.phrases import Kind
from tuneornot.baseline.race import BLOCK, Race
from tuneornot.baseline.tried import failures, tried
from tuneornot.records import Case, Prompt, Sampling

Write = Callable[[str], str | None]
"""Asks the writer; ``None`` where it gave no answer."""

EXAMPLES = 6
"""Solved cases, or failures, that the writer is shown at a time."""
TRIED = 20
"""Train cases that the leader answers so that failures are found."""
LONGEST = 1000
"""Characters of a case or an answer that are shown."""
WORDS = 200
"""Longest instructions that are asked for."""
WRITING = Sampling(max_tokens=1024)
"""How the writer is asked: with room to think before it writes."""

_FOUND = re.compile(r"<instructions>(.*?)</instructions>", re.S | re.I)
_WAYS = (
    "Say plainly what is wanted, in the order in which to do it.",
    "Find the conventions that the examples keep and the task does not tell, and state each as a "
    "rule with its exceptions.",
)
_ENDING = (
    f"Write general rules of at most {WORDS} words and quote no message. Put the instructions "
    "between <instructions> and </instructions>."
)


def most_asked(n_calls: int, *, n_train: int, n_dev: int) -> int:
    """The most questions to the writer that a search of so many calls leads to.

    The task is rewritten in each way, and improved once before the first field and once before
    each round. A round takes answers on train and at least a first block of dev.
    """
    # A block is three quarters of BLOCK or more; fewer than two of them are one block.
    block = min(BLOCK * 3 // 4, n_dev // 2)
    n_tried = min(TRIED, n_train)
    return len(_WAYS) + 1 + max(0, n_calls - n_tried) // max(1, n_tried + block)


class Writer:
    """A model that writes instructions for one task.

    Args:
        write: asks it.
        train: the cases that may be shown to it.
        task: what the user wrote.
        seed: of the choice of cases.
    """

    def __init__(self, write: Write, train: Sequence[Case], task: str, seed: int) -> None:
        self._write = write
        self._train = tuple(train)
        self._task = task
        self._kind: Kind = phrases.kind(train)
        self._rng = random.Random(seed)

    def begun(self, race: Race, start: Prompt) -> list[str]:
        """Instructions for the first field: the task rewritten, then improved by what fails.

        Failures are asked for at once, since a small budget ends within the first field.
        """
        told = [*self.rewritten(), self.improved(race, start)]
        return [*dict.fromkeys(text for text in told if text is not None)]

    def rewritten(self) -> list[str | None]:
        """The task in the writer's words, once for each way of looking at it."""
        solved = demonstrations.eligible(self._train, EXAMPLES)
        shown = self._rng.sample(solved, min(EXAMPLES, len(solved)))
        examples = "\n\n".join(_solved(case) for case in shown)
        return [
            self._instructions(
                "You write instructions for a language model. It will see them and then one "
                f"message.\n\nThe task, as its owner put it:\n{self._task}\n\nSolved examples:\n\n"
                f"{examples}\n\n{way} {_ENDING}"
            )
            for way in _WAYS
        ]

    def improved(self, race: Race, prompt: Prompt) -> str | None:
        """Better instructions for a prompt, by what it gets wrong on train cases.

        ``None`` where the budget does not carry it, nothing is wrong, or nothing was written.
        """
        answered = tried(race, prompt, self._train, n=TRIED, rng=self._rng)
        wrong = failures(answered or ())[:EXAMPLES]
        if not wrong:
            return None
        shown = "\n\n".join(
            f"{_solved(one.case)}\nWhat it answered: {cut(one.said)}" for one in wrong
        )
        return self._instructions(
            "You improve the instructions of a language model. It sees them and then one message."
            f"\n\nThe task, as its owner put it:\n{self._task}\n\nThe instructions now:\n"
            f"{prompt.instructions}\n\nMessages that it answered wrongly:\n\n{shown}\n\nFind out "
            f"what the instructions fail to say, and say it. {_ENDING}"
        )

    def _instructions(self, question: str) -> str | None:
        found = _FOUND.search(self._write(question) or "")
        text = found[1].strip() if found else ""
        return phrases.ended(text, self._kind) if text else None


def _solved(case: Case) -> str:
    context = f"Context: {cut(case.context)}\n" if case.context else ""
    return f"{context}Message: {cut(case.text)}\nRight answer: {cut(case.answer)}"


def cut(text: str) -> str:
    """As much of a text as a writer is shown."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
