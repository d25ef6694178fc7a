"""General data that is mixed into a training, so that a model keeps what its task does not ask for.

Rows are asked as they stand, without the arm's instructions: that is how a model is asked what it
knew. They are the user's, or the program's own small set of questions with answers. It reads no
file of a study and knows no eval case; what was mixed in is told by a check.
"""

from __future__ import annotations

import functools
import random
from pathlib import Path
from typing import NamedTuple

import msgspec

from tuneornot.finetune import general
from tuneornot.records import Case, Check, Dataset, Json, Prompt
from tuneornot.training import examples
from tuneornot.training.examples import Example, Tokenizer

OWN = Path(__file__).parent / "own" / "general.jsonl"


class Mixed(NamedTuple):
    """What is mixed into a training."""

    rows: Dataset
    share: float
    """Of all examples that are trained on, those of general data: above 0 and below 1."""
    source: str
    """How a reader calls the rows."""

    @property
    def settings(self) -> dict[str, Json]:
        """What determines the result."""
        return {"share": self.share, "rows": self.rows.fingerprint}


class Drawn(NamedTuple):
    """The general examples of one training."""

    mixed: Mixed
    examples: tuple[Example, ...]
    n_rows: int
    """Different rows among them that could be drawn."""


@functools.cache
def own() -> Dataset:
    """The program's own rows: everyday requests with short answers."""
    lines = OWN.read_bytes().splitlines()
    cases = tuple(msgspec.json.decode(line, type=Case) for line in lines)
    return Dataset(name="general", cases=cases)


def draw(mixed: Mixed, n_train: int, tokenizer: Tokenizer, *, seed: int, longest: int) -> Drawn:
    """Choose general examples for a training.

    Every row is taken once before any is taken again. Rows without an answer, and longer ones than
    allowed, are left out.

    Args:
        mixed: what is mixed in.
        n_train: examples of the task.
        tokenizer: of the model.
        seed: of the training; another one takes other rows.
        longest: most tokens of an example.
    """
    built = examples.build(mixed.rows.cases, Prompt(), tokenizer, longest=longest).kept
    if not built:
        return Drawn(mixed, (), 0)
    n = max(1, round(n_train * mixed.share / (1 - mixed.share)))
    shuffled = random.Random(seed).sample(built, len(built))
    return Drawn(mixed, tuple(shuffled[place % len(built)] for place in range(n)), len(built))


def check(drawn: Drawn, n_train: int, probed: frozenset[general.Question]) -> Check:
    """What was mixed in; it fails where nothing could be, or where it answers the probe.

    Args:
        drawn: what was mixed in.
        n_train: examples of the task.
        probed: questions of the probe that stand in its rows.
    """
    n = len(drawn.examples)
    detail = (
        f"{n} examples of {drawn.n_rows} rows of general data ({drawn.mixed.source}) are mixed "
        f"into {n_train} of the task, {n / (n + n_train):.0%} of all"
    )
    if probed:
        detail += (
            f"; {len(probed)} of the {len(general.PROBE)} questions of general knowledge stand in "
            "them and are not counted"
        )
    return Check(
        name="general-data", passed=n > 0 and not probed, detail=f"{detail}.", blocking=False
    )
