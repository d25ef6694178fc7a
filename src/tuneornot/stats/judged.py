"""Means of what a fallible judge scored, put right by the truth of a few labelled cases.

    powered        prediction-powered inference: any judge, any error, one arm or a difference
    rogan_gladen   a rate from the judge's sensitivity and specificity, for one arm
    rogan_gladen_difference   of two arms that share one sensitivity and one specificity

Both take the labelled cases as a random draw from all cases: a draw that depends on what was
answered makes either wrong. Both carry the error of what the labels taught, keep cases of one group
together, and allow for what no label has shown. Labels are taken as the truth; people who disagree
are ``agreement``'s business.
Nothing here knows what is judged, or by whom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuneornot.records import Estimate
from tuneornot.stats import bounds, unseen
from tuneornot.stats.cases import Floats
from tuneornot.stats.resampled import Outer, undetermined
from tuneornot.stats.studentised import SKEW_FACTOR, SkewT, skew_t

FEWEST = 3
"""Labelled units below which nothing is determined: a slope and a mean already take two."""
PPI = "prediction-powered (PPI++)"
ROGAN_GLADEN = "Rogan-Gladen, linearised"


def powered(
    judged: ArrayLike,
    truth: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    span: float | None = None,
    reach: tuple[float, float] | None = None,
    alpha: float = 0.05,
) -> Estimate:
    """Mean of the truth over all cases, from the judge on all and the truth on some.

    theta = mean_L(y) + b (mean(f) - mean_L(f)), with f the judge, y the truth, L the labelled cases
    and b the least-squares slope of y on f among them, kept within 0 and 1. Written with the mean
    over unlabelled cases in place of the mean over all, b is PPI++'s lambda times (1 + n_L / n_U),
    so the b here is the tuned one. For any fixed b theta has no bias whatever the judge does: its
    errors only widen the interval. For a paired difference give differences, f and y alike.

    The variance sums, over independent units, the squares of
    b (f - mean f) / n + [labelled] (r - mean_L r) / n_L with r = y - b f; the labelled part is
    raised by n_L / (n_L - 2). Two pseudo-labels, as in ``studentised``, keep a judge without an
    error among the labelled from giving a narrow interval. Student's t has the labelled units
    less two as degrees of freedom, or fewer if they are uneven. What no label has shown the judge
    may have overlooked too: bounds allow for it as those of a plain mean do (``unseen``), for the
    labelled cases alone.

    Args:
        judged: (n,) the judge; NaN where it was undecided, which counts as its own mean.
        truth: (n,) the truth; NaN where nobody labelled.
        groups: (n,) labels of cases that are not independent.
        span: largest possible distance between two true values, ``None`` if there is none.
        reach: how far the true mean falls and rises at worst for each unit of a share of cases of
            which no label has shown any; ``None``: nothing is allowed for.
        alpha: error rate of the interval and of each one-sided bound.

    Returns:
        In units of the truth; ``p_value`` is of a mean of 0. NaN with fewer than three labelled
        units or no judged case.

    Source: Angelopoulos, A. N., Duchi, J. C. & Zrnic, T. (2023), PPI++: Efficient
    Prediction-Powered Inference, arXiv 2311.01453; as a regression estimator in double sampling:
    Cochran, W. G. (1977), Sampling Techniques, third edition, chapter 12.
    """
    f, y = _columns(judged, truth)
    codes = _codes(groups, len(f))
    labelled = ~np.isnan(y)
    if len(np.unique(codes[labelled])) < FEWEST or np.all(np.isnan(f)):
        return undetermined(alpha, PPI)
    f = np.where(np.isnan(f), np.nanmean(f), f)
    slope = _slope(f[labelled], y[labelled])
    residuals = y[labelled] - slope * f[labelled]
    n, n_labelled = len(f), int(labelled.sum())
    parts = slope * (f - f.mean()) / n
    raised = math.sqrt(n_labelled / max(n_labelled - 2, 1))
    parts[labelled] += raised * (residuals - residuals.mean()) / n_labelled
    value = float(residuals.mean() + slope * f.mean())
    seen, noise = (
        _linearised(
            value,
            _summed(codes, parts),
            np.bincount(codes[labelled]),
            pseudo=_pseudo_labels(residuals, span, ranged=ranged),
            name=PPI,
        )
        for ranged in (True, False)
    )
    if reach is None:
        return bounds.estimate(seen, alpha=alpha, null=0.0)
    fall, rise = reach
    hidden = unseen.reaching(residuals, value, fall=fall, rise=rise)
    method = unseen.outer(seen, noise, hidden)
    return bounds.estimate(method, alpha=alpha, null=0.0, noise=method.noise)


def _pseudo_labels(residuals: Floats, span: float | None, *, ranged: bool) -> float:
    """Variance that two pseudo-labels add: what ``skew_t`` takes beyond the sum of squares."""
    n = len(residuals)
    alone = skew_t(residuals, None, span=span, name=PPI, ranged=ranged)
    squares = float(np.sum((residuals - residuals.mean()) ** 2)) * n / (n - 1)
    return max(alone.error**2 - squares / n**2, 0.0)


def rogan_gladen(
    judged: ArrayLike,
    truth: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    alpha: float = 0.05,
) -> Estimate:
    """The rate of true ones, from the rate of judged ones and the judge's two kinds of error.

    theta = (p + sp - 1) / (se + sp - 1), kept within 0 and 1; p is the judged rate over all cases,
    se and sp the shares judged right among the labelled ones and zeros. The interval is linearised
    over independent units (all three rates come from the same cases), with one right and one
    wrong pseudo-label in the variance of se and of sp.

    Args: as ``powered``, with 0 and 1; undecided cases are left out.

    Returns:
        A rate, without a test. NaN where a kind of label is missing or the judge is not shown to
        be better than chance (se + sp - 1 within two standard errors of 0).

    Source: Rogan, W. J. & Gladen, B. (1978), Estimating prevalence from the results of a screening
    test, American Journal of Epidemiology 107, 71-76; pseudo-labels as in Lang, Z. & Reiczigel, J.
    (2014), Confidence limits for prevalence of disease adjusted for estimated sensitivity and
    specificity, Preventive Veterinary Medicine 113, 13-22.
    """
    f, y = _columns(judged, truth)
    codes = _codes(groups, len(f))
    kept = ~np.isnan(f)
    f, y, codes = f[kept], y[kept], np.unique(codes[kept], return_inverse=True)[1]
    rates = _rates(f, y)
    if rates is None:
        return undetermined(alpha, ROGAN_GLADEN)
    p = float(f.mean())
    theta = min(max((p + rates.sp - 1) / rates.youden, 0.0), 1.0)
    parts = (f - p) / len(f) - theta * rates.of_ones + (1 - theta) * rates.of_zeros
    pseudo = theta**2 * rates.pseudo_one + (1 - theta) ** 2 * rates.pseudo_zero
    made = _linearised(
        theta,
        _summed(codes, parts / rates.youden),
        np.bincount(codes[~np.isnan(y)]),
        pseudo=pseudo / rates.youden**2,
        name=ROGAN_GLADEN,
    )
    hidden = unseen.UnseenMean(theta, int(np.sum(~np.isnan(y))), fall=theta, rise=1 - theta)
    method = Outer((made, hidden), name=f"{ROGAN_GLADEN}, with unseen scores", noise=made.error)
    found = bounds.estimate(method, alpha=alpha, null=None, noise=method.noise)
    return bounds.within(found, 0.0, 1.0)


def rogan_gladen_difference(
    judged: tuple[ArrayLike, ArrayLike],
    truth: tuple[ArrayLike, ArrayLike],
    *,
    groups: ArrayLike | None = None,
    alpha: float = 0.05,
) -> Estimate:
    """Difference of two arms' true rates where the judge errs alike on both.

    theta = (p_c - p_b) / (se + sp - 1), with se and sp pooled over both arms' labels. Where the
    judge's errors differ between the arms this is wrong, and no number of labels mends it
    (``powered`` stays right); it stands beside ``powered`` so that the two can be seen to differ.

    Args:
        judged: (n,) for the baseline and (n,) for the candidate, of the same cases.
        truth: the same for the labels.
        groups, alpha: as in ``powered``.

    Returns:
        Candidate minus baseline; NaN as in ``rogan_gladen``.
    """
    first, second = (_columns(f, y) for f, y in zip(judged, truth, strict=True))
    codes = _codes(groups, len(first[0]))
    kept = ~(np.isnan(first[0]) | np.isnan(second[0]))
    sides = [(f[kept], y[kept]) for f, y in (first, second)]
    codes = np.unique(codes[kept], return_inverse=True)[1]
    rates = _rates(np.concatenate([f for f, _ in sides]), np.concatenate([y for _, y in sides]))
    if rates is None:
        return undetermined(alpha, ROGAN_GLADEN)
    gains = sides[1][0] - sides[0][0]
    theta = min(max(float(gains.mean()) / rates.youden, -1.0), 1.0)
    shared = (rates.of_ones + rates.of_zeros).reshape(2, -1).sum(axis=0)
    parts = ((gains - gains.mean()) / len(gains) - theta * shared) / rates.youden
    pseudo = theta**2 * (rates.pseudo_one + rates.pseudo_zero) / rates.youden**2
    labelled = ~np.isnan(sides[0][1]) | ~np.isnan(sides[1][1])
    made = _linearised(
        theta,
        _summed(codes, parts),
        np.bincount(codes[labelled]),
        pseudo=pseudo,
        name=ROGAN_GLADEN,
    )
    before, after = (
        min(max((float(f.mean()) + rates.sp - 1) / rates.youden, 0.0), 1.0) for f, _ in sides
    )
    hidden = unseen.UnseenMean(
        theta,
        min(int(np.sum(~np.isnan(y))) for _, y in sides),
        fall=max(after, 1 - before),
        rise=max(before, 1 - after),
    )
    method = Outer((made, hidden), name=f"{ROGAN_GLADEN}, with unseen scores", noise=made.error)
    return bounds.within(
        bounds.estimate(method, alpha=alpha, null=0.0, noise=method.noise), -1.0, 1.0
    )


@dataclass(frozen=True, eq=False)
class _Rates:
    """Sensitivity and specificity among the labelled, and each case's part in their error."""

    sp: float
    youden: float
    """Sensitivity + specificity - 1."""
    of_ones: Floats
    """(n,) deviations (f - se) / n_1 of the cases labelled 1; 0 elsewhere."""
    of_zeros: Floats
    """(n,) deviations (1 - f - sp) / n_0 of the cases labelled 0; 0 elsewhere."""
    pseudo_one: float
    """Variance that a right and a wrong pseudo-label add to the sensitivity."""
    pseudo_zero: float


def _rates(f: Floats, y: Floats) -> _Rates | None:
    """``None`` where there are no labels of a kind, or no information in the judge."""
    ones, zeros = y == 1, y == 0
    n_one, n_zero = int(ones.sum()), int(zeros.sum())
    if n_one < 2 or n_zero < 2:
        return None
    se, sp = float(f[ones].mean()), float(1 - f[zeros].mean())
    error = math.sqrt(
        _shrunk(se, n_one) * (1 - _shrunk(se, n_one)) / (n_one + 2)
        + _shrunk(sp, n_zero) * (1 - _shrunk(sp, n_zero)) / (n_zero + 2)
    )
    if se + sp - 1 < 2 * error:
        return None
    return _Rates(
        sp=sp,
        youden=se + sp - 1,
        of_ones=np.where(ones, (f - se) / n_one, 0.0),
        of_zeros=np.where(zeros, (1 - f - sp) / n_zero, 0.0),
        pseudo_one=(se**2 + (1 - se) ** 2) / (n_one + 2) ** 2,
        pseudo_zero=(sp**2 + (1 - sp) ** 2) / (n_zero + 2) ** 2,
    )


def _shrunk(rate: float, n: int) -> float:
    return (rate * n + 1) / (n + 2)


def _slope(f: Floats, y: Floats) -> float:
    """Least-squares slope of y on f, kept within 0 and 1; 0 where f never varies."""
    centred = f - f.mean()
    squares = float(centred @ centred)
    return min(max(float(centred @ y) / squares, 0.0), 1.0) if squares > 0 else 0.0


def _linearised(
    value: float, sums: Floats, labelled: NDArray[np.intp], *, pseudo: float, name: str
) -> SkewT:
    """Bounds from the sums of influence of independent units.

    Args:
        value: the estimate.
        sums: (units,) each unit's part in its error.
        labelled: labelled cases of each unit that has a place among the counts.
        pseudo: variance of the pseudo-labels.
        name: of the method.
    """
    squares = float(sums @ sums)
    # Labels spread unevenly over units are worth fewer units (Kish's effective number).
    effective = float(labelled.sum()) ** 2 / float(labelled @ labelled)
    df = max(effective - 2, 1.0)
    third = float((sums**3).sum()) / squares**1.5 if squares > 0 else 0.0
    return SkewT(
        value=value,
        error=math.sqrt(squares * effective / max(effective - 1, 1.0) + pseudo),
        df=df,
        lean=SKEW_FACTOR * third / 6,
        name=name,
    )


def _summed(codes: NDArray[np.intp], parts: Floats) -> Floats:
    return np.bincount(codes, parts).astype(np.float64)


def _columns(judged: ArrayLike, truth: ArrayLike) -> tuple[Floats, Floats]:
    f, y = np.asarray(judged, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if f.ndim != 1 or f.shape != y.shape:
        raise ValueError(
            f"judged and truth must both have shape (n,), got {f.shape!r} and {y.shape!r}; "
            "use NaN for undecided and for unlabelled cases"
        )
    return f, y


def _codes(groups: ArrayLike | None, n: int) -> NDArray[np.intp]:
    if groups is None:
        return np.arange(n)
    codes: NDArray[np.intp] = np.unique(np.asarray(groups), return_inverse=True)[1]
    if codes.shape != (n,):
        raise ValueError(f"groups must have one label for each of {n} cases, got {codes.shape!r}")
    return codes
