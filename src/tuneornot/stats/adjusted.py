"""The mean difference with the luck of the draw taken out: regression on what was known before.

The cases of an eval set are a draw; some draws are harder, longer, or richer in one slice than the
cases that they stand for. Where such covariates are known for a much larger pool of cases, which
needs no answers and no labels, the part of the difference that they explain is freed from sampling
error. Without a pool there is nothing to gain: at the sample's own means the adjusted estimate is
the plain one.

Covariates must not depend on either arm's answers on the eval set, or on what was measured there.
It does not choose covariates: name them before the data.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from tuneornot.records import Estimate
from tuneornot.stats import bounds, cases, unseen
from tuneornot.stats.cases import Floats, Scale
from tuneornot.stats.studentised import SkewT, skew_t

CASES_FOR_EACH = 10
"""Cases needed for each covariate: with fewer the residuals are too small for their spread."""


def difference(
    baseline: ArrayLike,
    candidate: ArrayLike,
    covariates: ArrayLike,
    pool: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    scale: Scale = (None, None),
    alpha: float = 0.05,
) -> Estimate:
    """Mean difference at the pool's covariate means, with interval, bounds and test.

    The intercept of the least-squares regression of the differences on the covariates less their
    pool means. Its error comes from residuals corrected for leverage, e_i w_i / (1 - h_i) with
    w_i the weight of case i in the intercept, in the same skewness-adjusted t as the plain mean;
    the pool's own sampling error, b' S b / N, is added. Scores that no case has shown are allowed
    for as in the plain mean.

    Args:
        baseline: (n,) or (n, repeats), NaN for unscored; paired by row with ``candidate``.
        candidate: the same for the same cases.
        covariates: (n,) or (n, k), of the same cases; finite. Slices as 0/1 columns, one less
            than there are slices.
        pool: (N,) or (N, k), of the cases that the eval set stands for; may contain it.
        groups: (n,) labels; cases of one group are not independent.
        scale: least and greatest possible score, ``None`` where there is none.
        alpha: error rate of the interval, and of each one-sided bound.

    Raises:
        ValueError: shapes do not fit, a covariate is not finite, or there are fewer than
            ``CASES_FOR_EACH`` cases for each covariate.

    Source: Cochran, W. G. (1977), Sampling Techniques, 3rd edition, section 7.1 to 7.8 (linear
    regression estimator, double sampling).
    """
    known, wide = _columns(covariates, "covariates"), _columns(pool, "pool")
    found = cases.two(baseline, candidate, groups)
    scored = cases.scored(baseline, candidate)
    if len(known) != len(scored) or known.shape[1] != wide.shape[1] or len(wide) < 2:
        raise ValueError(
            f"covariates must have a row for each of the {len(scored)} cases and the pool the same "
            f"columns, but they have shapes {known.shape!r} and {wide.shape!r}."
        )
    k = known.shape[1]
    if found.n < CASES_FOR_EACH * (k + 1):
        raise ValueError(
            f"Adjusting for {k} covariates needs at least {CASES_FOR_EACH * (k + 1)} scored cases, "
            f"not {found.n!r}; name fewer covariates."
        )
    gains = found.values[:, 1] - found.values[:, 0]
    value, slopes, values = _intercept(gains, known[scored] - wide.mean(axis=0))
    span = None if scale[0] is None or scale[1] is None else scale[1] - scale[0]
    spread = float(slopes @ np.atleast_2d(np.cov(wide, rowvar=False)) @ slopes) / len(wide)

    def seen(*, ranged: bool) -> SkewT:
        plain = skew_t(
            values, found.codes, span=span, name="regression-adjusted paired t", ranged=ranged
        )
        error = math.sqrt(plain.error**2 + spread)
        return replace(plain, value=value, error=error, df=plain.df - k)

    hidden = unseen.mean(found.values, values, value, scale)
    method = unseen.outer(seen(ranged=True), seen(ranged=False), hidden)
    return bounds.estimate(method, alpha=alpha, null=0.0, noise=method.noise)


def _intercept(gains: Floats, known: Floats) -> tuple[float, Floats, Floats]:
    """Intercept, slopes, and for each case the intercept plus its influence on it."""
    design = np.column_stack([np.ones(len(known)), known])
    inverse = np.linalg.pinv(design)
    fitted = inverse @ gains
    residuals = gains - design @ fitted
    leverage = np.einsum("ij,ji->i", design, inverse)
    # The plain mean's own share, 1/n, is corrected for by the t statistic itself.
    kept = np.maximum(1 - leverage + 1 / len(gains), 1e-6)
    influence = len(gains) * inverse[0] * residuals / kept
    return float(fitted[0]), fitted[1:], fitted[0] + influence - influence.mean()


def _columns(table: ArrayLike, name: str) -> Floats:
    columns = np.asarray(table, dtype=np.float64)
    columns = columns[:, np.newaxis] if columns.ndim == 1 else columns
    if columns.ndim != 2 or not np.all(np.isfinite(columns)):
        raise ValueError(
            f"{name} must be finite numbers of shape (n,) or (n, k); "
            "leave out cases whose covariates are unknown."
        )
    return columns
