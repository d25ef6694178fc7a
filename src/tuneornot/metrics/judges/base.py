"""The seam of metrics that must ask a model before they can judge.

A judged metric is written as a generator: it yields the questions that it has, is sent the answers,
may yield more, and returns a ruling. So it never holds a model, a store or a thread: ``judging``
gathers the questions of a whole run, and each of them is asked, kept and resumed like a question to
any arm. Nothing here knows what is asked.
"""

from __future__ import annotations

import abc
from collections.abc import Generator, Iterable
from typing import NamedTuple

from tuneornot import fingerprint
from tuneornot.metrics.base import Mark
from tuneornot.records import Case, Json, Prompt, Response, Sampling, Scale


class Question(NamedTuple):
    """What is put to one judge: the arm that answers, and the text that it is sent."""

    model: str
    prompt: Prompt
    sampling: Sampling
    text: str
    repeats: int = 1
    """Answers wanted; they differ only where the judge samples."""


class Vote(NamedTuple):
    """What one judge said of one answer, once."""

    judge: str
    repeat: int
    value: float | None
    reason: str = ""
    """What the judge gave as its reason, or why it is undecided."""
    orders: tuple[float, float] | None = None
    """For a preference: the value with the candidate shown first, and with it shown second."""


class Ruling(NamedTuple):
    """A metric's judgement of one answer, and the votes that it rests on."""

    mark: Mark
    votes: tuple[Vote, ...] = ()


Answers = tuple[tuple[Response, ...], ...]
"""For each question that was yielded its responses, repeats in order."""

Asking = Generator[tuple[Question, ...], Answers, Ruling]


class Exhibit(NamedTuple):
    """What a person is shown to judge the same thing as the judge."""

    task: str
    levels: tuple[str, ...]
    """Anchors from worst to best; empty where any share from 0 to 1 may be given."""
    material: tuple[tuple[str, str], ...]
    """Titles and texts, in the order of showing."""
    paired: bool = False
    """Whether the last two texts are answers to choose between."""

    @property
    def item(self) -> str:
        """Fingerprint of what is shown: the same thing keeps its labels wherever it turns up."""
        return fingerprint.of(
            [self.task, list(self.levels), [list(part) for part in self.material], self.paired]
        )


class Judged(abc.ABC):
    """A metric that asks models. As a plain ``Metric`` it can only say that nobody was asked."""

    name: str
    scale: Scale
    paired: bool = False
    """Whether an answer is judged against the baseline's answer to the same case."""

    @property
    @abc.abstractmethod
    def judges(self) -> tuple[str, ...]:
        """Names of the models that are asked."""

    @abc.abstractmethod
    def settings(self) -> dict[str, Json]:
        """What determines its values."""

    @abc.abstractmethod
    def judging(self, case: Case, text: str, other: str | None) -> Asking:
        """Judge an answer.

        Args:
            case: what was asked.
            text: the answer.
            other: the baseline's answer to the same case where the metric is paired; ``None`` for
                the baseline itself.
        """

    @abc.abstractmethod
    def exhibit(self, case: Case, text: str, other: str | None) -> Exhibit:
        """What a person is shown; arguments as in ``judging``."""

    def score(self, case: Case, response: Response) -> Mark:
        """Always ``None``: the judges must be asked first."""
        return Mark(None, f"the judges of {self.name!r} were not asked")


def judges(metrics: Iterable[object]) -> tuple[str, ...]:
    """The models that judge for some of these metrics, each once, in order."""
    named = [model for metric in metrics if isinstance(metric, Judged) for model in metric.judges]
    return tuple(dict.fromkeys(named))
