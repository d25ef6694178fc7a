"""Differences in the parts of a use case, each by itself and pulled towards the whole.

The best and the worst of many small slices are mostly luck. Partial pooling takes each slice's true
difference to be drawn from one normal distribution around a common mean, whose width the slices
themselves tell; a slice with few cases is pulled far, one with many hardly at all. The raw figures,
with Holm-adjusted tests, stand beside.

Nothing here knows what a slice means. Slices that overlap, and interactions between two ways of
slicing, are not covered.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from tuneornot.records import Estimate
from tuneornot.stats import cases, multiplicity, paired
from tuneornot.stats.cases import Cases, Floats, Scale
from tuneornot.stats.units import Rng

PRIOR_CASES = 5.0
"""How many cases' worth of the common variance is mixed into each slice's own: the variance of
three equal scores is not zero."""

PRIOR_WIDTH = 0.5
"""Scale of the prior of the width between slices, in standard deviations of the differences of
cases: slices that differ by more than about one such deviation are thought improbable."""

N_WIDTHS = 201


class Slice(NamedTuple):
    """The difference within one slice."""

    name: str
    n: int
    raw: Estimate
    pooled: Estimate
    p_holm: float | None


def differences(
    baseline: ArrayLike,
    candidate: ArrayLike,
    labels: Sequence[str],
    *,
    groups: ArrayLike | None = None,
    scale: Scale = (None, None),
    binary: bool | None = None,
    alpha: float = 0.05,
    rng: Rng = 0,
) -> tuple[Slice, ...]:
    """Each slice's mean difference, raw and partially pooled, largest slices first.

    Args:
        baseline: (n,) or (n, repeats), NaN for unscored; paired by row with ``candidate``.
        candidate: the same cases.
        labels: for each case the slice that it belongs to.
        groups: (n,) labels of cases that are not independent.
        scale: least and greatest possible score.
        binary: as in ``paired.difference``.
        alpha: error rate of each interval and bound.
        rng: seed or generator.

    Returns:
        One for each slice with a case that both arms have scored; empty where there are fewer than
        two. ``raw`` is NaN for a slice of one case, ``pooled`` is not.
    """
    both = [np.asarray(arm, dtype=np.float64) for arm in (baseline, candidate)]
    found = cases.two(both[0], both[1], groups)
    codes = _codes(both, labels)
    names, where, counts = np.unique(codes, return_inverse=True, return_counts=True)
    if len(names) < 2:
        return ()
    rows = np.asarray(labels, dtype=object)
    raw: list[Estimate] = []
    for name in names:
        chosen = rows == name
        raw.append(
            paired.difference(
                both[0][chosen],
                both[1][chosen],
                groups=None if groups is None else np.asarray(groups)[chosen],
                scale=scale,
                binary=binary,
                alpha=alpha,
                rng=rng,
            )
        )
    gains = found.values[:, 1] - found.values[:, 0]
    pooled = pool(
        np.bincount(where, gains) / counts,
        _variances(gains, where, counts, found),
        width=PRIOR_WIDTH * float(gains.std()),
        alpha=alpha,
    )
    adjusted = multiplicity.holm(
        [math.nan if one.p_value is None else one.p_value for one in raw]
    ).tolist()
    made = [
        Slice(str(name), int(n), own, drawn, None if math.isnan(p) else p)
        for name, n, own, drawn, p in zip(names, counts, raw, pooled, adjusted, strict=True)
    ]
    return tuple(sorted(made, key=lambda one: (-one.n, one.name)))


def pool(
    values: Floats, variances: Floats, *, width: float, alpha: float = 0.05
) -> tuple[Estimate, ...]:
    """Partially pooled estimates of several means, by a normal hierarchical model.

    d_k ~ Normal(theta_k, v_k), theta_k ~ Normal(mu, tau^2), flat prior of mu, half-normal prior of
    tau with scale ``width``. The posterior of tau is summed over a grid, given which everything is
    normal (Gelman et al. 2013, section 5.4); bounds are quantiles of the mixture, so that not
    knowing tau and mu widens them, which plugging in one estimate of tau would not.

    Args:
        values: (k,) the slices' own estimates.
        variances: (k,) of their errors, above 0 (all 0 where ``width`` is 0).
        width: scale of the prior of tau; 0 where no case differs at all.
        alpha: error rate of each interval and bound.

    Source: Gelman, A. et al. (2013), Bayesian data analysis, 3rd edition, chapter 5; Rover, C.
    (2020), Bayesian random-effects meta-analysis using the bayesmeta R package, Journal of
    Statistical Software 93(6).
    """
    if width == 0:
        return tuple(_certain(float(value), alpha) for value in values)
    tau = np.linspace(0.0, 4.0 * width, N_WIDTHS)[:, np.newaxis]
    total = variances + tau**2
    precision = np.sum(1 / total, axis=1, keepdims=True)
    centre = np.sum(values / total, axis=1, keepdims=True) / precision
    logged = -0.5 * np.sum(np.log(total) + (values - centre) ** 2 / total, axis=1)
    logged += -0.5 * np.log(precision[:, 0]) - 0.5 * (tau[:, 0] / width) ** 2
    mass = np.exp(logged - logged.max())
    mass /= mass.sum()
    pull = variances / total
    means = pull * centre + (1 - pull) * values
    sds = np.sqrt((1 - pull) * variances + pull**2 / precision)
    ends = [
        _mixture_quantile(level, mass, means, sds)
        for level in (alpha / 2, 1 - alpha / 2, alpha, 1 - alpha)
    ]
    return tuple(
        Estimate(
            value=float(value),
            low=float(low),
            high=float(high),
            lower=float(lower),
            upper=float(upper),
            level=1 - alpha,
            method="normal hierarchical model",
        )
        for value, low, high, lower, upper in zip(mass @ means, *ends, strict=True)
    )


def _codes(both: list[Floats], labels: Sequence[str]) -> np.typing.NDArray[np.object_]:
    """Labels of the cases that both arms have a score for."""
    return np.asarray(labels, dtype=object)[cases.scored(both[0], both[1])]


def _variances(gains: Floats, where: cases.Codes, counts: cases.Codes, found: Cases) -> Floats:
    """Error variance of each slice's mean: its own, mixed with the common one, over its cases.

    Groups count through one common design effect, the variance of the mean between groups over that
    between cases, at least 1.
    """
    means = np.bincount(where, gains) / counts
    squares = np.bincount(where, (gains - means[where]) ** 2)
    common = float(gains.var())
    mixed = (squares + PRIOR_CASES * common) / (counts - 1 + PRIOR_CASES)
    effect = 1.0
    if found.codes is not None and common > 0:
        by_group = np.bincount(found.codes, gains - gains.mean())
        effect = max(1.0, float(by_group @ by_group) / (found.n * common))
    variances: Floats = mixed * effect / counts
    return variances


def _mixture_quantile(level: float, mass: Floats, means: Floats, sds: Floats) -> Floats:
    """Quantile (k,) of mixtures of normals (T, k) with weights (T,), by bisection."""
    low = np.min(means - 10 * sds, axis=0)
    high = np.max(means + 10 * sds, axis=0)
    for _ in range(50):
        middle = (low + high) / 2
        below = mass @ special.ndtr((middle - means) / np.maximum(sds, 1e-300)) < level
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(high, dtype=np.float64)


def _certain(value: float, alpha: float) -> Estimate:
    """No case differs between the arms: nothing to pool and no spread to learn from."""
    nan = math.nan
    return Estimate(
        value=value,
        low=nan,
        high=nan,
        lower=nan,
        upper=nan,
        level=1 - alpha,
        method="normal hierarchical model",
    )
