"""Responses, scores and runs: what an arm did on a dataset."""

from __future__ import annotations

import functools
from typing import Literal

from tuneornot.records.arms import Arm
from tuneornot.records.base import Record
from tuneornot.records.cases import Case, Dataset, Passage
from tuneornot.records.priced import Price

Purpose = Literal["answer", "latency"]


class Response(Record, frozen=True, kw_only=True):
    """What an arm answered to one case once. Kept as soon as it exists."""

    arm: str
    """Fingerprint of the arm."""
    question: str
    """Fingerprint of what was asked (``Case.question``)."""
    repeat: int = 0
    purpose: Purpose = "answer"
    """``latency``: asked alone, one at a time, to time it; its text is not scored."""
    text: str | None = None
    reasoning: str | None = None
    """What the model wrote before its answer, where its prompt lets it think or takes steps; not
    part of ``text``."""
    error: str | None = None
    """Why there is no text. Exactly one of text and error is set."""
    finish: Literal["stop", "length", "other"] | None = None
    n_input_tokens: int | None = None
    n_cached_tokens: int | None = None
    """Those of the input that the server had read before, where it tells."""
    n_output_tokens: int | None = None
    latency_s: float | None = None
    """From sending to the last token, without queueing and without earlier tries.

    In a local batch: the time until this row was finished, so compare only under equal load."""
    first_token_s: float | None = None
    """From sending to the first token, where the model tells when that was."""
    logprobs: tuple[float, ...] | None = None
    """Of each token of the answer, in nats, where ``Sampling.logprobs`` wanted them; not kept where
    the model thought first, since tokens do not tell where the answer begins."""
    alternatives: tuple[dict[str, float], ...] | None = None
    """At each token of the answer the likeliest tokens with their log-probabilities."""
    load: int = 1
    """How many requests were in flight (for a local model: rows in the batch)."""
    n_tries: int = 1

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What identifies it in the store."""
        return (self.arm, self.question, self.repeat, self.purpose)


class Score(Record, frozen=True, kw_only=True):
    """How one answer was judged by one metric."""

    metric: str
    case_id: str
    repeat: int = 0
    value: float | None = None
    reason: str | None = None
    """Why the value is ``None``, or what was found; always set where the value is ``None``."""
    parts: tuple[float, ...] | None = None
    """What this answer adds to the sums that a whole-run figure is made from (``Scale.whole``)."""


class Scale(Record, frozen=True, kw_only=True):
    """What a metric's values can be."""

    better: Literal["higher", "lower"] = "higher"
    low: float | None = 0.0
    high: float | None = 1.0
    binary: bool = False
    unit: str = ""
    """For example ``s`` or ``tokens``; empty for a share or a grade."""
    whole: bool = False
    """The figure of a run is made from the sums of its scores' parts; it is no mean of values."""

    @property
    def best(self) -> float | None:
        """The value that nothing is better than; ``None`` where there is no such end."""
        return self.high if self.better == "higher" else self.low


class Retrieved(Record, frozen=True, kw_only=True):
    """What was shown with each question of a run."""

    passages: tuple[Passage, ...]
    """Every passage that was shown, once."""
    shown: dict[str, tuple[str, ...]]
    """By case id the ids of its passages, best first; empty where none was found."""
    answered: dict[str, bool] = {}
    """By case id whether a passage holds the expected answer, for cases that expect a text."""

    def of(self, case_id: str) -> tuple[Passage, ...]:
        """The passages that were shown with a case, best first."""
        return tuple(self._by_id[one] for one in self.shown.get(case_id, ()))

    @functools.cached_property
    def _by_id(self) -> dict[str, Passage]:
        return {passage.id: passage for passage in self.passages}


class Run(Record, frozen=True, kw_only=True):
    """One arm's responses and scores on one dataset."""

    arm: Arm
    dataset: Dataset
    metrics: dict[str, Scale]
    n_repeats: int
    responses: tuple[Response, ...]
    """For every case and repeat one response, in the order of the cases."""
    scores: tuple[Score, ...]
    timings: tuple[Response, ...] = ()
    """The responses asked one at a time, for latency."""
    price: Price | None = None
    """What the arm's model costs, where the study has a price file that names it."""
    judged: dict[str, tuple[str, ...]] = {}
    """By metric whose scores are an opinion the judges' models; none where it is that of rules."""
    paired: tuple[str, ...] = ()
    """Those of them by which the baseline has 0.5 everywhere: preferences."""
    labels: tuple[Score, ...] = ()
    """What people said of the same answers under a judged metric, where they did: the mean over
    the people who labelled an answer."""
    retrieved: Retrieved | None = None
    """What was shown with each question, for an arm with retrieval."""

    @property
    def asked(self) -> tuple[Case, ...]:
        """The dataset's cases as the arm was asked them: with their passages, if it had any."""
        cases, found = self.dataset.cases, self.retrieved
        if found is None:
            return cases
        return tuple(case.grounded(found.of(case.id)) for case in cases)
