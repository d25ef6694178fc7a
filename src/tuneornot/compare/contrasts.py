"""One table of scores to one contrast: every statistic, oriented so that positive is better.

Methods are chosen by the scale, the number of repeats and seeds and the groups, all known before
the scores; never by what the scores turn out to be. Differences of levels are candidate minus
baseline after turning; ``ratio`` and the two means stay in units of the metric.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import msgspec
import numpy as np

from tuneornot.compare.sides import Rng, Sides, sides
from tuneornot.compare.tables import Floats, Table
from tuneornot.records import (
    Contrast,
    Estimate,
    Flip,
    QuantileShift,
    Quantity,
    Scale,
    SliceContrast,
)
from tuneornot.stats import bayes, distributions, paired, planning, slices, spread, tails, unseen

MOST_FLIPS = 40
HEAVY = 10.0
"""Kurtosis above which intervals of a spread covered 91 to 94% in simulations of nominal 95%."""

ALLOWED = 0.05
"""How probable it is that failures of the share that a caveat names have not shown."""


class Names(NamedTuple):
    """What is compared."""

    dataset: str
    baseline: str
    candidate: str


def contrast(
    table: Table, names: Names, *, alpha: float = 0.05, margin: float = 0.0, rng: Rng = 0
) -> Contrast:
    """Every statistic of one metric.

    Args:
        table: the scores of both arms.
        names: of dataset and arms.
        alpha: error rate of every interval and of every one-sided bound.
        margin: the gain whose posterior probability is told.
        rng: seed or generator of everything that is resampled.
    """
    own = sides(table)
    made = _Made(own, table.scale, alpha=alpha, rng=rng)
    wins, ties, losses = distributions.tally(own.baseline, own.answers)
    grouped = own.groups is not None and own.n_units < own.n
    return Contrast(
        metric=table.metric,
        dataset=names.dataset,
        baseline=names.baseline,
        candidate=names.candidate,
        scale=table.scale,
        n=own.n,
        n_groups=own.n_units if grouped else None,
        n_repeats=max(table.baseline.shape[1], table.candidate.shape[2]),
        n_unscored=own.n_unscored,
        baseline_mean=made.level(own.baseline),
        candidate_mean=made.level(own.answers),
        mean=made.mean,
        ratio=made.ratio(),
        spread=made.spread(),
        instability=made.instability(),
        seed_spread=made.seed_spread(),
        worst_tenth=made.worst_tenth(),
        catastrophic=made.catastrophic(),
        quantiles=made.quantiles(),
        wasserstein=made.wasserstein(),
        dominance=made.dominance(),
        superiority=made.superiority(),
        gain_probability=made.gain_probability(margin),
        wins=wins,
        ties=ties,
        losses=losses,
        flips=flips(own),
        slices=made.slices(),
        detectable=made.detectable((wins + losses) / max(own.n, 1)),
        caveats=_caveats(table, own),
    )


def statistic(
    own: Sides, scale: Scale, quantity: Quantity, *, alpha: float, rng: Rng = 0
) -> Estimate | None:
    """One quantity of one metric; ``None`` where it does not exist for such scores.

    Args:
        own: the scores of both arms.
        scale: of the metric, before turning.
        quantity: which.
        alpha: error rate of the interval and of each one-sided bound.
        rng: seed or generator of everything that is resampled.
    """
    made = _Made(own, scale, alpha=alpha, rng=rng)
    match quantity:
        case "mean":
            return made.mean
        case "ratio":
            return made.ratio()
        case "spread":
            return made.spread()
        case "instability":
            return made.instability()
        case "worst_tenth":
            return made.worst_tenth()
        case "catastrophic":
            return made.catastrophic()
        case "drop" | "check":
            return None


class _Made:
    """The estimates of one contrast, each from the same sides at the same error rate."""

    def __init__(self, own: Sides, scale: Scale, *, alpha: float, rng: Rng) -> None:
        self.sides = own
        self.scale = scale
        self.alpha = alpha
        self.rng = rng

    @functools.cached_property
    def mean(self) -> Estimate:
        own = self.sides
        return paired.difference(
            own.baseline,
            own.answers,
            groups=own.groups,
            scale=own.scale,
            binary=own.binary,
            alpha=self.alpha,
            rng=self.rng,
        )

    def level(self, scores: Floats) -> Estimate:
        """One arm's mean in units of the metric."""
        made = paired.level(
            scores,
            groups=self.sides.groups,
            scale=self.sides.scale,
            binary=self.sides.binary,
            alpha=self.alpha,
            rng=self.rng,
        )
        return made if self.scale.better == "higher" else _mirrored(made, self.scale)

    def ratio(self) -> Estimate | None:
        """Of the means, for quantities that start at 0 and have no end."""
        if self.scale.low is None or self.scale.low < 0 or self.scale.high is not None:
            return None
        own = self.sides
        sign = 1.0 if self.scale.better == "higher" else -1.0
        return paired.ratio(
            sign * own.baseline,
            sign * own.answers,
            groups=own.groups,
            alpha=self.alpha,
            rng=self.rng,
        )

    def spread(self) -> Estimate:
        own = self.sides
        return spread.between_cases(
            own.baseline,
            own.answers,
            groups=own.groups,
            binary=own.binary,
            alpha=self.alpha,
            rng=self.rng,
        )

    def instability(self) -> Estimate | None:
        own = self.sides
        if own.baseline.shape[1] < 2 or own.candidate.shape[2] < 2:
            return None
        return spread.between_repeats(
            own.baseline, own.candidate, groups=own.groups, alpha=self.alpha, rng=self.rng
        )

    def seed_spread(self) -> Estimate | None:
        layers = np.moveaxis(self.sides.candidate, 1, 0)
        return spread.between_seeds(list(layers), alpha=self.alpha) if len(layers) > 1 else None

    def worst_tenth(self) -> Estimate:
        own = self.sides
        return tails.worst_tenth(
            own.baseline,
            own.answers,
            groups=own.groups,
            scale=own.scale,
            alpha=self.alpha,
            rng=self.rng,
        )

    def catastrophic(self) -> Estimate | None:
        """Of the worst possible score; ``None`` where there is none."""
        own = self.sides
        if own.scale[0] is None:
            return None
        if own.binary:
            return self.mean  # failing is the worst possible score of a 0/1 metric
        return tails.catastrophic(
            own.baseline,
            own.answers,
            threshold=own.scale[0],
            groups=own.groups,
            alpha=self.alpha,
            rng=self.rng,
        )

    def quantiles(self) -> tuple[QuantileShift, ...]:
        """None for single 0/1 scores, whose quantiles say less than the mean."""
        own = self.sides
        if own.binary:
            return ()
        found = tails.quantile_shift(
            own.baseline, own.answers, groups=own.groups, alpha=self.alpha, rng=self.rng
        )
        return tuple(QuantileShift(q=q, value=v, low=low, high=high) for q, v, low, high in found)

    def wasserstein(self) -> Estimate:
        own = self.sides
        return distributions.wasserstein(
            own.baseline, own.answers, groups=own.groups, alpha=self.alpha, rng=self.rng
        )

    def dominance(self) -> Estimate | None:
        """None for single 0/1 scores, where it is but the sign of the mean difference."""
        own = self.sides
        if own.binary:
            return None
        return distributions.dominance(
            own.baseline, own.answers, groups=own.groups, alpha=self.alpha, rng=self.rng
        )

    def superiority(self) -> Estimate:
        own = self.sides
        if own.binary:
            return distributions.halved(self.mean)
        return distributions.superiority(
            own.baseline, own.answers, groups=own.groups, alpha=self.alpha, rng=self.rng
        )

    def gain_probability(self, margin: float) -> float | None:
        own = self.sides
        found = bayes.gain_probability(
            own.baseline, own.answers, margin=margin, groups=own.groups, rng=self.rng
        )
        return None if math.isnan(found) else found

    def slices(self) -> tuple[SliceContrast, ...]:
        own = self.sides
        if own.slices is None:
            return ()
        found = slices.differences(
            own.baseline,
            own.answers,
            own.slices,
            groups=own.groups,
            scale=own.scale,
            binary=own.binary,
            alpha=self.alpha,
            rng=self.rng,
        )
        return tuple(
            SliceContrast(
                slice=each.name, n=each.n, raw=each.raw, pooled=each.pooled, p_holm=each.p_holm
            )
            for each in found
        )

    def detectable(self, disagreement: float) -> float | None:
        """Smallest true difference that these cases show, at the variance that was seen."""
        own = self.sides
        if own.n < 2 or disagreement == 0:
            return None
        if own.binary and own.groups is None:
            return planning.detectable(own.n, disagreement=disagreement, alpha=self.alpha)
        # Groups make each case worth less: what counts is the variance of the mean.
        sums = own.gains - own.gains.mean()
        if own.groups is not None:
            codes = np.unique(np.asarray(own.groups), return_inverse=True)[1]
            sums = np.bincount(codes, sums)
        deviation = math.sqrt(float(sums @ sums) / max(own.n - 1, 1))
        return planning.detectable(own.n, sd=deviation, alpha=self.alpha)


def _mirrored(made: Estimate, scale: Scale) -> Estimate:
    """A level taken back to units of the metric: its ends change places."""
    turn = -1.0
    shift = 0.0 if scale.low is None or scale.high is None else scale.low + scale.high
    return msgspec.structs.replace(
        made,
        value=shift + turn * made.value,
        low=shift + turn * made.high,
        high=shift + turn * made.low,
        lower=shift + turn * made.upper,
        upper=shift + turn * made.lower,
    )


def flips(own: Sides) -> tuple[Flip, ...]:
    """The cases that differ most in their values."""
    gains = own.gains
    order = np.argsort(-np.abs(gains), kind="stable")[:MOST_FLIPS].tolist()
    return tuple(
        Flip(case_id=own.case_ids[row], difference=float(gains[row])) for row in order if gains[row]
    )


def left_out(own: Sides) -> list[str]:
    """A sentence on the cases that an arm has no score for, if there are any."""
    first, second = own.n_unscored
    if not first and not second:
        return []
    return [
        f"{first} cases have no score from the baseline and {second} none from the candidate: "
        "failures are seldom a random choice of cases"
    ]


def _caveats(table: Table, own: Sides) -> tuple[str, ...]:
    """What limits this contrast, in sentences."""
    said = list(
        paired.caveats(
            own.baseline,
            own.answers,
            groups=own.groups,
            scale=own.scale,
            binary=own.binary,
        )
    )
    said += left_out(own)
    if (
        not own.binary
        and own.n > 3
        and max(_kurtosis(own.baseline), _kurtosis(own.answers)) > HEAVY
    ):
        said.append("scores have heavy tails: the interval of the spread is somewhat too narrow")
    if not own.binary and 0 < own.n < 100:
        said.append(f"the worst tenth is {own.n / 10:g} cases of each arm{_unseen(own)}")
    return (*said, *table.caveats)


def _unseen(own: Sides) -> str:
    """How many failures the bounds of the worst tenth allow for, where there is a worst score."""
    if own.scale[0] is None or own.n_units < 2:
        return ""
    share = unseen.share(own.n_units, ALLOWED)
    return f", and up to {share:.1%} of cases may fail without having shown"


def _kurtosis(scores: Floats) -> float:
    """Fourth standardised moment of all scores of an arm; 0 where they are all equal."""
    values = scores[~np.isnan(scores)]
    centred = values - values.mean()
    variance = float(np.mean(centred**2))
    return float(np.mean(centred**4)) / variance**2 if variance > 0 else 0.0
