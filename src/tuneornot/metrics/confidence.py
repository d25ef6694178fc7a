"""Metrics of how sure an answer is, against whether it is right.

    ConfidentWrong    sure and wrong
    Brier             squared distance of confidence and being right

Confidence comes from the log-probabilities of the answer's tokens, or from what the answer itself
states. Being right is what another metric of 0 and 1 says. Calibration error and risk against
coverage belong to whole runs: ``asides`` makes them from ``Confident.read``.

Neither source is a probability of being right by nature; that is what is measured here. The
log-probabilities of arms whose answers differ in length or wording are compared with care.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from tuneornot import fingerprint
from tuneornot.metrics.abstention import Forms
from tuneornot.metrics.base import Mark, Metric, settings_of
from tuneornot.records import Case, Json, Response, Sampling, Scale

STATED = r"confidence\D{0,20}?(\d+(?:[.,]\d+)?)\s*(%)?"
"""The word, then a number: 0.8, 80% or 80."""


class Reading(NamedTuple):
    """What one answer says of itself, and whether it is right."""

    confidence: float
    """From 0 to 1."""
    right: bool
    declines: str | None
    """The form by which it declines, if it does."""


class Unreadable(ValueError):
    """Confidence or being right cannot be told; the text says why."""


@dataclasses.dataclass(kw_only=True)
class Confident:
    """What the metrics of this file have in common."""

    name: str = "confidence"
    of: str | dict[str, Any] = "exact_match"
    """The metric that says whether an answer is right, as an entry; one of 0 and 1."""
    source: Literal["logprobs", "stated"] = "logprobs"
    """Where confidence comes from."""
    by: Literal["mean", "sum", "least"] = "mean"
    """Of log-probabilities: the exponential of their mean, their sum, or the least one."""
    pattern: str = STATED
    """Of a stated confidence: a regular expression whose first group is the number."""
    scale = Scale(better="lower")

    def __post_init__(self) -> None:
        self._declines = Forms()
        try:
            self._pattern = re.compile(self.pattern, re.IGNORECASE)
        except re.error as fault:
            raise ValueError(
                f"pattern must be a regular expression, got {self.pattern!r} ({fault}); mend it"
            ) from None
        if not self._pattern.groups:
            raise ValueError(f"pattern must have a group for the number, got {self.pattern!r}")

    def rest_on(self, metric: Metric) -> None:
        """Take the metric that says what is right."""
        if not metric.scale.binary:
            raise ValueError(
                f"being right must be told by a metric of 0 and 1, got {metric.name!r}; "
                "name another one"
            )
        self._metric = metric

    def read(self, case: Case, response: Response) -> Reading:
        """Confidence and being right of one answer.

        Raises:
            Unreadable: there is no confidence, or the other metric has no score.
        """
        answer, confidence = self._confidence(response)
        mark = self._metric.score(case, answer)
        if mark.value is None:
            raise Unreadable(mark.reason or f"{self._metric.name!r} could not judge the answer")
        better = self._metric.scale.better == "higher"
        right = mark.value == (self._metric.scale.high if better else self._metric.scale.low)
        return Reading(confidence, right, self._declines.found(answer.text or ""))

    @property
    def reads(self) -> str:
        """Fingerprint of how it reads confidence and being right, whatever it makes of them."""
        read = [self.source, self.by, self.pattern, self._metric.settings()]
        return fingerprint.of(read)

    def _settings(self, kind: str) -> dict[str, Json]:
        # Every subclass is a dataclass by itself, which the type checker cannot see from here.
        return settings_of(self, kind, of=self._metric.settings())

    def _confidence(self, response: Response) -> tuple[Response, float]:
        """The answer without what it states of itself, and its confidence."""
        if self.source == "stated":
            return self._stated(response)
        if not response.logprobs:
            raise Unreadable(
                "the response has no log-probabilities; set `sampling: {logprobs: 0}`, and use a "
                "model that tells them"
            )
        values = response.logprobs
        mean = {"mean": sum(values) / len(values), "sum": sum(values), "least": min(values)}
        return response, min(1.0, math.exp(min(0.0, mean[self.by])))

    def _stated(self, response: Response) -> tuple[Response, float]:
        text = response.text or ""
        # The last one: a reasoning may speak of confidence before it states its own.
        found = next(reversed([*self._pattern.finditer(text)]), None)
        if found is None or found[1] is None:
            raise Unreadable("the answer states no confidence")
        try:
            value = float(found[1].replace(",", "."))
        except ValueError:
            raise Unreadable(f"the confidence must be a number, found {found[1][:60]!r}") from None
        if value > 1 or "%" in found[0]:
            value /= 100
        if not 0 <= value <= 1:
            raise Unreadable(f"the confidence must be from 0 to 1 or 0% to 100%, found {value:g}")
        rest = (text[: found.start()] + text[found.end() :]).strip()
        return msgspec.structs.replace(response, text=rest), value


@dataclasses.dataclass(kw_only=True)
class ConfidentWrong(Confident):
    """1 if the answer is wrong with a confidence of ``threshold`` or more, else 0; less is better.

    An answer that declines claims nothing and has 0.
    """

    name: str = "confident_wrong"
    threshold: float = 0.8
    """Confidence from which on an answer counts as sure."""
    scale = Scale(better="lower", binary=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.threshold <= 1:
            raise ValueError(f"threshold must be above 0 and at most 1, got {self.threshold!r}")

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return self._settings("confident_wrong")

    def score(self, case: Case, response: Response) -> Mark:
        """1 or 0 with the confidence; ``None`` where it or being right cannot be told."""
        try:
            found = self.read(case, response)
        except Unreadable as reason:
            return Mark(None, str(reason))
        wrong = not found.right and found.declines is None
        return Mark(
            float(wrong and found.confidence >= self.threshold),
            f"confidence {found.confidence:.2f}",
        )


@dataclasses.dataclass(kw_only=True)
class Brier(Confident):
    """(confidence - right)^2, from 0 to 1; less is better.

    A proper score: it is least, on average, where confidence is the true chance of being right.
    0.25 is what a constant 0.5 has. An answer that declines has no score.

    Source: Brier, G. W. (1950), Verification of forecasts expressed in terms of probability,
    Monthly Weather Review 78, 1-3.
    """

    name: str = "brier"

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return self._settings("brier")

    def score(self, case: Case, response: Response) -> Mark:
        """The squared distance; ``None`` where the answer declines or it cannot be told."""
        try:
            found = self.read(case, response)
        except Unreadable as reason:
            return Mark(None, str(reason))
        if found.declines is not None:
            return Mark(None, f"the answer declines: {found.declines!r}")
        return Mark(
            (found.confidence - found.right) ** 2,
            f"confidence {found.confidence:.2f}, {'right' if found.right else 'wrong'}",
        )


def faults(metrics: Sequence[Metric], samplings: Mapping[str, Sampling]) -> list[str]:
    """A sentence for each metric that reads log-probabilities which some arm is not asked for.

    Args:
        metrics: those of a study.
        samplings: of every arm, by its name.
    """
    without = [arm for arm, sampling in samplings.items() if sampling.logprobs is None]
    return [
        f"metrics: {metric.name!r} reads log-probabilities, which are not asked for with the arms "
        f"{without}; write `sampling: {{logprobs: 0}}`, or `source: stated`"
        for metric in metrics
        if isinstance(metric, Confident) and metric.source == "logprobs" and without
    ]
