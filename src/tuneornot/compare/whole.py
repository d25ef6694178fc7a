"""One whole-run metric to one contrast: figures of sums, their difference, and details.

What is a mean in other contrasts is a function of the sums here. Spread, tails, distributions and
slices of a figure that no single case has are not made; wins, ties, losses and the cases that
changed go by the values of single cases. Several trainings or repeats count as one run of all their
answers, each case once.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

import numpy as np

from tuneornot.compare import tables
from tuneornot.compare.contrasts import Names, flips, left_out
from tuneornot.compare.sides import Rng, Sides, sides
from tuneornot.compare.tables import Floats, Parts, Table
from tuneornot.errors import DataError
from tuneornot.metrics.base import Whole
from tuneornot.records import Contrast, Detail, Estimate, Run
from tuneornot.stats import distributions, paired, planning, spread
from tuneornot.stats.whole import Figure, Limits, Paired


def contrast(
    table: Table, names: Names, metrics: Mapping[str, Whole], *, alpha: float = 0.05, rng: Rng = 0
) -> Contrast:
    """The contrast of a whole-run metric.

    Args:
        table: with parts.
        names: of dataset and arms.
        metrics: the whole-run metrics by name.
        alpha: error rate of every interval and of every one-sided bound.
        rng: seed or generator of the resampling.

    Raises:
        DataError: the metric is not among ``metrics``, so that its figure is not known.
    """
    own = sides(table)
    wins, ties, losses = distributions.tally(own.baseline, own.answers)
    made = _Made(table, own, _known(table.metric, metrics), alpha=alpha, rng=rng)
    [(_, figure), *further] = made.metric.figures().items()
    first, second, apart = made.three(figure)
    return Contrast(
        metric=table.metric,
        dataset=names.dataset,
        baseline=names.baseline,
        candidate=names.candidate,
        scale=table.scale,
        n=own.n,
        n_groups=own.n_units if own.groups is not None and own.n_units < own.n else None,
        n_repeats=max(table.baseline.shape[1], table.candidate.shape[2]),
        n_unscored=own.n_unscored,
        baseline_mean=first,
        candidate_mean=second,
        mean=apart,
        seed_spread=made.seed_spread(figure),
        wins=wins,
        ties=ties,
        losses=losses,
        flips=flips(own),
        details=tuple(made.detail(name, of) for name, of in further),
        detectable=made.detectable(figure),
        caveats=(*made.caveats(), *table.caveats),
    )


def difference(
    table: Table, metrics: Mapping[str, Whole], *, alpha: float, rng: Rng = 0
) -> Estimate:
    """The difference of the metric's own figure alone; arguments as in ``contrast``."""
    made = _Made(table, sides(table), _known(table.metric, metrics), alpha=alpha, rng=rng)
    return made.difference(next(iter(made.metric.figures().values())))


def level(run: Run, metric: Whole) -> float:
    """The figure of one run; NaN where nothing was scored."""
    rows = tables.parts(run, metric.name)
    there = ~np.isnan(rows[:, 0])
    figure = next(iter(metric.figures().values()))
    return float(figure(rows[there].sum(axis=0))) if np.any(there) else math.nan


def _known(name: str, metrics: Mapping[str, Whole]) -> Whole:
    if name not in metrics:
        raise DataError(
            name,
            [f"a whole-run metric needs its figure, which is not among those of {[*metrics]!r}"],
            "Give the metric itself beside the runs.",
        )
    return metrics[name]


class _Made:
    """The estimates of one contrast, each from the same sums and the same resamples."""

    def __init__(self, table: Table, own: Sides, metric: Whole, *, alpha: float, rng: Rng) -> None:
        self.metric = metric
        self._sides = own
        self._scale = table.scale
        self._alpha = alpha
        self._rng = rng
        kept = _kept(table)
        self._by_seed = kept.candidate
        self._arms = (kept.baseline, _pooled(kept.candidate))

    @functools.cached_property
    def _paired(self) -> Paired | None:
        """None where there is too little for any interval."""
        own = self._sides
        if own.n_units < 3:
            return None
        if not all(self.metric.determined(rows.sum(axis=0)) for rows in self._arms):
            return None
        return Paired(
            *self._arms, self.metric.missed, groups=own.groups, alpha=self._alpha, rng=self._rng
        )

    def three(self, figure: Figure) -> tuple[Estimate, Estimate, Estimate]:
        """Of the baseline, of the candidate, and their difference, positive if better."""
        if self._paired is None:
            return paired.NAN, paired.NAN, paired.NAN
        within = (self._scale.low, self._scale.high)
        first, second = (self._paired.level(figure, arm, within=within) for arm in (0, 1))
        return first, second, self.difference(figure)

    def difference(self, figure: Figure) -> Estimate:
        """Candidate minus baseline, positive if better."""
        if self._paired is None:
            return paired.NAN
        low, high = self._scale.low, self._scale.high
        span = None if low is None or high is None else high - low
        within: Limits = (None, None) if span is None else (-span, span)
        turned = figure if self._scale.better == "higher" else lambda sums: -figure(sums)
        return self._paired.difference(turned, within=within)

    def detail(self, name: str, figure: Figure) -> Detail:
        """A further figure."""
        first, second, apart = self.three(figure)
        return Detail(name=name, baseline=first, candidate=second, difference=apart)

    def seed_spread(self, figure: Figure) -> Estimate | None:
        """Of the figure between trainings, on the cases that all of them have parts for."""
        if len(self._by_seed) < 2:
            return None
        shared = self._by_seed[:, ~np.any(np.isnan(self._by_seed[:, :, 0]), axis=0)]
        return spread.of_seeds(figure(shared.sum(axis=1)).tolist(), alpha=self._alpha)

    def detectable(self, figure: Figure) -> float | None:
        """Smallest true difference that these cases show, at the error that was seen."""
        sd = math.nan if self._paired is None else self._paired.deviation(figure)
        return planning.detectable(self._sides.n, sd=sd, alpha=self._alpha) if sd > 0 else None

    def caveats(self) -> tuple[str, ...]:
        """What limits the figures: the cases, then what the metric says of each arm's sums."""
        own = self._sides
        said = [*paired.scarcity(own.baseline, own.answers, groups=own.groups), *left_out(own)]
        said += [text for rows in self._arms for text in self.metric.limits(rows.sum(axis=0))]
        return tuple(dict.fromkeys(said))


def _kept(table: Table) -> Parts:
    """The rows that both arms have parts for: those that ``sides`` keeps."""
    assert table.parts is not None
    found = table.parts
    kept = ~np.isnan(found.baseline[:, 0]) & ~np.all(np.isnan(found.candidate[:, :, 0]), axis=0)
    return Parts(baseline=found.baseline[kept], candidate=found.candidate[:, kept])


def _pooled(by_seed: Floats) -> Floats:
    """(seeds, n, k) to each case's mean over the seeds that have it, (n, k)."""
    there = ~np.isnan(by_seed)
    pooled: Floats = np.where(there, by_seed, 0.0).sum(axis=0) / there.sum(axis=0)
    return pooled
