"""The methods that were tried for means of grades, each for many data sets at once.

A method takes differences of shape (sets, n) and gives bounds: a dict from error rate to the pair
(lower, upper), each of shape (sets,) and each one-sided at that rate. A two-sided 95% interval is
the pair at 0.025.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from tuneornot.stats import studentised

Floats = NDArray[np.float64]
Bounds = dict[float, tuple[Floats, Floats]]
Method = Callable[[Floats, float | None], Bounds]
RATES = (0.025, 0.05)


def moments(d: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean, standard error and skewness (with the usual correction), each (sets,)."""
    n = d.shape[1]
    mean = d.mean(axis=1)
    centred = d - mean[:, np.newaxis]
    variance = (centred**2).mean(axis=1)
    third = (centred**3).mean(axis=1)
    skew = np.where(variance > 0, third / np.where(variance > 0, variance, 1.0) ** 1.5, 0.0)
    return mean, np.sqrt(variance / (n - 1)), skew * np.sqrt(n * (n - 1)) / (n - 2)


def student(d: Floats, span: float | None) -> Bounds:
    mean, error, _ = moments(d)
    t = {rate: stats.t.isf(rate, d.shape[1] - 1) for rate in RATES}
    return {rate: (mean - error * t[rate], mean + error * t[rate]) for rate in RATES}


def johnson(d: Floats, span: float | None) -> Bounds:
    """Johnson (1978): both bounds move by g (2 t^2 + 1) / (6 sqrt n)."""
    mean, error, skew = moments(d)
    n = d.shape[1]
    found: Bounds = {}
    for rate in RATES:
        t = stats.t.isf(rate, n - 1)
        moved = mean + error * skew * (2 * t * t + 1) / (6 * np.sqrt(n))
        found[rate] = (moved - error * t, moved + error * t)
    return found


def hall(d: Floats, span: float | None) -> Bounds:
    """Hall (1992): the monotone cubic transformation of t, inverted."""
    mean, error, skew = moments(d)
    n = d.shape[1]
    a, b = skew / (3 * np.sqrt(n)), skew / (6 * np.sqrt(n))
    safe = np.where(np.abs(a) < 1e-9, 1.0, a)

    def back(x: float) -> Floats:
        bent = (np.cbrt(1 + 3 * a * (x - b)) - 1) / safe
        return np.where(np.abs(a) < 1e-9, x - b, bent)

    t = {rate: float(stats.t.isf(rate, n - 1)) for rate in RATES}
    return {r: (mean - error * back(t[r]), mean - error * back(-t[r])) for r in RATES}


def _resampled(d: Floats, n_resamples: int = 4000) -> tuple[Floats, Floats]:
    """Bootstrap means and standard deviations of centred data; one set of counts serves all."""
    n = d.shape[1]
    counts = np.random.default_rng(n).multinomial(n, np.full(n, 1 / n), size=n_resamples) / n
    centred = d - d.mean(axis=1, keepdims=True)
    means = centred @ counts.T
    return means, np.sqrt(np.maximum((centred**2) @ counts.T - means**2, 0.0))


def bootstrap_t(d: Floats, span: float | None) -> Bounds:
    """Efron (1981); a resample without variance counts as infinite on its side."""
    mean, error, _ = moments(d)
    means, sds = _resampled(d)
    flat = sds < 1e-9
    pivot = np.where(flat, np.sign(np.round(means, 9)) * 1e6, means / np.where(flat, 1.0, sds))
    pivot = np.sort(pivot * np.sqrt(d.shape[1] - 1), axis=1)
    n_resamples = pivot.shape[1]

    def quantile(p: float) -> Floats:
        return pivot[:, int(p * (n_resamples + 1)) - 1]

    return {r: (mean - error * quantile(1 - r), mean - error * quantile(r)) for r in RATES}


def bca(d: Floats, span: float | None) -> Bounds:
    """Efron (1987), bias-corrected and accelerated."""
    mean, _, skew = moments(d)
    means = np.sort(_resampled(d)[0], axis=1)
    size = means.shape[1]
    share = (means < -1e-12).mean(axis=1) + (np.abs(means) <= 1e-12).mean(axis=1) / 2
    bias = special.ndtri(np.clip(share, 1 / size, 1 - 1 / size))
    speed = skew / (6 * np.sqrt(d.shape[1]))

    def quantile(p: float) -> Floats:
        z = bias + special.ndtri(p)
        level = special.ndtr(bias + z / (1 - speed * z))
        at = np.clip((level * (size + 1)).astype(np.intp), 1, size) - 1
        return mean + np.take_along_axis(means, at[:, np.newaxis], axis=1)[:, 0]

    return {rate: (quantile(rate), quantile(1 - rate)) for rate in RATES}


def _log_ratio(gap: Floats) -> Floats:
    """-2 log likelihood ratio of a mean from which the cases lie ``gap`` (sets, n) away."""
    # The multiplier lies where every weight is positive; the sum falls in it.
    low = -1 / np.maximum(gap.max(axis=1), 1e-300)
    high = -1 / np.minimum(gap.min(axis=1), -1e-300)
    for _ in range(24):
        middle = (low + high) / 2
        positive = (gap / (1 + middle[:, np.newaxis] * gap)).sum(axis=1) > 0
        low, high = np.where(positive, middle, low), np.where(positive, high, middle)
    inner = 1 + ((low + high) / 2)[:, np.newaxis] * gap
    return np.asarray(2 * np.log(np.maximum(inner, 1e-300)).sum(axis=1))


def empirical_likelihood(d: Floats, span: float | None) -> Bounds:
    """Owen (1988), with the F quantile; bounds found by halving between the mean and the ends."""
    mean = d.mean(axis=1)
    n = d.shape[1]

    def ratio(at: Floats) -> Floats:
        return _log_ratio(d - at[:, np.newaxis])

    def bound(rate: float, end: Floats) -> Floats:
        limit = stats.f.isf(2 * rate, 1, n - 1)
        near, far = mean.copy(), end.copy()
        for _ in range(14):
            middle = (near + far) / 2
            inside = ratio(middle) < limit
            near, far = np.where(inside, middle, near), np.where(inside, far, middle)
        return (near + far) / 2

    return {rate: (bound(rate, d.min(axis=1)), bound(rate, d.max(axis=1))) for rate in RATES}


def adjusted_likelihood(d: Floats, span: float | None) -> Bounds:
    """Chen, Variyath & Abraham (2008): one more case at -a times the mean gap, a = log(n)/2.

    The ratio stays finite as a mean moves off, so bounds are sought within 16 standard errors.
    """
    n = d.shape[1]
    mean, error, _ = moments(d)
    weight = max(1.0, np.log(n) / 2)

    def ratio(at: Floats) -> Floats:
        gap = d - at[:, np.newaxis]
        gap = np.concatenate([gap, -weight * gap.mean(axis=1, keepdims=True)], axis=1)
        return _log_ratio(gap)

    def bound(rate: float, sign: int) -> Floats:
        limit = stats.f.isf(2 * rate, 1, n - 1)
        near, far = mean.copy(), mean + sign * 16 * error
        for _ in range(16):
            middle = (near + far) / 2
            inside = ratio(middle) < limit
            near, far = np.where(inside, middle, near), np.where(inside, far, middle)
        return np.asarray((near + far) / 2)

    return {rate: (bound(rate, -1), bound(rate, 1)) for rate in RATES}


def median_of_means(d: Floats, span: float | None) -> Bounds:
    """Bounds of the median of 8 block means by the sign test: of the extremes, of the next."""
    blocks, n = 8, d.shape[1]
    means = np.sort(d[:, : n // blocks * blocks].reshape(len(d), blocks, -1).mean(axis=2), axis=1)
    return {0.025: (means[:, 0], means[:, -1]), 0.05: (means[:, 1], means[:, -2])}


def skewed_more(d: Floats, span: float | None) -> Bounds:
    """The shipped method with skewness raised by 2.5 everywhere."""
    return skewed(d, span, 2.5, 0.0)


def shipped(d: Floats, span: float | None) -> Bounds:
    """``studentised.skew_t`` for many sets at once; ``check`` holds it to the shipped one."""
    more = studentised.UNBOUNDED if span is None else 0.0
    return skewed(d, span, studentised.SKEW_FACTOR, more)


def skewed(
    d: Floats, span: float | None, factor: float, more: float, *, ranged: bool = True
) -> Bounds:
    """Johnson's term on the long side, raised by ``factor`` and more the longer the tail."""
    n = d.shape[1]
    mean = d.mean(axis=1)
    centred = d - mean[:, np.newaxis]
    away = d - np.median(d, axis=1, keepdims=True)
    differing = np.count_nonzero(away, axis=1)
    used = span is not None and ranged
    weight = np.exp(-differing / studentised.FADING) if used else np.zeros(len(d))
    far = (away**2).sum(axis=1) + weight * (span or 0.0) ** 2
    pseudo = far / np.maximum(differing + weight, 1e-300)
    total = (centred**2).sum(axis=1) * n / (n - 1) + 2 * pseudo
    third = (centred**3).sum(axis=1) * (n / (n - 1)) ** 1.5 / np.maximum(total, 1e-300) ** 1.5
    skew = third * np.sqrt(n * (n - 1)) / (n - 2)
    lean = factor * (1 + more * np.abs(skew)) * skew / 6
    error = np.sqrt(total) / n
    found: Bounds = {}
    for rate in RATES:
        t = float(stats.t.isf(rate, n - 1))
        long, short = t + np.abs(lean) * (2 * t * t + 1), t
        lower = mean - error * np.where(lean < 0, long, short)
        found[rate] = (lower, mean + error * np.where(lean > 0, long, short))
    return found


def check(d: Floats, span: float | None) -> None:
    """Refuse to go on if the method above is not the one that the package ships."""
    ours = shipped(d, span)
    for row, values in enumerate(d):
        single = studentised.skew_t(values, None, span=span, name="t")
        for rate in RATES:
            np.testing.assert_allclose(ours[rate][0][row], single.lower(rate), rtol=1e-9)
            np.testing.assert_allclose(ours[rate][1][row], single.upper(rate), rtol=1e-9)


METHODS: dict[str, Method] = {
    "t": student,
    "Johnson t": johnson,
    "Hall": hall,
    "bootstrap-t": bootstrap_t,
    "BCa": bca,
    "emp. likelihood": empirical_likelihood,
    "adj. likelihood": adjusted_likelihood,
    "median of means": median_of_means,
    "skewness x 2.5": skewed_more,
    "shipped": shipped,
}
SLOW = {"bootstrap-t", "BCa", "emp. likelihood", "adj. likelihood"}
"""Methods that resample or search: given fewer sets."""
