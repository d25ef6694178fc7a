"""What people said of the answers that a judge judged, and what that makes of the judge."""

from __future__ import annotations

from tuneornot.records.base import Record
from tuneornot.records.compared import Estimate


class Label(Record, frozen=True, kw_only=True):
    """One person's judgement of one thing that was shown."""

    item: str
    """Fingerprint of what was shown: task, levels and material, never the arm."""
    metric: str
    """Name of the metric under which it was drawn."""
    who: str
    value: float | None
    """From 0 (worst) to 1 (best), for a preference 1 for the candidate; ``None``: cannot say."""


class JudgedArm(Record, frozen=True, kw_only=True):
    """A judge on one arm's labelled answers."""

    arm: str
    n_answers: int
    n_undecided: int
    """Answers that the judge gave no score."""
    n_labelled: int
    bias: Estimate
    """Mean of judge minus people."""
    sensitivity: Estimate | None = None
    """Of a 0/1 metric: share of the answers that most people call good that the judge does."""
    specificity: Estimate | None = None


class OrderBias(Record, frozen=True, kw_only=True):
    """What a judge of preferences does when the two answers change places."""

    n_pairs: int
    """Pairs that were asked in both orders and decided in both."""
    inconsistent: Estimate
    """Share of them on which the judge changed its mind."""
    first: Estimate
    """Share of those changes that favoured whatever stood first; tested against one half."""


class Retest(Record, frozen=True, kw_only=True):
    """A judge against itself on the same answers."""

    n_answers: int
    n_repeats: int
    alpha: Estimate
    """Krippendorff's alpha between its repeats."""
    noise: float
    """Standard deviation between repeats on one answer: the judge's."""
    model_noise: float | None = None
    """Standard deviation between a model's repeats on one case, less the judge's part."""


class Calibration(Record, frozen=True, kw_only=True):
    """One judge of one metric, held against people."""

    metric: str
    judge: str
    """Its model; of a metric as a whole with several judges, their names together."""
    n_labelled: int
    """Answers with a label and a score."""
    n_people: int
    kappa: Estimate
    """Judge against the mean of the people."""
    alpha: Estimate
    """Krippendorff's alpha of the judge and each person."""
    alpha_of_people: Estimate | None = None
    """Of the people among themselves, where an answer has two labels."""
    arms: tuple[JudgedArm, ...] = ()
    length: Estimate | None = None
    """Slope of judge minus people on the answer's length, for one standard deviation of it."""
    order: OrderBias | None = None
    retest: Retest | None = None
    own: tuple[str, ...] = ()
    """Arms that run the judge's own model."""
    favour: Estimate | None = None
    """Judge minus people on those arms, less the same on the others, paired by case."""
