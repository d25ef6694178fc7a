"""How well two who judge the same things agree, and on what their differences hang.

    kappa       two columns of judgements: Cohen's, weighted by squares where they are grades
    alpha       any number of columns with gaps: Krippendorff's, for numbers
    rate        a share of right judgements with its exact interval
    dependence  the slope of a difference on something it should not hang on

One formula serves 0/1 and grades alike: for two values a squared distance is whether they differ,
so quadratic weights give back the unweighted kappa and the nominal alpha. Nothing here knows who
judges; which of two columns is the truth is the caller's business.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from tuneornot.records import Estimate
from tuneornot.stats import bounds, units
from tuneornot.stats.cases import Cases, Codes, Floats
from tuneornot.stats.resampled import Percentile, undetermined
from tuneornot.stats.studentised import SkewT

KAPPA = "Cohen's kappa, quadratic weights"
ALPHA = "Krippendorff's alpha, interval"
SLOPE = "least squares, jackknife"


def kappa(
    first: ArrayLike,
    second: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    alpha: float = 0.05,
    rng: int | np.random.Generator = 0,
) -> Estimate:
    """Agreement of two columns beyond what their own frequencies give by chance.

    kappa = 1 - mean((a - b)^2) / (var a + var b + (mean a - mean b)^2), the denominator being the
    squared distance of independent judgements. With levels evenly spaced this is Cohen's weighted
    kappa with quadratic weights; with two levels Cohen's kappa. The interval is the expanded
    percentile of resampled units.

    Args:
        first, second: (n,) numbers; rows with NaN in either are left out.
        groups: (n,) labels of rows that are not independent, for example answers to one case.
        alpha: error rate of the interval and of each one-sided bound.
        rng: seed or generator of the resampling.

    Returns:
        1 for full agreement, 0 for chance. NaN with fewer than three units, or where neither
        column ever varies.

    Source: Cohen, J. (1968), Weighted kappa, Psychological Bulletin 70, 213-220.
    """
    a, b = (np.asarray(column, dtype=np.float64) for column in (first, second))
    kept = ~(np.isnan(a) | np.isnan(b))
    a, b = a[kept], b[kept]
    columns = np.column_stack([np.ones(len(a)), a, b, a * a, b * b, a * b])
    return _resampled(columns, _picked(groups, kept), _kappa, KAPPA, alpha, rng)


def alpha(
    judgements: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    alpha: float = 0.05,
    rng: int | np.random.Generator = 0,
) -> Estimate:
    """Krippendorff's alpha for numbers: 1 - observed / expected disagreement.

    With m_u judgements of thing u and n in all things that have at least two, the observed
    disagreement is the sum over u of squared distances of ordered pairs / (m_u - 1), over n; the
    expected one takes all ordered pairs, over n (n - 1).

    Args:
        judgements: (things, judges), NaN where a judge did not judge.
        groups, alpha, rng: as in ``kappa``, a label for each thing.

    Returns:
        1 for full agreement, 0 for chance. NaN as in ``kappa``.

    Source: Krippendorff, K. (2004), Content Analysis, second edition, section 11.3.
    """
    table = np.asarray(judgements, dtype=np.float64)
    counts = np.sum(~np.isnan(table), axis=1).astype(np.float64)
    kept = counts >= 2
    table, counts = table[kept], counts[kept]
    sums, squares = np.nansum(table, axis=1), np.nansum(table**2, axis=1)
    within = 2 * (counts * squares - sums**2) / (counts - 1)
    columns = np.column_stack([counts, sums, squares, within])
    return _resampled(columns, _picked(groups, kept), _alpha, ALPHA, alpha, rng)


def rate(successes: int, n: int, *, alpha: float = 0.05) -> Estimate:
    """A share with its exact interval (Clopper & Pearson 1934); NaN of nothing."""
    if n == 0:
        return undetermined(alpha, _Exact.name)
    return bounds.estimate(_Exact(successes, n), alpha=alpha, null=None)


def against_half(successes: int, n: int, *, alpha: float = 0.05) -> Estimate:
    """As ``rate``, with the exact two-sided test of one half (twice the smaller tail)."""
    if n == 0:
        return undetermined(alpha, _Exact.name)
    return bounds.estimate(_Exact(successes, n), alpha=alpha, null=0.5)


def dependence(
    differences: ArrayLike,
    on: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    alpha: float = 0.05,
) -> Estimate:
    """Slope of differences on a figure, with a test of no slope.

    Least squares with an intercept; the error is the jackknife's over units, which allows for
    noise that grows with ``on`` and for cases that go together (Bell & McCaffrey 2002, CR3).
    Student's t has the units less two.

    Args:
        differences: (n,) for example judge minus human; NaN is left out.
        on: (n,) for example how much longer the answer is.
        groups, alpha: as in ``kappa``.

    Returns:
        Units of the difference for each unit of ``on``. NaN with fewer than four units or where
        ``on`` does not vary.
    """
    y, x = (np.asarray(column, dtype=np.float64) for column in (differences, on))
    kept = ~(np.isnan(y) | np.isnan(x))
    y, x = y[kept], x[kept]
    codes = _picked(groups, kept)
    codes = np.arange(len(y)) if codes is None else codes
    count = int(codes.max(initial=-1)) + 1
    if count < 4 or np.ptp(x) == 0:
        return undetermined(alpha, SLOPE)
    # Centred first, so that sums of squares keep their digits.
    x, y = x - x.mean(), y - y.mean()
    columns = np.column_stack([np.ones(len(x)), x, y, x * x, x * y])
    by_unit = np.stack([np.bincount(codes, column, count) for column in columns.T], axis=1)
    total = by_unit.sum(axis=0)
    without = _slopes(total - by_unit)
    if not np.all(np.isfinite(without)):
        return undetermined(alpha, SLOPE)
    error = math.sqrt((count - 1) / count * float(np.sum((without - without.mean()) ** 2)))
    value = float(_slopes(total[np.newaxis])[0])
    made = SkewT(value=value, error=error, df=count - 2, lean=0.0, name=SLOPE)
    return bounds.estimate(made, alpha=alpha, null=0.0)


def _slopes(sums: Floats) -> Floats:
    """(k,) from (k, 5) sums of 1, x, y, x^2, xy; infinite where x does not vary."""
    n, x, y, xx, xy = sums.T
    spread = n * xx - x * x
    varies = spread > 1e-12 * n * xx
    found: Floats = np.where(varies, (n * xy - x * y) / np.where(varies, spread, 1.0), np.inf)
    return found


@dataclass(frozen=True)
class _Exact:
    """One proportion by the binomial distribution itself.

    Source: Clopper, C. J. & Pearson, E. S. (1934), Biometrika 26, 404-413.
    """

    successes: int
    n: int
    name = "Clopper-Pearson"

    @property
    def value(self) -> float:
        """The share of successes."""
        return self.successes / self.n

    def lower(self, alpha: float) -> float:
        """Lower bound at error rate ``alpha``."""
        if self.successes == 0:
            return 0.0
        return float(special.betaincinv(self.successes, self.n - self.successes + 1, alpha))

    def upper(self, alpha: float) -> float:
        """Upper bound at error rate ``alpha``."""
        if self.successes == self.n:
            return 1.0
        return float(special.betaincinv(self.successes + 1, self.n - self.successes, 1 - alpha))

    def p_above(self, threshold: float) -> float:
        """Probability of at least so many successes at the threshold."""
        return float(special.bdtrc(self.successes - 1, self.n, threshold))

    def p_below(self, threshold: float) -> float:
        """Probability of at most so many successes at the threshold."""
        return float(special.bdtr(self.successes, self.n, threshold))


def _kappa(sums: Floats) -> Floats:
    """(k,) from (k, 6) sums of 1, a, b, a^2, b^2, ab."""
    n, a, b, aa, bb, ab = sums.T
    seen = (aa + bb - 2 * ab) / n
    by_chance = (aa + bb) / n - 2 * a * b / n**2
    return _share(seen, by_chance)


def _alpha(sums: Floats) -> Floats:
    """(k,) from (k, 4) sums of judgements, values, squares and disagreement within."""
    n, values, squares, within = sums.T
    return _share(within / n, 2 * (n * squares - values**2) / (n * (n - 1)))


def _share(seen: Floats, by_chance: Floats) -> Floats:
    """1 - seen / by chance; 1 where a resample holds one value only, so that all agree."""
    varies = by_chance > 1e-12
    found: Floats = np.where(varies, 1 - seen / np.where(varies, by_chance, 1.0), 1.0)
    return found


def _resampled(
    columns: Floats,
    codes: Codes | None,
    statistic: Callable[[Floats], Floats],
    name: str,
    alpha: float,
    rng: int | np.random.Generator,
) -> Estimate:
    found = Cases(values=columns, codes=codes, n_unscored=0, n_repeats=1)
    if found.n_groups < 3 or _constant(columns):
        return undetermined(alpha, name)
    random = np.random.default_rng(rng)
    by_unit = units.of(found, random).sums(columns)
    draws = [
        statistic(weights @ by_unit)
        for weights in units.weights(len(by_unit), units.n_resamples(alpha), random)
    ]
    method = Percentile(
        value=float(statistic(by_unit.sum(axis=0)[np.newaxis])[0]),
        draws=np.concatenate(draws),
        n_units=len(by_unit),
        name=name,
    )
    return bounds.estimate(method, alpha=alpha, null=None)


def _constant(columns: Floats) -> bool:
    """Whether every judgement is the same value: there is nothing to agree on."""
    if columns.shape[1] == 6:
        return bool(np.ptp(columns[:, 1:3]) == 0)
    n, values, squares, _ = columns.sum(axis=0)
    return bool(n * squares - values**2 <= 1e-12 * max(squares, 1.0))


def _picked(groups: ArrayLike | None, kept: np.typing.NDArray[np.bool_]) -> Codes | None:
    if groups is None:
        return None
    codes: Codes = np.unique(np.asarray(groups)[kept], return_inverse=True)[1]
    return codes
