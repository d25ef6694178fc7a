"""The training file: each case as a chat that ends with its answer, a line of JSON each.

Both APIs read this form. The chat is the one that the arm will be asked with, so that training and
asking agree but for what the host's own template adds, which nobody outside sees.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from tuneornot.errors import TrainingError
from tuneornot.records import Case, Prompt

CHARACTERS_PER_TOKEN = 4.0
"""About what English text comes to; a host's own count is told when the job is done."""


class TrainingFile(NamedTuple):
    """What is sent."""

    text: bytes
    n_rows: int
    n_unanswered: int
    """Cases left out because there is nothing to learn from them."""
    said: tuple[tuple[str, str], ...]
    """For each row the id of its case, and all that its messages say."""

    @property
    def n_tokens(self) -> float:
        """About so many, for one pass over the file."""
        return sum(len(text) for _, text in self.said) / CHARACTERS_PER_TOKEN


def write(cases: Iterable[Case], prompt: Prompt) -> TrainingFile:
    """Make the training file.

    Args:
        cases: that teach.
        prompt: what the tuned arm will be asked with.

    Raises:
        TrainingError: no case has an answer to learn.
    """
    lines: list[bytes] = []
    said: list[tuple[str, str]] = []
    n_unanswered = 0
    for case in cases:
        if case.expected is None or case.answer == "":
            n_unanswered += 1
            continue
        turns = [
            {"role": message.role, "content": message.content} for message in prompt.messages(case)
        ]
        turns.append({"role": "assistant", "content": case.answer})
        said.append((case.id, "\n".join(turn["content"] for turn in turns)))
        lines.append(msgspec.json.encode({"messages": turns}) + b"\n")
    if not lines:
        raise TrainingError(
            f"A training needs at least one case with an answer, found {n_unanswered} without. "
            "Fill in `expected`."
        )
    return TrainingFile(b"".join(lines), len(lines), n_unanswered, tuple(said))
