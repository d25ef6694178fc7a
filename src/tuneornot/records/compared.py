"""Estimates and contrasts: two arms on one dataset."""

from __future__ import annotations

from statistics import NormalDist
from typing import Literal

from tuneornot.records.arms import Check
from tuneornot.records.base import Record
from tuneornot.records.measured import Scale


class Estimate(Record, frozen=True, kw_only=True):
    """A figure with what is known of its error.

    ``low`` and ``high`` are the two-sided interval at ``level`` (95% for alpha 0.05). ``lower``
    and ``upper`` are one-sided bounds, each holding at ``level``: a claim "greater than m" at
    error rate alpha is ``lower > m``. NaN where the data do not determine the figure.
    """

    value: float
    low: float
    high: float
    lower: float
    upper: float
    level: float = 0.95
    method: str = ""
    """The standard name of the interval's method."""
    p_value: float | None = None
    """Two-sided, of "no difference", where that is a meaningful hypothesis."""
    noise: float | None = None
    """Standard error of what was seen alone, where the bounds allow for more than that."""

    @property
    def hangs_on_unseen(self) -> bool:
        """Whether most of the distance of a one-sided bound is not the noise of what was seen."""
        if self.noise is None:
            return False
        own = NormalDist().inv_cdf(self.level) * self.noise
        # Distances add in squares, so most of a distance is more than half of its square.
        return 2 * own**2 < max(self.value - self.lower, self.upper - self.value) ** 2


class SliceContrast(Record, frozen=True, kw_only=True):
    """The difference within one slice."""

    slice: str
    n: int
    raw: Estimate
    pooled: Estimate
    """Shrunk towards the whole (partial pooling)."""
    p_holm: float | None = None
    """p value of the raw difference, Holm-adjusted over the slices of this contrast."""


class QuantileShift(Record, frozen=True, kw_only=True):
    """Difference of one quantile of the two score distributions, in a simultaneous band."""

    q: float
    value: float
    low: float
    high: float


class Flip(Record, frozen=True, kw_only=True):
    """A case that one arm got clearly better than the other."""

    case_id: str
    difference: float


class Correction(Record, frozen=True, kw_only=True):
    """What labels of people make of a difference that a judge scored."""

    n_labelled: int
    """Cases with a label of either arm."""
    n_both: int
    """Cases with labels of both arms."""
    used: bool
    """Whether the contrast's means are the corrected ones: there are enough labels."""
    raw: Estimate
    """The judge's own mean difference."""
    corrected: Estimate
    """By prediction-powered inference."""
    pooled: Estimate | None = None
    """By Rogan and Gladen, for 0/1 scores: right only if the judge errs alike on both arms."""


class Aside(Record, frozen=True, kw_only=True):
    """A figure of a whole run that stands beside the verdict and takes no part in it."""

    figure: Literal["recall", "overconfidence", "calibration", "risk_area"]
    metric: str | None
    """The metric whose readings it is made from; ``None`` for what was retrieved."""
    dataset: str
    arm: str
    n: int
    """Answers (for ``recall`` cases) that it is made from."""
    value: float
    estimate: Estimate | None = None
    """The value with its interval, where there is an honest one."""
    chance: tuple[float, float] | None = None
    """Of a calibration error: its mean and 95% point if every confidence were true."""
    debiased: float | None = None
    """Of a calibration error: its root mean square form without the bias of small bins."""
    difference: Estimate | None = None
    """The arm minus the baseline on the same cases, where that is told."""
    curve: tuple[tuple[float, float], ...] = ()
    """Of a risk area: error rates by coverage, (share of answers taken, share of them wrong)."""


class Detail(Record, frozen=True, kw_only=True):
    """A further figure of a whole-run metric, for example the recall of one class."""

    name: str
    baseline: Estimate
    candidate: Estimate
    difference: Estimate
    """Candidate minus baseline, oriented as the metric."""


class Contrast(Record, frozen=True, kw_only=True):
    """One metric, two arms, one dataset. Differences are oriented: positive is better.

    Of a whole-run metric (``scale.whole``) the three means are its figures and their difference;
    wins, ties, losses and flips speak of the values of single cases.
    """

    metric: str
    dataset: str
    """Name of the dataset."""
    baseline: str
    candidate: str
    scale: Scale
    n: int
    """Cases with a score from both arms."""
    n_groups: int | None = None
    """Independent groups among them; ``None`` where each case is its own."""
    n_repeats: int = 1
    n_unscored: tuple[int, int] = (0, 0)
    """Cases left out for want of any score, (baseline, candidate)."""
    baseline_mean: Estimate
    candidate_mean: Estimate
    mean: Estimate
    """Mean paired difference."""
    ratio: Estimate | None = None
    """Candidate / baseline of the means, for positive unbounded quantities (latency, tokens)."""
    spread: Estimate | None = None
    """Ratio of the standard deviations between cases, candidate / baseline."""
    instability: Estimate | None = None
    """Difference of the standard deviations between repeats of one case."""
    seed_spread: Estimate | None = None
    """Standard deviation of the candidate's mean between trainings that differ in the seed only."""
    worst_tenth: Estimate | None = None
    """Difference of the means of the worst tenth of each arm's scores."""
    catastrophic: Estimate | None = None
    """Difference of the rates of the worst possible score; positive: the candidate has fewer."""
    quantiles: tuple[QuantileShift, ...] = ()
    wasserstein: Estimate | None = None
    """Distance between the two score distributions, in score units."""
    dominance: Estimate | None = None
    """Violation ratio of almost stochastic order: 0 the candidate dominates, 1 the baseline."""
    superiority: Estimate | None = None
    """Chance that the candidate beats the baseline on a case, ties counted half."""
    gain_probability: float | None = None
    """Posterior probability that the gain exceeds the margin; beside the test, never instead."""
    wins: int = 0
    ties: int = 0
    losses: int = 0
    flips: tuple[Flip, ...] = ()
    """The cases that differ most, at most 40, largest first."""
    slices: tuple[SliceContrast, ...] = ()
    details: tuple[Detail, ...] = ()
    """Further figures of a whole-run metric."""
    detectable: float | None = None
    """Smallest true difference that this many cases show with 80% power."""
    correction: Correction | None = None
    """For a judged metric with labels."""
    caveats: tuple[str, ...] = ()

    @property
    def p_value(self) -> float | None:
        """Two-sided p value of no mean difference."""
        return self.mean.p_value


POOLED = "stress"
"""The name of all perturbations together, where a set of changed cases is named."""


class Drop(Record, frozen=True, kw_only=True):
    """What one metric loses on changed cases, case by case; or on a set of other cases.

    Oriented like every difference: negative is a loss, and a negative ``difference`` means that the
    candidate loses more than the baseline.
    """

    metric: str
    dataset: str
    """The set of changed cases, ``stress`` for all perturbations together, or a set of others."""
    perturbation: str
    """Empty for all together, and for other cases."""
    strength: float | None
    main: bool
    other_cases: bool = False
    """Whether the set has cases of its own: then it is means that are compared, not cases."""
    scale: Scale
    n: int
    """Changed cases with both scores from both arms; of other cases those of that set."""
    n_groups: int | None = None
    plain: tuple[float, float]
    """Means without the change on the same cases, (baseline, candidate), in units of the metric;
    beside other cases the means on eval."""
    baseline: Estimate
    """The baseline's mean change."""
    candidate: Estimate
    difference: Estimate
    """The candidate's change minus the baseline's."""
    p_holm: float | None = None
    """p value of the difference, Holm-adjusted over the perturbations at the study's strength."""
    caveats: tuple[str, ...] = ()


BandName = Literal["rare", "middle", "common"]


class Band(Record, frozen=True, kw_only=True):
    """One metric of both arms on the cases of one band of rarity."""

    metric: str
    name: BandName
    least: float
    """Least count (or number of the column) among its cases."""
    most: float
    n: int
    """Cases with a score from both arms."""
    scale: Scale
    means: tuple[float, float]
    """(baseline, candidate), in units of the metric."""
    difference: Estimate
    """Candidate minus baseline, oriented so that positive is better."""
    p_holm: float | None = None
    """Of the difference, Holm-adjusted over the bands of this metric."""


class Comparison(Record, frozen=True, kw_only=True):
    """All contrasts of one candidate arm against the baseline arm."""

    baseline: str
    candidate: str
    alpha: float
    contrasts: tuple[Contrast, ...]
    checks: tuple[Check, ...] = ()
    """What was verified of the candidate before anything was believed."""
    bands: tuple[Band, ...] = ()
    """Both arms by rarity, where the study says what makes a case rare."""
    drops: tuple[Drop, ...] = ()
    """What each metric loses on changed cases, where the study names perturbations."""

    def contrast(self, metric: str, dataset: str) -> Contrast | None:
        """The contrast of a metric on a dataset, if it was measured."""
        for contrast in self.contrasts:
            if contrast.metric == metric and contrast.dataset == dataset:
                return contrast
        return None

    def drop(self, metric: str, dataset: str) -> Drop | None:
        """What a metric loses on a set of changed cases, if it was measured."""
        for drop in self.drops:
            if drop.metric == metric and drop.dataset == dataset:
                return drop
        return None
